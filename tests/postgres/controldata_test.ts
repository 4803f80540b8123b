import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { parseLsn } from "../../lib/core/lsn.ts";
import { parseControlData } from "../../lib/postgres/controldata.ts";
import { readControlData } from "../../lib/postgres/pg_ctl.ts";

const SAMPLE = `WARNING: something odd
pg_control version number:            1300
Database system identifier:           7290000000000000001
Database cluster state:               shut down in recovery
Latest checkpoint location:           0/3000060
Latest checkpoint's TimeLineID:       2
Minimum recovery ending location:     0/30000D8
Min recovery ending loc's timeline:   2
max_connections setting:              100
max_worker_processes setting:         8
max_wal_senders setting:              10
max_prepared_xacts setting:           0
max_locks_per_xact setting:           64
`;

Deno.test("D9 parseControlData() reads what rules need between other lines", () => {
  deepStrictEqual(parseControlData(SAMPLE), {
    systemId: "7290000000000000001",
    state: "shut down in recovery",
    timeline: 2,
    checkpointLsn: parseLsn("0/3000060"),
    minRecovery: { lsn: parseLsn("0/30000D8"), timeline: 2 },
    segmentBytes: 16777216n,
    settings: {
      max_connections: "100",
      max_worker_processes: "8",
      max_wal_senders: "10",
      max_prepared_transactions: "0",
      max_locks_per_transaction: "64",
    },
  });
});

Deno.test("parseControlData() knows no minimum recovery end of zero", () => {
  const text = SAMPLE.replace("0/30000D8", "0/0");
  strictEqual(parseControlData(text)?.minRecovery, null);
});

Deno.test("D9 parseControlData() refuses an answer that lacks a part", () => {
  strictEqual(parseControlData(SAMPLE.replace(/^Database system.*$/m, "")), null);
  strictEqual(parseControlData(""), null);
});

/** Asks a program of these lines, or one that is not there. */
async function readFrom(script: string | null): ReturnType<typeof readControlData> {
  const binDir = await Deno.makeTempDir();
  try {
    if (script !== null) {
      await Deno.writeTextFile(`${binDir}/pg_controldata`, `#!/bin/sh\n${script}`, { mode: 0o755 });
    }
    const programs = { binDir, binName: {}, dataDir: `${binDir}/data` };
    return await readControlData(programs, AbortSignal.timeout(10_000));
  } finally {
    await Deno.remove(binDir, { recursive: true });
  }
}

Deno.test("D9 readControlData() reads an answer with warnings on both outputs", async () => {
  const answer = await readFrom(`echo "WARNING: odd" >&2\ncat <<'END'\n${SAMPLE}END\n`);
  strictEqual("fault" in answer ? answer.fault : answer.state, "shut down in recovery");
});

for (
  const { what, script, words = "", unproven } of [
    { what: "is missing", script: null, unproven: true },
    { what: "says nothing", script: "exit 0", unproven: true },
    { what: "is killed", script: "kill -9 $$", unproven: true },
    {
      what: "fails, though it has answered",
      script: `cat <<'END'\n${SAMPLE}END\necho "no such file" >&2\nexit 1`,
      words: "no such file",
      unproven: undefined,
    },
  ]
) {
  Deno.test(`D9 readControlData() tells a fault, no state, when the program ${what}`, async () => {
    const answer = await readFrom(script);
    ok("fault" in answer && answer.fault.includes(words));
    strictEqual(answer.unproven, unproven);
  });
}
