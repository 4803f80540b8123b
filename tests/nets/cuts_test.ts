import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import type { Cluster } from "../../scripts/playground/cluster.ts";
import { pause, waitFor } from "../../scripts/playground/wait.ts";
import { tell } from "../live/live.ts";
import { netTest, type Scene, STORE, TTL_MS } from "./laboratory.ts";
import { cutOff, endedInTime, figures, heal, lostOf, ready, type Start, WAYS } from "./steps.ts";
import { type Commit, turnsOf } from "../../scripts/playground/watch.ts";

/** The leader, cut off already, must stop before its lease ends; another one leads, the healed cluster is whole. */
async function leaderFalls(scene: Scene, start: Start): Promise<readonly Commit[]> {
  const { watch } = scene;
  const { leader, lease, beganMs } = start;
  const first = await watch.next("writes elsewhere", 30_000, (one) => one.member !== leader.name);
  await pause(2_000); // time for a commit on the old server that must not come
  const story = await lease.stop();
  const mine = watch.since(beganMs).filter(({ member }) => member === leader.name);
  const healed = await heal(scene);
  deepEqual(turnsOf(watch.since(beganMs)), [leader.name, first.member]);
  equal(healed.leader.name, first.member);
  endedInTime(mine, story);
  const lost = await lostOf(healed.leader, mine);
  await tell(
    `${figures(mine, story, beganMs)}; first write elsewhere ${
      first.atMs - story.endsMs
    } after it;` +
      ` lost ${lost.length} of ${mine.length} since the cut; healed in ${healed.tookMs} ms`,
  );
  return lost;
}

/** Looks at every member's REST API until told to stop; returns the most primaries seen at once. */
async function mostPrimaries(cluster: Cluster, isWanted: () => boolean): Promise<number> {
  let most = 0;
  while (isWanted()) {
    const answers = await Promise.all(cluster.members.map((member) => member.rest("/patroni")));
    most = Math.max(most, answers.filter(({ body }) => body["role"] === "primary").length);
    await pause(50);
  }
  return most;
}

for (const [name, way] of Object.entries(WAYS)) {
  netTest(
    `B1 the primary loses etcd only, ${name}: it ends before another leads`,
    async (scene) => {
      const start = await ready(scene);
      let isWanted = true;
      const looking = mostPrimaries(scene.cluster, () => isWanted);
      await cutOff(scene, start.leader.name, STORE, way);
      const lost = await leaderFalls(scene, start).finally(() => isWanted = false);
      equal(await looking, 1);
      deepEqual(lost, []); // the standbys stream until its fast stop has ended
    },
  );
}

for (const [name, way] of Object.entries(WAYS)) {
  netTest(`B24 the primary loses the members only, ${name}: it leads on`, async (scene) => {
    const { leader, others, lease, beganMs } = await ready(scene);
    await cutOff(scene, leader.name, others, way);
    await waitFor("renewals over two leases", 4 * TTL_MS, () => {
      const overMs = lease.story.endsMs - beganMs;
      const seen = `lease until ${overMs} ms after the cut`;
      return Promise.resolve({ met: overMs > 3 * TTL_MS ? true : null, seen });
    });
    await scene.watch.next("writes while cut off", 5_000, ({ member }) => member === leader.name);
    const healed = await heal(scene);
    equal(healed.leader, leader);
    equal((await lease.stop()).goneMs, null);
    const commits = scene.watch.since(beganMs);
    deepEqual(turnsOf(commits), [leader.name]);
    deepEqual(await lostOf(leader, commits), []);
    await tell(`lost 0 of ${commits.length}; healed in ${healed.tookMs} ms`);
  });
}

for (const [name, way] of Object.entries(WAYS)) {
  netTest(`B23 the primary loses everybody, ${name}: another one leads`, async (scene) => {
    const start = await ready(scene);
    await cutOff(scene, start.leader.name, [...STORE, ...start.others], way);
    const cutMs = systemClock.bootMs();
    const lost = await leaderFalls(scene, start);
    // Asynchronous: what is acknowledged while no standby hears of it may be lost, and nothing else.
    deepEqual(lost.filter(({ atMs }) => atMs < start.beganMs), []);
    ok(cutMs - start.beganMs < 1_000, `the cut took ${cutMs - start.beganMs} ms`);
    notEqual((await scene.cluster.waitForLeader(5_000)).name, start.leader.name);
  });
}

