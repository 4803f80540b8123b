import type { SwitchDeadline } from "../core/switch_status.ts";
import type { ProcessIdentity } from "./port.ts";

/** One line of the log of firings, in boot-clock milliseconds. */
export interface Firing {
  readonly bootMs: number;
  readonly what: string;
  readonly pid: number;
}

/** The files in the folder of one switch; see `switch_script.ts` for their format. */
export class SwitchFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Orders the switch; the boot id at the end tells a later agent whether the clock is still the same. */
  async order(word: "disarmed" | "resting" | SwitchDeadline): Promise<void> {
    const draft = `${this.#folder}/state.new`;
    const line = typeof word === "string" ? word : armedLine(word);
    await Deno.writeTextFile(draft, `${line} ${bootId()}\n`, { mode: 0o600 });
    await Deno.rename(draft, `${this.#folder}/state`);
  }

  /** It was laid to rest in maintenance mode, since this start of the host. */
  async isResting(): Promise<boolean> {
    const [word, id] = (await readOrEmpty(`${this.#folder}/state`)).trim().split(" ");
    return word === "resting" && id === bootId();
  }

  /** Removes all of it, when no switch is left to read it. */
  async remove(): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }

  /** The deadline in force; null when there is none of this boot. */
  async deadline(): Promise<SwitchDeadline | null> {
    const words = (await readOrEmpty(`${this.#folder}/state`)).trim().split(" ");
    const [word, ...rest] = words;
    if (word !== "armed" || rest.length !== 5 || rest[4] !== bootId()) return null;
    const [stopAtMs = NaN, immediateAtMs = NaN, killAtMs = NaN, endsMs = NaN] = rest.map(Number);
    return { stopAtMs, immediateAtMs, killAtMs, endsMs };
  }

  /** The process in charge by its own word; it may be gone. */
  async owner(): Promise<ProcessIdentity | null> {
    const found = /^(\d+) (\d+)\n/.exec(await readOrEmpty(`${this.#folder}/pid`));
    if (found === null) return null;
    return { pid: Number(found[1]), startTicks: BigInt(found[2] ?? 0) };
  }

  /** The log of firings from this byte on, and its size: it only grows. */
  async firingsFrom(offset: number): Promise<{ readonly lines: readonly Firing[]; size: number }> {
    const text = await readOrEmpty(`${this.#folder}/firings`);
    return { lines: text.slice(offset).split("\n").flatMap(firingOf), size: text.length };
  }
}

function armedLine({ stopAtMs, immediateAtMs, killAtMs, endsMs }: SwitchDeadline): string {
  return ["armed", ...[stopAtMs, immediateAtMs, killAtMs, endsMs].map(Math.round)].join(" ");
}

function firingOf(line: string): readonly Firing[] {
  const found = /^(\d+) ([A-Z]+) (\d+)$/.exec(line);
  if (found === null) return [];
  const [, bootMs, what = "", pid] = found;
  return [{ bootMs: Number(bootMs), what, pid: Number(pid) }];
}

function bootId(): string {
  return Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
