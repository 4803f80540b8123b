import { systemClock } from "../base/clock.ts";
import { within } from "../base/deadline.ts";
import type { Log } from "../base/log.ts";
import { initialMemory } from "../core/memory.ts";
import { mayBePrimary } from "../core/rules/facts.ts";
import { switchDeadline } from "../core/switch_status.ts";
import type { Member } from "./member.ts";

const LOOK_MS = 5000;

/**
 * Before the store is asked: what the agent before us armed stays armed. A primary that runs without a switch, from a
 * directory that an agent has led from, may have a successor elsewhere (the host was started anew and a service of the
 * system has started the server), so it gets one lease of time for the store to say otherwise. One whose switch rests in
 * maintenance mode, or that no agent has led, is left alone and reported.
 */
export async function guardFirst(member: Member, log: Log): Promise<void> {
  try {
    await member.managed.look();
    await member.deadMan.resume();
    if (member.deadMan.view() === null) await guardUnarmed(member, log);
  } catch (error) {
    log.error(`Cannot guard the server before the store is asked: ${String(error)}`);
  }
}

async function guardUnarmed(
  { deadMan, managed, postgres, timing }: Member,
  log: Log,
): Promise<void> {
  using deadline = within(LOOK_MS);
  const server = await postgres.probe(deadline.signal);
  if (!mayBePrimary(server, initialMemory)) return;
  if (!managed.isSet) {
    log.warn("A primary runs that no agent has led: it is left alone until the store is reached");
    return;
  }
  if (await deadMan.isResting()) {
    log.warn("A primary runs whose switch rests in maintenance mode: it is left alone");
    return;
  }
  const budget = timing();
  const endsMs = systemClock.bootMs() + budget.ttlMs;
  log.warn(`A primary runs unguarded: without the store it is stopped within ${budget.ttlMs} ms`);
  await deadMan.arm(switchDeadline(endsMs, budget));
}
