import type { Clock } from "../base/clock.ts";
import { Turnstile } from "../base/turnstile.ts";
import type { Log } from "../base/log.ts";
import type {
  SwitchDeadline,
  SwitchFiring,
  SwitchStatus,
  SwitchView,
} from "../core/switch_status.ts";
import type { DeadManSwitch, ProcessIdentity } from "./port.ts";
import { sendSignal } from "./processes.ts";
import { SwitchFiles } from "./switch_files.ts";
import type { Firing } from "./switch_files.ts";
import { knownSwitchFolder, realDataDir, switchFolder } from "./switch_folder.ts";
import { findSwitch, isOnGuard, startSwitch } from "./switch_process.ts";
import type { SwitchPlace } from "./switch_process.ts";
import { findStrays, lastDeadline, retire } from "./switch_strays.ts";

/** What the switch guards, and where its state lies when neither `/run` nor `/dev/shm` can be used. */
export interface ShellSwitchOptions {
  readonly dataDir: string;
  readonly stateDir: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Instead of `/run` and `/dev/shm`. */
  readonly roots?: readonly string[];
}

const FIRINGS_SHOWN = 5;
/** Looks at the process for one at the log of firings, which is told and never acted on. */
const LOOKS_FOR_FIRINGS = 3;

/** The switch as a `/bin/sh` of its own session. Orders are written to a file, so they reach also one found again. */
export class ShellSwitch implements DeadManSwitch {
  readonly #options: ShellSwitchOptions;
  #place: SwitchPlace | null = null;
  #process: ProcessIdentity | null = null;
  #realDir: string | null = null;
  /** No switch of the same directory under another name is left. */
  #isAlone = false;
  #view: SwitchView | null = null;
  #firings: readonly SwitchFiring[] = [];
  #firingsSize = 0;
  #fired: Readonly<Record<string, number>> = {};
  readonly #turnstile = new Turnstile();

  constructor(options: ShellSwitchOptions) {
    this.#options = options;
  }

