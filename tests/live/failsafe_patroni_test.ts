import { equal } from "node:assert/strict";
import { listed, switchover } from "./failsafe.ts";
import { liveTest } from "./live.ts";
import { pause } from "../../scripts/playground/wait.ts";

liveTest(
  "C1 in failsafe mode an agent and the distribution's Patroni consent to each other, whoever leads",
  { patroni: ["c"], dcs: { failsafe_mode: true, ttl: 20, loop_wait: 5, retry_timeout: 5 } },
  async (cluster) => {
    const theirs = cluster.member("c");
    await Promise.all(["a", "b"].map((name) => cluster.member(name).start()));
    const ours = await cluster.waitForStreaming(60_000, 1);
    await theirs.start();
    await cluster.proxy.start();
    await cluster.waitForStreaming(60_000, 2);
    for (const leader of [ours, theirs]) {
      if (leader === theirs) await switchover(ours, theirs);
      equal((await cluster.waitForStreaming(60_000)).name, leader.name);
      await listed(cluster);
      await cluster.etcd.kill(0);
      await pause(45_000);
      equal((await cluster.leader())?.name, leader.name, await cluster.summary());
      await cluster.etcd.restart(0);
      equal((await cluster.waitForStreaming(60_000)).name, leader.name);
      await pause(22_000); // Patroni 3.0 keeps its promise for a ttl, whoever leads meanwhile
    }
  },
);
