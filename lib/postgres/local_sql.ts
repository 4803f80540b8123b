import { within } from "../base/deadline.ts";
import type { PostgresOptions } from "./options.ts";
import type { SqlResult } from "./port.ts";
import { localTarget, readPostmaster } from "./postmaster.ts";
import { asResult } from "./replication_sql.ts";
import type { Session } from "./session.ts";
import { withSession } from "./session.ts";

/** A checkpoint may write for minutes; past this it is given up, and the server goes on with it. */
export const CHECKPOINT_MS = 300_000;

/**
 * Runs `work` as superuser on a session of its own, since a long statement must not keep the probe from looking.
 * Refusals and losses of the connection are values.
 */
export async function runLocally(
  options: PostgresOptions,
  work: (session: Session, signal: AbortSignal) => Promise<SqlResult>,
  limitMs: number,
  signal: AbortSignal,
): Promise<SqlResult> {
  using deadline = within(limitMs, signal);
  let answer: SqlResult = { kind: "done" };
  const ran = await asResult(async () => {
    const postmaster = await readPostmaster(options.dataDir);
    const login = options.authentication.superuser;
    const target = localTarget(options, postmaster?.file ?? null, login);
    answer = await withSession(target, (one) => work(one, deadline.signal), deadline.signal);
  });
  return ran.kind === "done" ? answer : ran;
}

/** CHECKPOINT on the local server. */
export function checkpointLocally(
  options: PostgresOptions,
  limitMs: number,
  signal: AbortSignal,
): Promise<SqlResult> {
  return runLocally(
    options,
    async (session, deadline) => {
      await session.query("CHECKPOINT", [], deadline);
      return { kind: "done" };
    },
    limitMs,
    signal,
  );
}
