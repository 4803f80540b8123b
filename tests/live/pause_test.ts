import { deepEqual, equal, ok } from "node:assert/strict";
import { liveTest, tell } from "./live.ts";
import type { Cluster } from "../../scripts/playground/cluster.ts";
import type { Member } from "../../scripts/playground/member.ts";
import { postgresBin } from "../../scripts/playground/member_file.ts";
import { processesIn } from "../../scripts/playground/processes.ts";
import { pause, waitFor } from "../../scripts/playground/wait.ts";
import { lostWrites, Writer } from "../../scripts/playground/writer.ts";

const TTL_MS = 10_000;

async function patronictl(member: Member, ...words: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("patronictl", {
    args: ["-c", member.configFile, ...words],
    env: { LC_ALL: "C.UTF-8" },
    signal: AbortSignal.timeout(60_000),
  }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  ok(success, text);
  return text;
}

async function paused(cluster: Cluster): Promise<Member> {
  await cluster.startMembers();
  const leader = await cluster.waitForStreaming(60_000);
  const text = await patronictl(leader, "pause", "--wait");
  ok(/Success: cluster management is paused/.test(text), text);
  await waitFor("a switch at rest", 10_000, async () => {
    const seen = JSON.stringify((await leader.rest("/patroni")).body["agent"] ?? null);
    return { met: seen.includes('"switch":{"armed":false') ? true : null, seen };
  });
  return leader;
}

async function resumed(cluster: Cluster, leader: Member): Promise<Member> {
  await patronictl(leader, "resume", "--wait");
  return await cluster.waitForStreaming(60_000);
}

liveTest(
  "A2 in maintenance mode clients write on without etcd and without the agent",
  { secure: true },
  async (cluster) => {
    const leader = await paused(cluster);
    await cluster.proxy.waitForWriter(leader.name, 10_000);
    const writer = new Writer(cluster.proxy.writePlace);
    writer.start();
    await pause(1_000);
    writer.resetGap();
    await cluster.etcd.kill(0);
    await pause(TTL_MS * 1.5);
    const { longestGapMs } = writer.report();
    await tell(`without etcd for ${TTL_MS * 1.5} ms: longest gap ${longestGapMs} ms`);
    ok(longestGapMs < 2_000, `gap of ${longestGapMs} ms`);
    await cluster.etcd.restart(0);
    await waitFor("the lock in its old hands", 20_000, async () => {
      const { body } = await leader.rest("/patroni");
      const seen = JSON.stringify(body["agent"] ?? null);
      return { met: seen.includes('"kind":"held"') ? true : null, seen };
    });

    leader.signalAgent("SIGTERM");
    equal(await leader.agentEnd(), 0);
    ok((await processesIn(leader.dataDir)).length > 0, "the server must go on");
    await pause(TTL_MS * 1.2);
    equal((await leader.sql("SELECT pg_is_in_recovery() AS yes"))[0]?.["yes"], false);
    await leader.start();
    equal((await resumed(cluster, leader)).name, leader.name);
    const { acknowledged } = await writer.stop();
    deepEqual(await lostWrites(acknowledged, (text) => leader.sql(text)), []);
  },
);

liveTest(
  "D24 in maintenance mode a dead server stays down until it is started by hand",
  {},
  async (cluster) => {
    const leader = await paused(cluster);
    await leader.killPostmaster();
    await pause(TTL_MS * 1.2);
    equal(await cluster.leader(), null);
    const { stderr, success } = await new Deno.Command(`${postgresBin()}/pg_ctl`, {
      args: ["start", "-w", "-D", leader.dataDir, "-l", `${leader.plan.folder}/by_hand.log`],
      stdout: "null",
      signal: AbortSignal.timeout(30_000),
    }).output();
    ok(success, new TextDecoder().decode(stderr));
    await cluster.waitForLeader(20_000, ({ name }) => name === leader.name);
    equal((await resumed(cluster, leader)).name, leader.name);
  },
);

liveTest(
  "E20 a replica that was promoted by hand in maintenance mode rejoins after it",
  {},
  async (cluster) => {
    const leader = await paused(cluster);
    const replica = cluster.members.find(({ name }) => name !== leader.name);
    ok(replica !== undefined);
    await replica.sql("SELECT pg_promote()");
    await pause(5_000);
    equal((await cluster.leader())?.name, leader.name);
    equal((await replica.sql("SELECT pg_is_in_recovery() AS yes"))[0]?.["yes"], false);
    equal((await resumed(cluster, leader)).name, leader.name);
  },
);
