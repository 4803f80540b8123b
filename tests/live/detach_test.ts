import { deepEqual, equal, ok } from "node:assert/strict";
import { runAgentCommand } from "../../scripts/playground/agent_program.ts";
import { processesIn } from "../../scripts/playground/processes.ts";
import { switchOf } from "../../scripts/playground/switch.ts";
import { pause, waitFor } from "../../scripts/playground/wait.ts";
import { lostWrites, Writer } from "../../scripts/playground/writer.ts";
import { liveTest, tell } from "./live.ts";

liveTest(
  "an agent that is detached hands server, lock and switch to the next one",
  { secure: true },
  async (cluster) => {
    await cluster.startMembers();
    const leader = await cluster.waitForStreaming(60_000);
    await cluster.proxy.waitForWriter(leader.name, 10_000);
    const [postmaster, deadMan] = [await leader.postmasterPid(), await switchOf(leader.dataDir)];
    const writer = new Writer(cluster.proxy.writePlace);
    writer.start();
    await pause(1_000);
    writer.resetGap();

    const { code, stdout, stderr } = await runAgentCommand(["detach", "-c", leader.configFile]);
    equal(code, 0, stderr);
    await tell(stdout.trim());
    equal(await leader.agentEnd(), 0);
    await leader.start();
    await waitFor("the lock in its old hands", 8_000, async () => {
      const { status } = await leader.rest("/primary");
      return { met: status === 200 ? true : null, seen: `${status}` };
    });

    equal(await leader.postmasterPid(), postmaster);
    equal((await switchOf(leader.dataDir))?.pid, deadMan?.pid);
    const { longestGapMs, acknowledged } = await writer.stop();
    await tell(`longest gap ${longestGapMs} ms`);
    ok(longestGapMs < 3_000, `gap of ${longestGapMs} ms`);
    deepEqual(await lostWrites(acknowledged, (text) => leader.sql(text)), []);
  },
);

liveTest(
  "a detached server without a next agent is fenced before its lease ends",
  {},
  async (cluster) => {
    await cluster.startMembers();
    const leader = await cluster.waitForStreaming(60_000);
    const { code, stderr } = await runAgentCommand(["detach", "-c", leader.configFile]);
    equal(code, 0, stderr);
    equal(await leader.agentEnd(), 0);
    const next = await cluster.waitForLeader(30_000, ({ name }) => name !== leader.name);
    deepEqual(await processesIn(leader.dataDir), []);
    await leader.start();
    equal((await cluster.waitForStreaming(60_000)).name, next.name);
  },
);

liveTest(
  "a new agent takes up a lease of 5 s, although its file says 30",
  { members: ["a"], dcs: { ttl: 30, loop_wait: 5, retry_timeout: 5 } },
  async (cluster) => {
    await cluster.startMembers();
    const leader = await cluster.waitForLeader(60_000);
    const postmaster = await leader.postmasterPid();
    const body = JSON.stringify({ ttl: 5, loop_wait: 1, retry_timeout: 2 });
    const reply = await leader.ask("/config", { method: "PATCH", body });
    equal(reply.status, 200);
    await reply.body?.cancel();
    await pause(6_000); // the lease of 30 s is replaced
    await leader.killAgent();
    await leader.start();
    await waitFor("the lock in its old hands", 8_000, async () => {
      const { status } = await leader.rest("/primary");
      return { met: status === 200 ? true : null, seen: `${status}` };
    });
    await pause(6_000);
    equal(await leader.postmasterPid(), postmaster);
  },
);
