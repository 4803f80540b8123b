import type { StopEscalation } from "../core/action.ts";
import { stopServer } from "../host/fence.ts";
import type { ProcessIdentity } from "../host/port.ts";
import { CHECKPOINT_MS, checkpointLocally } from "./local_sql.ts";
import type { PostgresOptions } from "./options.ts";
import { programPath } from "./options.ts";
import type { JobContext } from "./port.ts";
import { readPostmaster } from "./postmaster.ts";

/**
 * Ends the server with all that belongs to it. The pid file names the postmaster; `known` is the one seen last, for a
 * directory that was removed under it. Throws when killed processes do not disappear.
 */
export async function stopForCertain(
  options: PostgresOptions,
  known: ProcessIdentity | null,
  how: "fast" | "immediate",
  escalation: StopEscalation,
): Promise<void> {
  const { dataDir, clock } = options;
  const serverProgram = programPath(options, "postgres");
  const found = await readPostmaster(dataDir);
  const postmaster = found === null ? known : found.process.identity;
  await stopServer({ dataDir, serverProgram, postmaster, clock }, how, escalation);
}

/** Ends whatever still works in the data directory before something new is made or started there. */
export async function clearLeftovers(options: PostgresOptions): Promise<void> {
  const killAtMs = options.clock.bootMs() + 5000;
  await stopForCertain(options, null, "immediate", { immediateAtMs: null, killAtMs });
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
