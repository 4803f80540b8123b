import type { Clock } from "../base/clock.ts";
import type { StopEscalation } from "../core/action.ts";
import type { ProcessIdentity } from "./port.ts";
import type { ProcessStat } from "./processes.ts";
import {
  findChildren,
  findFillers,
  findFillingPrograms,
  findServerProcesses,
  isAlive,
  sendSignal,
} from "./processes.ts";

/** A server to end: what holds `dataDir`, and its postmaster; other processes there are killed without ceremony. */
export interface FenceTarget {
  readonly dataDir: string;
  /** Path or name of the `postgres` program. */
  readonly serverProgram: string;
  readonly postmaster: ProcessIdentity | null;
  readonly clock: Clock;
}

/** How to begin, and when to become harsher. */
export interface StopOrder {
  readonly how: "fast" | "immediate";
  readonly escalation: StopEscalation;
}

const POLL_MS = 20;
/** A killed process that waits for its disk stays; after this long it is reported instead. */
const GONE_WITHIN_MS = 10_000;

/**
 * Ends the server and everything that it left behind; returns when no process holds the directory. Steps up from the
 * wanted stop to QUIT and then to KILL at the moments of `escalation`. An abort ends the waiting, for a harsher stop
 * that takes over: "left" then. Throws an `Error` only when killed processes do not disappear.
 */
export async function stopServer(
  target: FenceTarget,
  order: StopOrder,
  signal: AbortSignal,
): Promise<"gone" | "left"> {
  const { postmaster, clock } = target;
  if (postmaster !== null) await stopPostmaster(postmaster, order, clock, signal);
  if (signal.aborted) return "left";
  await killLeftovers(target);
  return "gone";
}

/**
 * Ends one postmaster: INT (fast: standbys receive everything) or QUIT, QUIT at `immediateAtMs`, and at `killAtMs`
 * the kill of it and all its children. Returns when it is gone or `signal` aborts.
 */
export async function stopPostmaster(
  postmaster: ProcessIdentity,
  order: StopOrder,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const { how, escalation } = order;
  sendSignal(postmaster, how === "fast" ? "SIGINT" : "SIGQUIT");
  let isImmediate = how === "immediate";
  while (isAlive(postmaster) && !signal.aborted) {
    const nowMs = clock.bootMs();
    if (isDue(escalation.killAtMs, nowMs)) return killWithChildren(postmaster);
    if (!isImmediate && isDue(escalation.immediateAtMs, nowMs)) {
      isImmediate = sendSignal(postmaster, "SIGQUIT");
    }
    await clock.sleep(POLL_MS, signal);
  }
}

/**
 * STOP, list, KILL: a stopped postmaster starts no new child, and its children are sessions of their own, which a kill
 * of the group would miss.
 */
export function killWithChildren(postmaster: ProcessIdentity): void {
  sendSignal(postmaster, "SIGSTOP");
  const children = findChildren(postmaster.pid);
  sendSignal(postmaster, "SIGKILL");
  for (const child of children) sendSignal(child.identity, "SIGKILL");
}

/** Kills server processes without a postmaster; a busy backend of a dead postmaster goes on committing else. */
export function killOrphans(dataDir: string, serverProgram: string): number {
  const orphans = findServerProcesses(dataDir, serverProgram).filter((one) => !one.isMain);
  for (const orphan of orphans) sendSignal(orphan.identity, "SIGKILL");
  return orphans.length;
}

/** Kills all that works in the directory or fills it, single-user servers too, until nothing does. */
async function killLeftovers({ dataDir, serverProgram, clock }: FenceTarget): Promise<void> {
  await killAll(
    () => [...findServerProcesses(dataDir, serverProgram), ...findFillers(dataDir)],
    clock,
  );
}

/** Kills what an operator's program is still writing there for an agent before us, until nothing is left of it. */
export async function killFillingPrograms(dataDir: string, clock: Clock): Promise<void> {
  await killAll(() => findFillingPrograms(dataDir), clock);
}

async function killAll(find: () => readonly ProcessStat[], clock: Clock): Promise<void> {
  const untilMs = clock.bootMs() + GONE_WITHIN_MS;
  for (;;) {
    const left = find();
    if (left.length === 0) return;
    for (const { identity } of left) killWithChildren(identity);
    if (clock.bootMs() > untilMs) {
      const pids = left.map(({ identity }) => identity.pid).join(", ");
      throw new Error(`Cannot free the data directory: processes ${pids} outlive SIGKILL`);
    }
    await clock.sleep(POLL_MS);
  }
}

function isDue(atMs: number | null, nowMs: number): boolean {
  return atMs !== null && nowMs >= atMs;
}
