import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { liveTest, tell } from "./live.ts";
import { runAgentCommand } from "../../scripts/playground/agent_program.ts";
import type { Cluster } from "../../scripts/playground/cluster.ts";
import type { Member } from "../../scripts/playground/member.ts";
import { isAlive, processesIn } from "../../scripts/playground/processes.ts";
import { connect } from "../../scripts/playground/sql.ts";
import { pause, waitFor } from "../../scripts/playground/wait.ts";
import { lostWrites, Writer } from "../../scripts/playground/writer.ts";

/** A streaming cluster behind HAProxy with a client that writes. */
async function writing(cluster: Cluster): Promise<{ leader: Member; writer: Writer }> {
  await cluster.startMembers();
  const leader = await cluster.waitForStreaming(60_000);
  await cluster.proxy.waitForWriter(leader.name, 10_000);
  const writer = new Writer(cluster.proxy.writePlace);
  writer.start();
  await writesGoOn(writer);
  writer.resetGap();
  return { leader, writer };
}

async function writesGoOn(writer: Writer): Promise<void> {
  const before = writer.report().acknowledged.length;
  await waitFor("writes going on", 20_000, () => {
    const more = writer.report().acknowledged.length - before;
    return Promise.resolve({ met: more >= 20 ? true : null, seen: `${more} more` });
  });
}

liveTest("agent failover moves writes to the member it names", {}, async (cluster) => {
  const { leader, writer } = await writing(cluster);
  const target = cluster.members.find((member) => member !== leader) ?? leader;
  const args = ["--leader", leader.name, "--member", target.name, "--force"];
  const result = await runAgentCommand(["failover", "-c", leader.configFile, ...args]);
  equal(result.code, 0, `${result.stdout}${result.stderr}`);
  await cluster.proxy.waitForWriter(target.name, 10_000);
  await cluster.waitForStreaming(30_000);
  await writesGoOn(writer);
  const { acknowledged, longestGapMs } = await writer.stop();
  await tell(`longest gap of a planned failover: ${longestGapMs} ms`);
  deepEqual(await lostWrites(acknowledged, (text) => target.sql(text)), []);
  equal((await leader.rest("/replica")).status, 200);
});

liveTest(
  "agent failover goes to the member it names when the leader is dead",
  { secure: true },
  async (cluster) => {
    const { leader, writer } = await writing(cluster);
    const [target, asked] = cluster.members.filter((member) => member !== leader);
    ok(target !== undefined && asked !== undefined);
    await leader.killAll();
    const args = ["--leader", leader.name, "--member", target.name, "--force"];
    const result = await runAgentCommand(["failover", "-c", asked.configFile, ...args]);
    equal(result.code, 0, `${result.stdout}${result.stderr}`);
    equal((await cluster.waitForLeader(10_000)).name, target.name);
    await cluster.proxy.waitForWriter(target.name, 10_000);
    await writesGoOn(writer);
    const { acknowledged } = await writer.stop();
    const lost = await lostWrites(acknowledged, (text) => target.sql(text));
    ok(lost.length <= 1, `lost ${lost.length}`); // asynchronous: what was on its way may be gone
  },
);

liveTest("D1 a killed postmaster is up again at once on the same member", {}, async (cluster) => {
  const { leader, writer } = await writing(cluster);
  const busy = await connect(leader.sqlPlace);
  const query = busy.query("SELECT pg_sleep(60)").catch(() => undefined);
  const old = await processesIn(leader.dataDir);
  await leader.killPostmaster();
  await writesGoOn(writer);
  await query;
  await busy.end().catch(() => undefined);
  const { acknowledged, longestGapMs } = await writer.stop();
  await tell(`longest gap after kill -9 of the postmaster: ${longestGapMs} ms`);
  equal((await cluster.waitForLeader(5_000)).name, leader.name);
  deepEqual(await lostWrites(acknowledged, (text) => leader.sql(text)), []);
  const left = await Promise.all(old.map(isAlive));
  deepEqual(left.filter(Boolean), []);
  ok(longestGapMs < 8_000, `gap of ${longestGapMs} ms`);
});

liveTest(
  "another member leads after agent and postmaster are killed",
  { secure: true },
  async (cluster) => {
    const { leader, writer } = await writing(cluster);
    await leader.killAll();
    const next = await cluster.waitForLeader(20_000, (member) => member !== leader);
    await cluster.proxy.waitForWriter(next.name, 5_000);
    await writesGoOn(writer);
    await leader.start();
    await cluster.waitForStreaming(60_000);
    const { acknowledged, longestGapMs } = await writer.stop();
    const lost = await lostWrites(acknowledged, (text) => next.sql(text));
    await tell(
      `longest gap after the loss of a host: ${longestGapMs} ms, ttl 10; lost ${lost.length}`,
    );
    notEqual(next.name, leader.name);
    ok(lost.length <= 1, `lost ${lost.length}`); // asynchronous: what was on its way may be gone
  },
);

liveTest(
  "clients notice nothing of an agent killed and restarted in time",
  { secure: true },
  async (cluster) => {
    const { leader, writer } = await writing(cluster);
    await leader.killAgent();
    await leader.start();
    await waitFor("the lock in its old hands", 15_000, async () => {
      const { status, body } = await leader.rest("/primary");
      return { met: status === 200 ? true : null, seen: `${status} ${body["role"]}` };
    });
    await pause(12_000); // longer than the lease: a lock that nobody renews would be gone
    const { longestGapMs, acknowledged, reconnects } = await writer.stop();
    equal((await cluster.waitForLeader(2_000)).name, leader.name);
    deepEqual(await lostWrites(acknowledged, (text) => leader.sql(text)), []);
    await tell(`longest gap while the agent was away: ${longestGapMs} ms, ${reconnects} connects`);
    equal(reconnects, 1);
    ok(longestGapMs < 1_000, `gap of ${longestGapMs} ms`);
  },
);
