import type { Cluster } from "../playground/cluster.ts";
import type { Member } from "../playground/member.ts";
import { pause } from "../playground/wait.ts";
import type { Writer } from "../playground/writer.ts";
import { repeated } from "./row.ts";
import type { Row } from "./row.ts";
import { DEFAULTS, startAll, startWriter, withCluster, writesGoOn } from "./stage.ts";

/** The longest time without a confirmed write while an operator moves the leader, by the REST API of both. */
export const switchover: Row = {
  name: "switchover",
  figures: [{
    name: "switchover",
    title: "write gap of a switchover",
    unit: "s",
    wanted: { kind: "ratio", atMost: 0.35 },
  }],
  rounds: 5,
  measure: (program, rounds) =>
    withCluster(program, DEFAULTS, async (cluster) => {
      await startAll(cluster);
      const writer = await startWriter(cluster);
      const measured = await repeated(rounds, () => oneSwitchover(cluster, writer));
      await writer.stop();
      return measured;
    }),
};

async function oneSwitchover(cluster: Cluster, writer: Writer): Promise<Record<string, number>> {
  const leader = await cluster.waitForStreaming(120_000);
  await cluster.proxy.waitForWriter(leader.name, 30_000);
  await pause(Math.random() * 5_000);
  const next = cluster.members.find((member) => member !== leader) ?? leader;
  writer.resetGap();
  await ask(leader, { leader: leader.name, candidate: next.name });
  await cluster.waitForLeader(60_000, (member) => member === next);
  await writesGoOn(writer);
  return { switchover: writer.report().longestGapMs / 1000 };
}

async function ask({ plan }: Member, body: Readonly<Record<string, string>>): Promise<void> {
  const response = await fetch(`http://${plan.site.host}:${plan.restPort}/switchover`, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
    signal: AbortSignal.timeout(90_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`Cannot switch over: ${response.status} ${text}`);
}
