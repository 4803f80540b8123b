import { systemClock } from "../../lib/base/clock.ts";
import type { Member } from "../../scripts/playground/member.ts";
import { isAlive, readOrNull } from "../../scripts/playground/processes.ts";
import { switchOf } from "../../scripts/playground/switch.ts";
import { pause } from "../../scripts/playground/wait.ts";

/** What became of a leader; all on the boot clock, in milliseconds. */
export interface LeaseStory {
  /** When the stop of the server was due at the latest. */
  readonly stopMs: number;
  /** The end of its lease, as its switch obeyed it. */
  readonly endsMs: number;
  /** When its postmaster was first seen to be gone; null while it runs. */
  readonly goneMs: number | null;
}

/** Follows the orders of a leader's switch, and its postmaster, until told to stop. */
export class LeaseWatch {
  readonly #postmaster: number;
  readonly #stateFile: string;
  #story: LeaseStory;
  #wanted = true;
  #running: Promise<void> = Promise.resolve();

  constructor(postmaster: number, stateFile: string, story: LeaseStory) {
    this.#postmaster = postmaster;
    this.#stateFile = stateFile;
    this.#story = story;
  }

  get story(): LeaseStory {
    return this.#story;
  }

  start(): void {
    this.#running = this.#loop();
  }

  async stop(): Promise<LeaseStory> {
    this.#wanted = false;
    await this.#running;
    return this.#story;
  }

  async #loop(): Promise<void> {
    while (this.#wanted) {
      this.#story = { ...this.#story, ...readOrders(await readOrNull(this.#stateFile)) };
      if (this.#story.goneMs === null && !await isAlive(this.#postmaster)) {
        this.#story = { ...this.#story, goneMs: systemClock.bootMs() };
      }
      await pause(20);
    }
  }
}

/** Begins to follow the member, which must lead. */
export async function followLease(leader: Member): Promise<LeaseWatch> {
  const found = await switchOf(leader.dataDir);
  const postmaster = await leader.postmasterPid();
  const stateFile = `${found?.folder}/state`;
  const orders = readOrders(await readOrNull(stateFile));
  if (postmaster === null || orders === null) {
    throw new Error(`Cannot follow ${leader.name}: no server, or its switch is not armed`);
  }
  const watch = new LeaseWatch(postmaster, stateFile, { ...orders, goneMs: null });
  watch.start();
  return watch;
}

function readOrders(text: string | null): { stopMs: number; endsMs: number } | null {
  const [word, stop, , , ends] = (text ?? "").split(" ");
  return word === "armed" ? { stopMs: Number(stop), endsMs: Number(ends) } : null;
}
