import { systemClock } from "../base/clock.ts";
import { within } from "../base/deadline.ts";
import type { Log } from "../base/log.ts";
import { initialMemory } from "../core/memory.ts";
import { mayBePrimary } from "../core/rules/facts.ts";
import { switchDeadline } from "../core/switch_status.ts";
import type { Member } from "./member.ts";

const LOOK_MS = 5000;

/**
 * The guard over the local server until the store has answered for the first time. What the agent before us armed stays
 * armed. A primary that runs without a switch, from a directory that an agent has led from, may have a successor elsewhere
 * (the host was started anew and a service of the system has started the server, be it after this agent), so it gets one
 * lease of time for the store to say otherwise. One whose switch rests in maintenance mode, or that no agent has led, is
 * left alone and reported.
 */
export class FirstGuard {
  readonly #member: Member;
  readonly #log: Log;
  #told = "";

  constructor(member: Member, log: Log) {
    this.#member = member;
    this.#log = log;
  }

  /** To be called before anything else is asked. Faults are logged. */
  begin(): Promise<void> {
    return this.#orTell(async () => {
      const { managed, deadMan } = this.#member;
      await managed.look();
      await deadMan.resume();
      if (deadMan.view() === null) await this.#guardUnarmed();
    });
  }

  /** To be called again and again while the store is waited for, since nobody else looks meanwhile. Faults are logged. */
  goOn(): Promise<void> {
    return this.#orTell(async () => {
      const { deadMan } = this.#member;
      if (deadMan.view() === null) await this.#guardUnarmed();
      else await deadMan.ready();
    });
  }

  async #guardUnarmed(): Promise<void> {
    const { deadMan, managed, postgres, timing } = this.#member;
    using deadline = within(LOOK_MS);
    const server = await postgres.probe(deadline.signal);
    if (!mayBePrimary(server, initialMemory)) return;
    if (!managed.isSet) {
      return this.#warn("A primary runs that no agent has led: it is left alone without the store");
    }
    if (await deadMan.isResting()) {
      return this.#warn("A primary runs whose switch rests in maintenance mode: it is left alone");
    }
    const budget = timing();
    const endsMs = systemClock.bootMs() + budget.ttlMs;
    this.#warn(`A primary runs unguarded: without the store it is stopped in ${budget.ttlMs} ms`);
    await deadMan.arm(switchDeadline(endsMs, budget));
  }

  /** Once for each finding. */
  #warn(what: string): void {
    if (what !== this.#told) this.#log.warn(what);
    this.#told = what;
  }

  async #orTell(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#log.error(`Cannot guard the server before the store is asked: ${String(error)}`);
    }
  }
}
