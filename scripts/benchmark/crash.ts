import type { JsonObject } from "../../lib/base/json.ts";
import type { Cluster } from "../playground/cluster.ts";
import { pause } from "../playground/wait.ts";
import { lostWrites, type Writer } from "../playground/writer.ts";
import { nextRenewal } from "./renewal.ts";
import { repeated } from "./row.ts";
import type { Program, Row } from "./row.ts";
import { DEFAULTS, startAll, startWriter, withCluster, writesGoOn } from "./stage.ts";

const LOOP_MS = 10_000;

/** The moments of the rounds lie evenly in the loop, which both run every ten seconds, so that none meets only good ones. */
function momentMs(index: number, rounds: number): number {
  return LOOP_MS * (index + 0.5) / rounds;
}

/** The longest time without a confirmed write after kill -9 of the postmaster: both start it again. */
export const postmaster: Row = {
  name: "postmaster",
  figures: [{
    name: "postmaster",
    title: "write gap of kill -9 of the postmaster",
    unit: "s",
    wanted: { kind: "ratio", atMost: 0.35 },
  }],
  rounds: 5,
  measure: (program, rounds) =>
    withCluster(program, DEFAULTS, async (cluster) => {
      await startAll(cluster);
      const writer = await startWriter(cluster);
      const measured = await repeated(
        rounds,
        (index) => onePostmaster(cluster, writer, momentMs(index, rounds)),
      );
      await writer.stop();
      return measured;
    }),
};

async function onePostmaster(
  cluster: Cluster,
  writer: Writer,
  momentMs: number,
): Promise<Record<string, number>> {
  const leader = await cluster.waitForStreaming(120_000);
  await cluster.proxy.waitForWriter(leader.name, 30_000);
  await pause(momentMs);
  writer.resetGap();
  await leader.killPostmaster();
  await writesGoOn(writer);
  return { postmaster: writer.report().longestGapMs / 1000 };
}

function hostRow(
  { name, title, atMost }: {
    readonly name: string;
    readonly title: string;
    readonly atMost: number;
  },
  dcs: (program: Program) => JsonObject,
): Row {
  const lost = `${name}-lost`;
  return {
    name,
    figures: [
      { name, title: `write gap of ${title}`, unit: "s", wanted: { kind: "ratio", atMost } },
      { name: lost, title: `writes lost by ${title}`, unit: "", wanted: { kind: "none" } },
    ],
    rounds: 3,
    measure: (program, rounds) =>
      repeated(rounds, (index) =>
        withCluster(program, dcs(program), async (cluster) => {
          const [gapS, lostCount] = await oneHost(cluster, momentMs(index, rounds));
          return { [name]: gapS, [lost]: lostCount };
        })),
  };
}

/** kill -9 of agent and postmaster of the leader, this long after it has renewed its lease. */
async function oneHost(cluster: Cluster, afterMs: number): Promise<readonly [number, number]> {
  const leader = await startAll(cluster);
  const writer = await startWriter(cluster);
  await nextRenewal(cluster);
  await pause(afterMs);
  writer.resetGap();
  await leader.killAll();
  const next = await cluster.waitForLeader(120_000, (member) => member !== leader);
  await writesGoOn(writer);
  const { acknowledged, longestGapMs } = await writer.stop();
  const lost = await lostWrites(acknowledged, (text) => next.sql(text));
  return [longestGapMs / 1000, lost.length];
}

/** The death of the leader's host, both with Patroni's default timings. */
export const host = hostRow(
  { name: "host", title: "the death of a host, ttl 30", atMost: 1.0 },
  () => DEFAULTS,
);

/** The same, each with the shortest lease that it allows. */
export const hostShort = hostRow(
  { name: "host-short", title: "the death of a host, least ttl", atMost: 0.3 },
  (program) =>
    program === "agent"
      ? { ttl: 5, loop_wait: 1, retry_timeout: 3 }
      : { ttl: 20, loop_wait: 1, retry_timeout: 3 },
);
