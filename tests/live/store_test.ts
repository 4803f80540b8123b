import { deepEqual, equal, ok } from "node:assert/strict";
import { liveTest, tell, waitForReadOnly } from "./live.ts";
import type { Cluster } from "../../scripts/playground/cluster.ts";
import type { Member } from "../../scripts/playground/member.ts";
import { pause } from "../../scripts/playground/wait.ts";
import { lostWrites, Writer } from "../../scripts/playground/writer.ts";

const TTL_MS = 10_000;

/** Signals that the switch of a member has sent, as its metrics count them. */
async function firings(member: Member): Promise<readonly string[]> {
  const text = await (await member.ask("/metrics", {}, 5_000)).text();
  const lines = text.split("\n").filter((line) => line.startsWith("agent_switch_firings{"));
  equal(lines.length, 4);
  return lines.filter((line) => !line.endsWith(" 0"));
}

liveTest(
  "without etcd the primary stops writing before its lease ends",
  { secure: true },
  async (cluster) => {
    await cluster.startMembers();
    const leader = await cluster.waitForStreaming(60_000);
    const began = performance.now();
    await cluster.etcd.kill(0);
    await waitForReadOnly(leader, TTL_MS);
    await tell(`read-only ${Math.round(performance.now() - began)} ms after etcd died, ttl 10`);
    await pause(2_000);
    equal(await cluster.leader(), null);
    deepEqual(await firings(leader), []); // its own agent was in time
    await cluster.etcd.restart(0);
    await cluster.waitForStreaming(60_000);
  },
);

liveTest(
  "A9 clients notice nothing of one stopped etcd member of three, the leader included",
  { etcdMembers: 3 },
  async (cluster) => {
    await cluster.startMembers();
    const leader = await cluster.waitForStreaming(60_000);
    await cluster.proxy.waitForWriter(leader.name, 10_000);
    const writer = new Writer(cluster.proxy.writePlace);
    writer.start();
    await pause(1_000);
    writer.resetGap();
    const etcdLeader = await cluster.etcd.leader();
    for (const victim of [etcdLeader, (etcdLeader + 1) % 3]) {
      cluster.etcd.stop(victim);
      await pause(TTL_MS * 1.5);
      cluster.etcd.cont(victim);
      await pause(2_000);
    }
    const { longestGapMs, acknowledged } = await writer.stop();
    await tell(`longest gap with one of three etcd members stopped: ${longestGapMs} ms`);
    equal((await cluster.waitForLeader(2_000)).name, leader.name);
    deepEqual(await lostWrites(acknowledged, (text) => leader.sql(text)), []);
    ok(longestGapMs < 2_000, `gap of ${longestGapMs} ms`);
  },
);

liveTest(
  "A26 nobody demotes while the members of etcd restart one after another",
  { etcdMembers: 3, secure: true },
  async (cluster) => {
    await cluster.startMembers();
    const leader = await cluster.waitForStreaming(60_000);
    await cluster.proxy.waitForWriter(leader.name, 10_000);
    const writer = new Writer(cluster.proxy.writePlace);
    writer.start();
    await pause(1_000);
    writer.resetGap();
    for (const victim of [0, 1, 2]) {
      await cluster.etcd.restart(victim);
      await pause(3_000); // it has to find its peers before the next one goes
    }
    const { longestGapMs, acknowledged } = await writer.stop();
    await tell(`longest gap while all of etcd restarted: ${longestGapMs} ms`);
    equal((await cluster.waitForLeader(5_000)).name, leader.name);
    deepEqual(await lostWrites(acknowledged, (text) => leader.sql(text)), []);
    ok(longestGapMs < 2_000, `gap of ${longestGapMs} ms`);
  },
);

liveTest("garbage in every key stops no running primary", {}, async (cluster) => {
  await cluster.startMembers();
  const leader = await cluster.waitForStreaming(60_000);
  await leader.sql("CREATE TABLE kept AS SELECT 1 AS one");
  for (const key of ["config", "status", "failover", "history", "sync", "failsafe", "members/x"]) {
    await putKey(cluster, `/service/demo/${key}`, "{garbage");
  }
  await pause(TTL_MS);
  equal((await cluster.waitForStreaming(20_000)).name, leader.name);
  for (const key of ["initialize", "leader"]) {
    await putKey(cluster, `/service/demo/${key}`, "{garbage");
  }
  await pause(TTL_MS * 1.5);
  const data = await Promise.all(cluster.members.map((member) => Deno.stat(member.dataDir)));
  ok(data.every((entry) => entry.isDirectory));
  ok(cluster.members.every((member) => member.agentPid !== null));
});

async function putKey({ etcd }: Cluster, key: string, value: string): Promise<void> {
  await etcd.ask("kv/put", { key: btoa(key), value: btoa(value) });
}
