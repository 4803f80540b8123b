import { systemClock } from "../../lib/base/clock.ts";
import type { Member } from "../../scripts/playground/member.ts";
import { isAlive } from "../../scripts/playground/processes.ts";
import { ordersIn, switchOf, type SwitchOrders } from "../../scripts/playground/switch.ts";
import { pause } from "../../scripts/playground/wait.ts";

/** What became of a leader, on the boot clock in milliseconds: its last orders, and its end. */
export interface LeaseStory extends SwitchOrders {
  /** When its postmaster was first seen to be gone; null while it runs. */
  readonly goneMs: number | null;
}

/** Follows the orders of a leader's switch, and its postmaster, until told to stop. */
export class LeaseWatch {
  readonly #postmaster: number;
  readonly #folder: string;
  #story: LeaseStory;
  #wanted = true;
  #running: Promise<void> = Promise.resolve();

  constructor(postmaster: number, folder: string, story: LeaseStory) {
    this.#postmaster = postmaster;
    this.#folder = folder;
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
      this.#story = { ...this.#story, ...await ordersIn(this.#folder) };
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
  const orders = found === null ? null : await ordersIn(found.folder);
  if (found === null || postmaster === null || orders === null) {
    throw new Error(`Cannot follow ${leader.name}: no server, or its switch is not armed`);
  }
  const watch = new LeaseWatch(postmaster, found.folder, { ...orders, goneMs: null });
  watch.start();
  return watch;
}