netTest(
  "A1 nobody writes while etcd has no quorum, and one leads again after it",
  async (scene) => {
    const { leader, lease, beganMs } = await ready(scene);
    const everybody = [...scene.cluster.members.map(({ name }) => name), ...STORE];
    for (const lonely of ["e0", "e1"]) await cutOff(scene, lonely, everybody, WAYS["both ways"]);
    await waitFor("two seconds after the lease", 20_000, () => {
      const overMs = systemClock.bootMs() - lease.story.endsMs;
      return Promise.resolve({ met: overMs > 2_000 ? true : null, seen: `${overMs} ms after it` });
    });
    const story = await lease.stop();
    const before = scene.watch.since(beganMs);
    const silentMs = systemClock.bootMs();
    deepEqual(turnsOf(before), [leader.name]);
    endedInTime(before, story);
    const healed = await heal(scene);
    deepEqual(turnsOf(scene.watch.since(silentMs)), [healed.leader.name]);
    deepEqual(await lostOf(healed.leader, scene.watch.since(beganMs)), []);
    await tell(
      `${
        figures(before, story, beganMs)
      }; lost 0 of ${before.length}; healed in ${healed.tookMs} ms`,
    );
  },
);

netTest("A9 the primary loses one etcd member after the other: it leads on", async (scene) => {
  const { leader, lease, beganMs } = await ready(scene);
  for (const lonely of STORE) {
    const cutMs = systemClock.bootMs();
    await cutOff(scene, leader.name, [lonely], WAYS["both ways"]);
    await waitFor("renewals over a lease", 4 * TTL_MS, () => {
      const overMs = lease.story.endsMs - cutMs;
      return Promise.resolve({ met: overMs > 2 * TTL_MS ? true : null, seen: `until ${overMs}` });
    });
    await scene.network.heal();
  }
  const commits = scene.watch.since(beganMs);
  deepEqual(turnsOf(commits), [leader.name]);
  equal((await lease.stop()).goneMs, null);
  const gaps = commits.slice(1).map(({ atMs }, index) => atMs - (commits[index]?.atMs ?? 0));
  await tell(`longest gap of ${commits.length} writes: ${Math.max(...gaps)} ms`);
  ok(Math.max(...gaps) < 1_000);
});

netTest("a switchover waits for no replica that is silently cut off", async (scene) => {
  const { leader, others: [candidate = "", lonely = ""], beganMs, lease } = await ready(scene);
  await cutOff(scene, leader.name, [lonely], WAYS["both ways"]);
  const body = JSON.stringify({ leader: leader.name, candidate });
  const response = await leader.ask("/switchover", { method: "POST", body });
  equal(response.status, 200, await response.text());
  const first = await scene.watch.next("writes elsewhere", 20_000, ({ member }) => {
    return member !== leader.name;
  });
  equal(first.member, candidate);
  const next = await scene.cluster.waitForStreaming(90_000);
  const backMs = systemClock.bootMs();
  equal(next.name, candidate);
  const story = await lease.stop();
  const mine = scene.watch.since(beganMs).filter(({ member }) => member === leader.name);
  const lastMs = mine.at(-1)?.atMs ?? 0;
  deepEqual(turnsOf(scene.watch.since(beganMs)), [leader.name, candidate]);
  deepEqual(await lostOf(next, mine), []);
  ok(first.atMs - lastMs < TTL_MS);
  await tell(
    `gap ${first.atMs - lastMs} ms; old server gone ${
      (story.goneMs ?? 0) - lastMs
    } ms and back as a` +
      ` replica ${backMs - lastMs} ms after the last write; lost 0 of ${mine.length}`,
  );
  await heal(scene);
});
