import { PostgresUnreachable, Refused } from "../base/errors.ts";
import type { SlotChanges } from "../core/action.ts";
import { printLsn } from "../core/lsn.ts";
import type { SqlResult } from "./port.ts";
import type { Session } from "./session.ts";

/** Creates that keep WAL from the start on, so that a standby made later finds what it needs; existing ones stay. */
const CREATE = `SELECT pg_catalog.pg_create_physical_replication_slot($1, true)
  WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_replication_slots WHERE slot_name = $1)`;
/** An active slot is in use whatever we believe of it. */
const DROP = `SELECT pg_catalog.pg_drop_replication_slot(slot_name)
  FROM pg_catalog.pg_replication_slots WHERE slot_name = $1 AND NOT active`;
const ADVANCE = `SELECT pg_catalog.pg_replication_slot_advance(slot_name, $2::pg_catalog.pg_lsn)
  FROM pg_catalog.pg_replication_slots
  WHERE slot_name = $1 AND NOT active AND restart_lsn < $2::pg_catalog.pg_lsn`;

/** Makes the slots as ordered, one statement each; a refusal of one does not keep the others from being made. */
export async function changeSlots(
  session: Session,
  changes: SlotChanges,
  signal: AbortSignal,
): Promise<SqlResult> {
  const statements: readonly (readonly [string, readonly string[]])[] = [
    ...changes.drop.map((name) => [DROP, [name]] as const),
    ...changes.create.map((name) => [CREATE, [name]] as const),
    ...changes.advance.map(({ name, to }) => [ADVANCE, [name, printLsn(to)]] as const),
  ];
  const refusals: string[] = [];
  for (const [text, values] of statements) {
    const answer = await asResult(() => session.query(text, values, signal));
    if (answer.kind === "unknown") return answer;
    if (answer.kind === "refused") refusals.push(`${values[0]}: ${answer.why}`);
  }
  return refusals.length === 0 ? { kind: "done" } : { kind: "refused", why: refusals.join("; ") };
}

/** The three answers of a statement: done, refused by the server, or not known. Other errors pass through. */
export async function asResult(work: () => Promise<unknown>): Promise<SqlResult> {
  try {
    await work();
    return { kind: "done" };
  } catch (error) {
    if (error instanceof Refused) return { kind: "refused", why: error.message };
    if (error instanceof PostgresUnreachable) return { kind: "unknown", why: error.message };
    throw error;
  }
}
