import { deepEqual, equal, ok } from "node:assert/strict";
import { listed, switchover } from "./failsafe.ts";
import { liveTest, tell, waitForReadOnly } from "./live.ts";
import type { Cluster } from "../../scripts/playground/cluster.ts";
import type { Member } from "../../scripts/playground/member.ts";
import { pause, waitFor } from "../../scripts/playground/wait.ts";
import { lostWrites, Writer } from "../../scripts/playground/writer.ts";

const TTL_MS = 10_000;
const dcs = { failsafe_mode: true };

/** Who shows failsafe mode as active, in `/patroni` and in `/metrics`. */
async function active(cluster: Cluster): Promise<readonly string[]> {
  const shown = await Promise.all(cluster.members.map(async (member) => {
    const { body } = await member.rest("/patroni");
    const text = await (await member.ask("/metrics", {}, 5_000)).text();
    const counts = /^patroni_failsafe_mode_is_active\{[^}]*\} 1$/m.test(text);
    equal(body["failsafe_mode_is_active"] === true, counts);
    return counts ? [member.name] : [];
  }));
  return shown.flat();
}

/** What is done to the store. */
interface Outage {
  readonly title: string;
  readonly begin: () => Promise<void> | void;
  readonly end: () => Promise<void> | void;
}

/** Clients write on through each of the outages, of two and a half ttl; the leader stays, and no write is lost. */
async function outliveAll(cluster: Cluster, outages: readonly Outage[]): Promise<void> {
  await cluster.startMembers();
  const leader = await listed(cluster);
  const writer = new Writer(cluster.proxy.writePlace);
  writer.start();
  for (const outage of outages) {
    await pause(1_000);
    writer.resetGap();
    await outlive(cluster, leader, outage);
    const { longestGapMs } = writer.report();
    await tell(`etcd ${outage.title} for 25 s, ttl 10: longest gap ${longestGapMs} ms`);
    ok(longestGapMs < 2_000, `gap of ${longestGapMs} ms`);
  }
  const { acknowledged } = await writer.stop();
  equal((await leader.rest("/patroni")).body["timeline"], 1);
  deepEqual(await lostWrites(acknowledged, (text) => leader.sql(text)), []);
}

async function outlive(cluster: Cluster, leader: Member, fault: Outage): Promise<void> {
  await fault.begin();
  await pause(TTL_MS * 2.5);
  deepEqual(await active(cluster), cluster.members.map(({ name }) => name));
  await fault.end();
  await waitFor(`the proof of the store after etcd was ${fault.title}`, 20_000, async () => {
    const { body } = await leader.rest("/patroni");
    const seen = JSON.stringify(body["agent"] ?? null);
    return { met: body["failsafe_mode_is_active"] === undefined ? true : null, seen };
  });
  await pause(TTL_MS / 2); // whoever wanted to race would have done it
  equal((await cluster.waitForStreaming(20_000)).name, leader.name);
}

function killed({ etcd }: Cluster): Outage {
  return { title: "killed", begin: () => etcd.kill(0), end: () => etcd.restart(0) };
}

function stopped({ etcd }: Cluster): Outage {
  return { title: "stopped", begin: () => etcd.stop(0), end: () => etcd.cont(0) };
}

liveTest(
  "C1 C3 C11 in failsafe mode clients notice nothing of an etcd that is killed, and then of one that hangs",
  { dcs, secure: true },
  async (cluster) => await outliveAll(cluster, [killed(cluster), stopped(cluster)]),
);

liveTest(
  "C4 in failsafe mode a switchover after an outage is not held up, and its winner outlives the next outage",
  { dcs, secure: true },
  async (cluster) => {
    await cluster.startMembers();
    const leader = await listed(cluster);
    await cluster.etcd.kill(0);
    await pause(TTL_MS * 1.2);
    await cluster.etcd.restart(0);
    equal((await cluster.waitForStreaming(20_000)).name, leader.name);
    const [winner] = cluster.members.filter(({ name }) => name !== leader.name);
    ok(winner !== undefined);
    const began = performance.now();
    await switchover(leader, winner);
    const tookMs = Math.round(performance.now() - began);
    await tell(`switchover right after an outage: ${tookMs} ms`);
    ok(tookMs < TTL_MS / 2, `${tookMs} ms`);
    equal((await cluster.waitForStreaming(30_000)).name, winner.name);
    await listed(cluster);
    await cluster.etcd.kill(0);
    await pause(TTL_MS * 1.5);
    equal((await cluster.leader())?.name, winner.name);
    await cluster.etcd.restart(0);
    equal((await cluster.waitForStreaming(20_000)).name, winner.name);
  },
);

liveTest(
  "C2 in failsafe mode the primary stops in time when a member does not answer",
  { dcs },
  async (cluster) => {
    await cluster.startMembers();
    const leader = await listed(cluster);
    const [victim] = cluster.members.filter(({ name }) => name !== leader.name);
    cluster.etcd.stop(0);
    await pause(TTL_MS * 1.2);
    equal((await cluster.leader())?.name, leader.name);
    const began = performance.now();
    await victim?.killAll();
    await waitForReadOnly(leader, TTL_MS);
    await tell(`read-only ${Math.round(performance.now() - began)} ms after a member died, ttl 10`);
    await pause(2_000);
    equal(await cluster.leader(), null);
    cluster.etcd.cont(0);
    await victim?.start();
    await cluster.waitForStreaming(60_000);
  },
);

liveTest(
  "C6 in failsafe mode a cluster of one writes on without etcd",
  { members: ["a"], dcs },
  async (cluster) => await outliveAll(cluster, [killed(cluster)]),
);
