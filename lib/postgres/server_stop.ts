import type { StopEscalation } from "../core/action.ts";
import type { StopOrder } from "../host/fence.ts";
import { killFillingPrograms, stopServer } from "../host/fence.ts";
import type { ProcessIdentity } from "../host/port.ts";
import { run } from "../host/spawn.ts";
import { CHECKPOINT_MS, checkpointLocally } from "./local_sql.ts";
import type { PostgresOptions } from "./options.ts";
import { programPath } from "./options.ts";
import type { JobContext } from "./port.ts";
import { readPostmaster } from "./postmaster.ts";

const AT_ONCE_MS = 1000;
const BEFORE_STOP_MS = 60_000;

/**
 * Ends the server with all that belongs to it. The pid file names the postmaster; `known` is the one seen last, for a
 * directory that was removed under it. "left": `signal` aborted first. Throws when killed processes do not disappear.
 */
export async function stopForCertain(
  options: PostgresOptions,
  known: ProcessIdentity | null,
  order: StopOrder,
  signal: AbortSignal,
): Promise<"gone" | "left"> {
  const { dataDir, clock } = options;
  const serverProgram = programPath(options, "postgres");
  const found = await readPostmaster(dataDir);
  const postmaster = found === null ? known : found.process.identity;
  return await stopServer({ dataDir, serverProgram, postmaster, clock }, order, signal);
}

/** Ends whatever still works in the data directory before something new is made or started there. */
export async function clearLeftovers(options: PostgresOptions): Promise<void> {
  await stopAtOnce(options, null);
}

/**
 * The same before the directory is filled: a killed agent's program may be at it still, silent for hours, and would write
 * into what is made now.
 */
export async function clearForFilling(options: PostgresOptions): Promise<void> {
  await clearLeftovers(options);
  await killFillingPrograms(options.dataDir, options.clock);
}

/** Ends a server without regard to its clients, for certain and within a second or so. */
export async function stopAtOnce(
  options: PostgresOptions,
  known: ProcessIdentity | null,
): Promise<void> {
  const escalation = { immediateAtMs: null, killAtMs: options.clock.bootMs() + AT_ONCE_MS };
  const never = new AbortController().signal;
  await stopForCertain(options, known, { how: "immediate", escalation }, never);
}

/** A checkpoint while still serving makes the stop's own short; it must not eat the time of the stop itself. */
export async function checkpointBeforeStop(
  options: PostgresOptions,
  escalation: StopEscalation,
  job: JobContext,
): Promise<void> {
  const limitMs = escalation.immediateAtMs ?? escalation.killAtMs;
  const leftMs = limitMs === null ? CHECKPOINT_MS : limitMs - options.clock.bootMs();
  if (leftMs <= 0) return;
  job.report("checkpoint before the stop");
  await checkpointLocally(options, Math.min(leftMs / 2, CHECKPOINT_MS), job.signal);
}

/**
 * Runs `before_stop`, whatever comes of it. It gets at most half of the time that is left before the stop turns harsher,
 * and a minute where nothing presses; none at all when there is no time.
 */
export async function runBeforeStop(
  { hooks, clock }: PostgresOptions,
  { immediateAtMs, killAtMs }: StopEscalation,
  job: JobContext,
): Promise<void> {
  const [program, ...args] = hooks?.beforeStop ?? [];
  const limitMs = immediateAtMs ?? killAtMs;
  const leftMs = limitMs === null ? BEFORE_STOP_MS : (limitMs - clock.bootMs()) / 2;
  if (program === undefined || leftMs <= 0 || job.signal.aborted) return;
  job.report("before_stop is running");
  await run({ program, args, timeoutMs: Math.min(leftMs, BEFORE_STOP_MS) }, job.signal);
}
