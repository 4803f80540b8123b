import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { processesIn, readOrNull, signalPid } from "../../scripts/playground/processes.ts";
import { ordersIn, switchOf } from "../../scripts/playground/switch.ts";
import { pause, waitFor } from "../../scripts/playground/wait.ts";
import { liveTest, tell } from "./live.ts";

liveTest(
  "a killed switch is replaced while the leader goes on",
  { members: ["a"] },
  async (cluster) => {
    await cluster.startMembers();
    const leader = await cluster.waitForLeader(60_000);
    const before = await switchOf(leader.dataDir);
    ok(before !== null);
    signalPid(before.pid, "SIGKILL");
    await waitFor("another switch", 5_000, async () => {
      const found = await switchOf(leader.dataDir);
      return {
        met: found !== null && found.pid !== before.pid ? true : null,
        seen: `${found?.pid}`,
      };
    });
    await pause(12_000);
    equal((await leader.rest("/primary")).status, 200);
  },
);

liveTest("a bootstrap whose agent is killed leaves no writable server", {
  members: ["a"],
}, async (cluster) => {
  const member = cluster.member("a");
  await member.start();
  await waitFor("the first server", 60_000, async () => {
    const text = await readOrNull(`${member.dataDir}/postmaster.pid`) ?? "";
    return { met: /^\d[^]*\bready\b/.test(text) ? true : null, seen: text };
  });
  await member.killAgent();
  const endsMs = (await ordersIn((await switchOf(member.dataDir))?.folder ?? ""))?.endsMs ?? 0;
  await waitFor("the end of the server", 20_000, async () => {
    const left = await processesIn(member.dataDir);
    return { met: left.length === 0 ? true : null, seen: `${left.length} processes` };
  });
  await tell(`fenced ${Math.round(endsMs - systemClock.bootMs())} ms before the lease's end`);
  ok(systemClock.bootMs() < endsMs);
  await member.start();
  await cluster.waitForLeader(60_000);
});

liveTest("an agent that is told to end leaves neither server nor switch", {
  members: ["a"],
}, async (cluster) => {
  const member = cluster.member("a");
  await member.start();
  await cluster.waitForLeader(60_000);
  const before = await switchOf(member.dataDir);
  notEqual(before, null);
  member.signalAgent("SIGTERM");
  equal(await member.agentEnd(), 0);
  deepEqual(await processesIn(member.dataDir), []);
  await waitFor("the end of the switch", 3_000, async () => {
    const found = await switchOf(member.dataDir);
    return { met: found === null ? true : null, seen: `${found?.pid}` };
  });
  equal(await readOrNull(`${before?.folder}/state`), null);
});
