import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import type { Member } from "../../scripts/playground/member.ts";
import { readOrNull, signalPid } from "../../scripts/playground/processes.ts";
import { switchOf } from "../../scripts/playground/switch.ts";
import { timed, waitFor } from "../../scripts/playground/wait.ts";
import { liveTest, tell } from "./live.ts";

/** Agent and switch are gone and its server goes on: only then a former primary can have writes of its own. */
async function abandon(member: Member): Promise<void> {
  await member.killAgent();
  const guard = await switchOf(member.dataDir);
  ok(guard !== null);
  signalPid(guard.pid, "SIGKILL");
}

async function workMem(member: Member, wanted: string): Promise<void> {
  await waitFor(`work_mem of ${member.name}`, 20_000, async () => {
    const [row] = await member.sql("SHOW work_mem");
    return { met: row?.["work_mem"] === wanted ? true : null, seen: String(row?.["work_mem"]) };
  });
}

async function inodeOf(path: string): Promise<number | null> {
  return (await Deno.stat(path)).ino;
}

liveTest("a forked former primary comes back by pg_rewind, and files follow the roles", {
  members: ["a", "b"],
  secure: true,
  dcs: {
    postgresql: {
      use_pg_rewind: true,
      parameters_primary: { work_mem: "5MB" },
      parameters_replica: { work_mem: "3MB" },
    },
  },
}, async (cluster) => {
  await cluster.startMembers();
  const old = await cluster.waitForStreaming(60_000);
  const next = cluster.members.find((member) => member !== old) ?? old;
  await workMem(old, "5MB");
  await workMem(next, "3MB");
  await old.sql("CREATE TABLE t AS SELECT generate_series(1, 1000) AS n");
  await cluster.waitForStreaming(10_000);

  await abandon(old);
  await cluster.waitForLeader(30_000, (member) => member === next);
  await workMem(next, "5MB");
  await old.sql("INSERT INTO t VALUES (-1)");
  await next.sql("INSERT INTO t VALUES (2000)");
  const before = await inodeOf(`${old.dataDir}/PG_VERSION`);

  const tookMs = await timed(async () => {
    await old.start();
    await cluster.waitForStreaming(60_000);
  });
  await tell(`a forked former primary streams again after ${tookMs} ms`);
  await workMem(old, "3MB");
  const ofOld = await old.sql("SELECT count(*)::int AS n, min(n) AS least FROM t");
  deepEqual(ofOld, [{ n: 1001, least: 1 }]);
  equal(await inodeOf(`${old.dataDir}/PG_VERSION`), before, "it was not copied");
  equal(await readOrNull(`${old.dataDir}.diverged/PG_VERSION`), null);
  match(
    await Deno.readTextFile(old.logFile),
    /WARNING: Task rewind: given up what only this member had, [^\n]* 1 transaction committed there/,
  );
  notEqual((await Array.fromAsync(Deno.readDir(`${old.dataDir}.rewound`))).length, 0);
});
