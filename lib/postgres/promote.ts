import { run } from "../host/spawn.ts";
import { LocalRole } from "./local_role.ts";
import type { PostgresOptions } from "./options.ts";
import { orderPromotion } from "./pg_ctl.ts";
import type { JobContext, JobResult } from "./port.ts";

/** A `pre_promote` without an end would leave the cluster without a primary: the lock goes to another member then. */
const PRE_PROMOTE_MS = 3_600_000;

/** Runs `pre_promote`; a cancel ends it with its children. Done for exit code 0 and where none is configured. */
export async function runPrePromote(
  { hooks }: PostgresOptions,
  job: JobContext,
): Promise<JobResult> {
  const [program, ...args] = hooks?.prePromote ?? [];
  if (program === undefined) return { kind: "done" };
  job.report("pre_promote is running");
  const result = await run({ program, args, timeoutMs: PRE_PROMOTE_MS }, job.signal);
  if (result.cancelled || job.signal.aborted) return { kind: "cancelled" };
  const { exitCode, stderrTail, timedOut } = result;
  if (exitCode === 0 && !timedOut) return { kind: "done" };
  const said = stderrTail === "" ? "" : `: ${stderrTail}`;
  return failed(`pre_promote ended with exit code ${exitCode}${said}`);
}

/**
 * Takes the server out of recovery and waits for it, `pg_ctl_timeout` at most. `onOrder` is called right before the
 * order, when a role that cannot be asked any more must count as primary.
 */
export async function promoteServer(
  options: PostgresOptions,
  notAfterMs: number,
  onOrder: () => void,
  job: JobContext,
): Promise<JobResult> {
  const { clock, pgCtlTimeoutS } = options;
  if (!job.passPointOfNoReturn()) return { kind: "cancelled" };
  if (clock.bootMs() > notAfterMs) return failed("Cannot promote: the right to do so has ended");
  onOrder();
  await using server = new LocalRole(options);
  const never = new AbortController().signal;
  // The session is opened meanwhile. What it says before the order has arrived counts for nothing, and a fault, which the
  // next question meets again, must not end the job while the order is on its way.
  const opened = server.ask(job.signal).catch(() => null);
  const [ordered] = await Promise.all([orderPromotion(options, never), opened]);
  if (ordered.exitCode !== 0) return failed(`Cannot promote: ${ordered.stderrTail}`);
  const untilMs = clock.bootMs() + pgCtlTimeoutS * 1000;
  for (;;) {
    if (job.signal.aborted) {
      return failed("Cannot see the promotion through: something else goes before");
    }
    const role = await server.ask(job.signal);
    if (role === "primary") return { kind: "done" };
    if (typeof role === "object") return failed(role.refused);
    if (clock.bootMs() >= untilMs) return failed("Cannot promote: the server is still in recovery");
    await server.pause(job.signal);
  }
}

function failed(why: string): JobResult {
  return { kind: "failed", why };
}
