import type { Member } from "../../../scripts/playground/member.ts";
import { postgresBin } from "../../../scripts/playground/member_file.ts";
import { waitFor } from "../../../scripts/playground/wait.ts";

// Each within the deadline of a query, also where three clusters are filled at once.
const CHUNKS = 16;
// An index in random order makes the redo slower than the writing of it.
const FILL = `INSERT INTO filler
  SELECT md5(random()::text || g) || repeat('x', 100) FROM generate_series(1, 10000) AS g`;

/** Writes much WAL on a leader, and waits until the standbys have replayed it: only the leader is to be busy. */
export async function fillWal(leader: Member, standbys: number): Promise<void> {
  await leader.sql("DROP TABLE IF EXISTS filler");
  await leader.sql("CREATE TABLE filler (t text)");
  await leader.sql("CREATE INDEX ON filler (t)");
  for (let chunk = 0; chunk < CHUNKS; chunk++) await leader.sql(FILL);
  const end = (await leader.sql("SELECT pg_current_wal_lsn()::text AS lsn"))[0]?.["lsn"];
  await waitFor("standbys that have replayed it", 30_000, async () => {
    const rows = await leader.sql(
      `SELECT count(*)::int AS n FROM pg_stat_replication WHERE replay_lsn >= '${end}'`,
    );
    return { met: Number(rows[0]?.["n"]) >= standbys ? true : null, seen: JSON.stringify(rows) };
  });
}

/** Waits until the server is in crash recovery by its control file. */
export async function recovering(member: Member): Promise<void> {
  await waitFor("crash recovery", 10_000, async () => {
    const seen = await stateOf(member);
    return { met: seen === "in crash recovery" ? true : null, seen };
  });
}

async function stateOf(member: Member): Promise<string> {
  const { stdout } = await new Deno.Command(`${postgresBin()}/pg_controldata`, {
    args: ["-D", member.dataDir],
    env: { LC_ALL: "C" },
    signal: AbortSignal.timeout(10_000),
  }).output();
  const text = new TextDecoder().decode(stdout);
  return /cluster state:\s*(.*)/.exec(text)?.[1] ?? text;
}
