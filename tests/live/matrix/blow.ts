import { systemClock } from "../../../lib/base/clock.ts";
import type { Member } from "../../../scripts/playground/member.ts";
import { processesIn, readOrNull, signalPid } from "../../../scripts/playground/processes.ts";
import {
  killSleeps,
  ordersIn,
  type RunningSwitch,
  switchOf,
  type SwitchOrders,
} from "../../../scripts/playground/switch.ts";
import { pause, waitFor } from "../../../scripts/playground/wait.ts";

/** What happens to an agent for good, until it is made to go on or started again. */
export type Signal = "SIGSTOP" | "SIGKILL";

/** What happens to its switch meanwhile. */
export const TROUBLES = [
  "nothing else",
  "the switch's sleep killed again and again",
  "the switch killed before",
  "the switch killed with it",
] as const;

/** One of them. */
export type Trouble = typeof TROUBLES[number];

/** An agent that is hit, and what was seen since. */
export interface Blow {
  readonly hitMs: number;
  /** The last orders of the switch; null when it was at rest. */
  readonly orders: SwitchOrders | null;
  /** How long a killed switch was missing while the agent lived. */
  readonly rearmMs: number | null;
  /** Ends the watching; tells when the directory was first without any process of a server, and the kills of sleeps. */
  readonly settle: () => Promise<{ readonly goneMs: number | null; readonly sleeps: number }>;
}

/** Hits the agent of a member whose switch is armed, unless `atRest`. */
export async function strike(
  victim: Member,
  signal: Signal,
  trouble: Trouble,
  atRest: boolean,
): Promise<Blow> {
  const first = await guardOf(victim, atRest);
  const rearmMs = trouble === "the switch killed before"
    ? await killAndAwaitNext(victim, first, atRest)
    : null;
  const guard = rearmMs === null ? first : await guardOf(victim, atRest);
  await hitAgent(victim, signal);
  if (trouble === "the switch killed with it" && guard !== null) signalPid(guard.pid, "SIGKILL");
  const hitMs = systemClock.bootMs();
  const orders = guard === null ? null : await ordersIn(guard.folder);
  let isWanted = true;
  const sleeps = trouble === "the switch's sleep killed again and again" && guard !== null
    ? killSleeps(guard.pid, () => isWanted)
    : Promise.resolve(0);
  const gone = firstEmpty(victim.dataDir, () => isWanted);
  const settle = async (): Promise<{ goneMs: number | null; sleeps: number }> => {
    isWanted = false;
    return { goneMs: await gone, sleeps: await sleeps };
  };
  return { hitMs, orders, rearmMs, settle };
}

/** Lets the agent go on, or starts it again. */
export async function revive(victim: Member, signal: Signal): Promise<void> {
  if (signal === "SIGSTOP") victim.signalAgent("SIGCONT");
  else await victim.start();
}

async function guardOf(victim: Member, atRest: boolean): Promise<RunningSwitch | null> {
  if (atRest) return await switchOf(victim.dataDir);
  return await waitFor(`an armed switch of ${victim.name}`, 5_000, async () => {
    const found = await switchOf(victim.dataDir);
    const orders = found === null ? null : await ordersIn(found.folder);
    return { met: orders === null ? null : found, seen: JSON.stringify({ found, orders }) };
  });
}

/** A switch at rest has no successor before it is needed. */
async function killAndAwaitNext(
  victim: Member,
  first: RunningSwitch | null,
  atRest: boolean,
): Promise<number> {
  if (first === null) return 0;
  const fromMs = systemClock.bootMs();
  signalPid(first.pid, "SIGKILL");
  if (!atRest) {
    await waitFor("another switch", 4_000, async () => {
      const next = await switchOf(victim.dataDir);
      return { met: next !== null && next.pid !== first.pid ? true : null, seen: `${next?.pid}` };
    });
  }
  return systemClock.bootMs() - fromMs;
}

/** Resolves when the agent does nothing any more: what it wrote last can be read. */
async function hitAgent(victim: Member, signal: Signal): Promise<void> {
  if (signal === "SIGKILL") return await victim.killAgent();
  victim.signalAgent("SIGSTOP");
  const path = `/proc/${victim.agentPid}/stat`;
  await waitFor("a stopped agent", 5_000, async () => {
    const stat = await readOrNull(path) ?? "";
    const seen = stat.slice(stat.lastIndexOf(")") + 2).charAt(0);
    return { met: seen === "T" ? true : null, seen };
  });
}

async function firstEmpty(folder: string, isWanted: () => boolean): Promise<number | null> {
  while (isWanted()) {
    if ((await processesIn(folder)).length === 0) return systemClock.bootMs();
    await pause(40);
  }
  return null;
}
