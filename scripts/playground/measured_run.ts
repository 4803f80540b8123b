import { runAgentCommand } from "./agent_program.ts";
import type { Cluster } from "./cluster.ts";
import type { Member } from "./member.ts";
import { print } from "./print.ts";
import { pause, waitFor } from "./wait.ts";
import { lostWrites, type Writer } from "./writer.ts";

/**
 * A failover (agent and postmaster killed) and a switchover under a writing client. Prints the longest gap of each;
 * 0 only when both ended well and no acknowledged write was lost.
 */
export async function runOnce(cluster: Cluster, writer: Writer): Promise<number> {
  await writesGoOn(writer);
  const victim = await cluster.waitForLeader(10_000);
  const afterFailover = await failover(cluster, writer, victim);
  const lostByFailover = await countLost(writer, afterFailover);
  await print(`Lost acknowledged writes: ${lostByFailover}`);
  await print(`Starting ${victim.name} again; it must come back as a replica`);
  await victim.start();
  await cluster.waitForStreaming(90_000);
  const afterSwitchover = await switchover(cluster, writer, afterFailover);
  await writer.stop();
  const lost = await countLost(writer, afterSwitchover);
  const { acknowledged } = writer.report();
  await print(`Acknowledged writes: ${acknowledged.length}, lost: ${lost}`);
  return lost === 0 ? 0 : 1;
}

async function failover(cluster: Cluster, writer: Writer, victim: Member): Promise<Member> {
  await print(`Failover: kill -9 of agent and postmaster of ${victim.name}`);
  writer.resetGap();
  await victim.killAll();
  const next = await cluster.waitForLeader(60_000, (member) => member !== victim);
  await writesGoOn(writer);
  const { longestGapMs } = writer.report();
  await print(`  ${next.name} leads; writes stood still for ${longestGapMs} ms (ttl is 10 s)`);
  return next;
}

async function switchover(cluster: Cluster, writer: Writer, from: Member): Promise<Member> {
  const to = cluster.members.find((member) => member !== from) ?? from;
  await print(`Switchover: agent switchover --leader ${from.name} --candidate ${to.name} --force`);
  writer.resetGap();
  const words = ["--leader", from.name, "--candidate", to.name, "--force"];
  const result = await runAgentCommand(["switchover", "-c", from.configFile, ...words]);
  await print(`  ${result.stdout.trim()}${result.stderr.trim()}`);
  if (result.code !== 0) throw new Error(`Cannot switch over: exit code ${result.code}`);
  await cluster.waitForLeader(30_000, (member) => member === to);
  await writesGoOn(writer);
  const { longestGapMs } = writer.report();
  await print(`  ${to.name} leads; writes stood still for ${longestGapMs} ms`);
  await cluster.waitForStreaming(60_000);
  return to;
}

async function writesGoOn(writer: Writer): Promise<void> {
  const before = writer.report().acknowledged.length;
  await waitFor("writes going on", 60_000, () => {
    const more = writer.report().acknowledged.length - before;
    return Promise.resolve({ met: more >= 50 ? true : null, seen: `${more} more` });
  });
  await pause(500);
}

/** Counts what was acknowledged before the question was asked. */
async function countLost(writer: Writer, leader: Member): Promise<number> {
  const { acknowledged } = writer.report();
  return (await lostWrites(acknowledged, (text) => leader.sql(text))).length;
}