  /**
   * Takes up what the agent before us left: an armed switch keeps its deadline, and gets a new process when its own is
   * gone; so does one that was set by another path to the same directory. To be called first of all, before the store is
   * asked.
   */
  resume(): Promise<void> {
    return this.#turnstile.pass(async () => {
      const known = await this.#known();
      const strays = await this.#strays(known);
      if (known === null && strays.length === 0) return;
      const place = await this.#here();
      const deadline = await this.#inherit(place.files, strays);
      await this.#tellFirings();
      this.#process = await findSwitch(place.files);
      if (deadline === null) return await this.#beAlone(place);
      this.#view = { endsMs: deadline.endsMs, inherited: true };
      if (!await this.#ensure()) this.#options.log.error("Cannot start the dead-man's switch anew");
    });
  }

  ready(): Promise<boolean> {
    return this.#turnstile.pass(() => this.#orTell(async () => await this.#ensure()));
  }

  arm(deadline: SwitchDeadline): Promise<boolean> {
    return this.#turnstile.pass(() =>
      this.#orTell(async () => {
        await this.#order(deadline);
        this.#view = { endsMs: deadline.endsMs, inherited: this.#view?.inherited ?? false };
        return await this.#ensure();
      })
    );
  }

  disarm(): Promise<boolean> {
    return this.#layDown("disarmed");
  }

  rest(): Promise<boolean> {
    return this.#layDown("resting");
  }

  /** True when an agent has laid it to rest in maintenance mode, since this start of the host. */
  async isResting(): Promise<boolean> {
    const folder = await this.#known();
    return folder !== null && await new SwitchFiles(folder).isResting();
  }

  #layDown(word: "disarmed" | "resting"): Promise<boolean> {
    return this.#turnstile.pass(() =>
      this.#orTell(async () => {
        await this.#beAlone(await this.#order(word));
        this.#view = null;
        return true;
      })
    );
  }

  /** Ends its process at the agent's own end; one that is armed stays on guard. */
  close(): Promise<void> {
    return this.#turnstile.pass(async () => {
      if (this.#view !== null || this.#process === null) return;
      sendSignal(this.#process, "SIGKILL");
      this.#process = null;
      if (await this.#place?.files.isResting()) return; // the next agent must find it so
      await this.#place?.files.remove();
      this.#place = null;
    });
  }

  view(): SwitchView | null {
    return this.#view;
  }

  status(): SwitchStatus {
    const pid = this.#process !== null && isOnGuard(this.#process) ? this.#process.pid : null;
    const endsMs = this.#view?.endsMs ?? null;
    const [firings, fired] = [this.#firings, this.#fired];
    return { armed: endsMs !== null && pid !== null, endsMs, pid, firings, fired };
  }

  /** Looks about every second: an armed switch without its process gets a new one, or `onLost` is told. */
  async watch(onLost: (why: string) => void, signal: AbortSignal): Promise<void> {
    for (let look = 0; !signal.aborted; look++) {
      await this.#options.clock.beat(signal);
      if (signal.aborted) return;
      if (look % LOOKS_FOR_FIRINGS === 0) await this.#turnstile.pass(() => this.#tellFirings());
      if (!await this.#isHeld()) onLost("the dead-man's switch cannot be kept running");
    }
  }

  async #isHeld(): Promise<boolean> {
    if (this.#view === null) return true;
    return await this.#turnstile.pass(() => this.#orTell(async () => await this.#ensure()));
  }

  async #tellFirings(): Promise<void> {
    if (this.#place === null) return;
    const { lines, size } = await this.#place.files.firingsFrom(this.#firingsSize);
    this.#firingsSize = size;
    const news = lines.map((line) => this.#dated(line)); // once, so that what is told of it stays the same
    this.#firings = [...this.#firings, ...news].slice(-FIRINGS_SHOWN);
    for (const { wallMs, what, pid } of news) {
      this.#fired = { ...this.#fired, [what]: (this.#fired[what] ?? 0) + 1 };
      const at = new Date(wallMs).toISOString();
      this.#options.log.error(`The dead-man's switch sent ${what} to ${pid} at ${at}`);
    }
  }

  /**
   * Somebody may have emptied `/run` or `/dev/shm` under us. Then there is a new folder, and the process of the old one,
   * which would go on with its last orders, is ended.
   */
  async #order(word: "disarmed" | "resting" | SwitchDeadline): Promise<SwitchPlace> {
    const place = await this.#here();
    try {
      await place.files.order(word);
      return place;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    this.#options.log.error(
      `Somebody has removed ${place.folder}: the dead-man's switch begins anew`,
    );
    this.#place = null;
    const again = await this.#here();
    await again.files.order(word);
    if (this.#process !== null) sendSignal(this.#process, "SIGKILL");
    this.#process = null;
    this.#firingsSize = 0;
    return again;
  }

  /** A process on guard, and no other switch of the same directory beside it. */
  async #ensure(): Promise<boolean> {
    if (this.#process !== null && isOnGuard(this.#process) && this.#isAlone) return true;
    const place = await this.#here();
    if (!await this.#ensureProcess(place)) return false;
    await this.#beAlone(await this.#here());
    return true;
  }

  /** The process that we know, the one that is there, or a new one. */
  async #ensureProcess(place: SwitchPlace): Promise<boolean> {
    if (this.#process !== null && isOnGuard(this.#process)) return true;
    const { log } = this.#options;
    const isRepeated = this.#process !== null;
    this.#process = await findSwitch(place.files);
    if (this.#process !== null) return true;
    if (isRepeated) log.error("The dead-man's switch has disappeared: starting another");
    // Never what a process before ordered; what an agent has armed stays, and goes on by its next order where that is gone.
    const at = this.#view === null ? await this.#order("disarmed") : place;
    this.#process = await startSwitch(at);
    return this.#process !== null;
  }

  async #here(): Promise<SwitchPlace> {
    if (this.#place !== null) return this.#place;
    const { dataDir, stateDir, clock, roots } = this.#options;
    const folder = await switchFolder(await this.#real(), stateDir, roots);
    this.#place = { folder, dataDir, clock, files: new SwitchFiles(folder) };
    return this.#place;
  }

  async #known(): Promise<string | null> {
    const { stateDir, roots } = this.#options;
    return await knownSwitchFolder(await this.#real(), stateDir, roots);
  }

  async #real(): Promise<string> {
    return this.#realDir ??= await realDataDir(this.#options.dataDir);
  }

  async #strays(ownFolder: string | null): Promise<readonly SwitchFiles[]> {
    return await findStrays({ ...this.#options, realDir: await this.#real(), ownFolder });
  }

  /** The deadline in force for the directory, whichever name it was given under; the own orders then say the same. */
  async #inherit(
    own: SwitchFiles,
    strays: readonly SwitchFiles[],
  ): Promise<SwitchDeadline | null> {
    const deadline = await lastDeadline([own, ...strays]);
    const ownDeadline = await own.deadline();
    if (deadline !== null && deadline.endsMs !== ownDeadline?.endsMs) await own.order(deadline);
    if (deadline !== null) return deadline;
    for (const files of strays) if (await files.isResting()) await own.order("resting");
    return null;
  }

  /** Ends the others, once the own orders are in force. */
  async #beAlone({ folder }: SwitchPlace): Promise<void> {
    if (this.#isAlone) return;
    for (const files of await this.#strays(folder)) {
      await retire(files);
      this.#options.log.warn(
        "Took over a dead-man's switch that had another path to the directory",
      );
    }
    this.#isAlone = true;
  }

  async #orTell(work: () => Promise<boolean>): Promise<boolean> {
    try {
      if (await work()) return true;
      this.#options.log.error("Cannot start the dead-man's switch");
    } catch (error) {
      if (error instanceof TypeError || !(error instanceof Error)) throw error;
      this.#options.log.error(`Cannot order the dead-man's switch: ${error.message}`);
    }
    return false;
  }

  #dated({ bootMs, what, pid }: Firing): SwitchFiring {
    const { clock } = this.#options;
    return { wallMs: clock.wallMs() - clock.bootMs() + bootMs, what, pid };
  }
}
