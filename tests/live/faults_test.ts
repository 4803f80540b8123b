import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { liveTest } from "./live.ts";
import { type Cluster, planCluster } from "../../scripts/playground/cluster.ts";
import type { Member } from "../../scripts/playground/member.ts";
import { isAlive } from "../../scripts/playground/processes.ts";
import { pause, waitFor } from "../../scripts/playground/wait.ts";

const SMALL_DISK = Deno.env.get("AGENT_SMALL_DISK");

async function fileCount(folder: string): Promise<number> {
  return (await Array.fromAsync(Deno.readDir(folder))).length;
}

async function initdb(member: Member): Promise<void> {
  await Deno.mkdir(member.plan.folder, { recursive: true });
  const { code } = await new Deno.Command("initdb", {
    args: ["-D", member.dataDir, "-U", "postgres", "-N"],
    stdout: "null",
  }).output();
  equal(code, 0);
}

/** The agent is up, answers, and says that its server is not a member that serves. */
async function staysOut(member: Member): Promise<void> {
  await waitFor(`${member.name} up and out of service`, 30_000, async () => {
    const live = await member.rest("/liveness");
    const serving = await member.rest("/health");
    const fine = live.status === 200 && serving.status === 503;
    return { met: fine ? true : null, seen: `liveness ${live.status}, health ${serving.status}` };
  });
}

/** The leader keeps the lock and its pid while others misbehave. */
async function leaderUnmoved(cluster: Cluster, leader: Member): Promise<void> {
  await pause(6_000);
  equal((await cluster.waitForLeader(5_000)).name, leader.name);
}

liveTest(
  "a member with a wrong replication password stays out and says why",
  {
    members: ["a", "b"],
    overrides: (name) =>
      name === "a"
        ? {}
        : { postgresql: { authentication: { replication: { password: "wrong" } } } },
  },
  async (cluster) => {
    const leader = cluster.member("a");
    await leader.start();
    await cluster.waitForLeader(60_000);
    await cluster.member("b").start();
    await staysOut(cluster.member("b"));
    await leaderUnmoved(cluster, leader);
    const log = await Deno.readTextFile(cluster.member("b").logFile);
    ok(log.includes("password authentication failed"), log.slice(-2_000));
  },
);

liveTest(
  "B5 a data directory of another cluster is neither started nor changed",
  { members: ["a", "b"] },
  async (cluster) => {
    const leader = cluster.member("a");
    const stranger = cluster.member("b");
    await leader.start();
    await cluster.waitForLeader(60_000);
    await initdb(stranger);
    const before = await fileCount(stranger.dataDir);
    await stranger.start();
    await staysOut(stranger);
    await leaderUnmoved(cluster, leader);
    equal(await stranger.postmasterPid(), null);
    equal(await fileCount(stranger.dataDir), before);
  },
);

liveTest("an agent whose REST port is in use ends with an exit code", {
  members: ["a"],
}, async (cluster) => {
  const member = cluster.member("a");
  using taken = Deno.listen({ hostname: "127.0.0.1", port: member.plan.restPort });
  await member.start();
  await waitFor("the end of the agent", 20_000, async () => {
    const alive = await isAlive(member.agentPid ?? 0);
    return { met: alive ? null : true, seen: "it runs" };
  });
  const code = await member.agentEnd();
  ok(taken.addr.port > 0 && code > 0, `exit code ${code}`);
  const log = await Deno.readTextFile(member.logFile);
  ok(log.includes(String(member.plan.restPort)), log);
});

liveTest("a server whose port is in use is told and tried again", {
  members: ["a"],
}, async (cluster) => {
  const member = cluster.member("a");
  const taken = Deno.listen({ hostname: "127.0.0.1", port: member.plan.pgPort });
  await member.start();
  await pause(8_000);
  await staysOut(member);
  taken.close();
  await cluster.waitForLeader(60_000);
});

Deno.test({
  name: "a clone onto a full disk fails, says so and harms nobody",
  ignore: SMALL_DISK === undefined,
  fn: () => cloneOntoFullDisk(SMALL_DISK ?? ""),
});

async function cloneOntoFullDisk(disk: string): Promise<void> {
  const cluster = await planCluster({
    members: ["a", "b"],
    etcdMembers: 1,
    overrides: (name) => name === "a" ? {} : { postgresql: { data_dir: `${disk}/data` } },
  });
  try {
    const [leader, small] = [cluster.member("a"), cluster.member("b")];
    await leader.start();
    await cluster.waitForLeader(60_000);
    await leader.sql("CREATE TABLE big AS SELECT repeat('x', 500) FROM generate_series(1, 150000)");
    await small.start();
    await staysOut(small);
    await waitFor("the fault in the log", 60_000, async () => {
      const log = await Deno.readTextFile(small.logFile);
      return { met: /Cannot clone|No space/.test(log) ? true : null, seen: log.slice(-1_000) };
    });
    await leaderUnmoved(cluster, leader);
    notEqual(small.agentPid, null);
    deepEqual((await small.rest("/replica")).status, 503);
  } finally {
    await cluster.close();
    await Deno.remove(`${disk}/data`, { recursive: true }).catch(() => undefined);
  }
}
