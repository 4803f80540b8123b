import { systemClock } from "../../lib/base/clock.ts";
import type { Cluster } from "../playground/cluster.ts";
import { pause } from "../playground/wait.ts";
import { type Commit, Watch } from "../playground/watch.ts";
import { lostWrites } from "../playground/writer.ts";
import { repeated } from "./row.ts";
import type { Row } from "./row.ts";
import { DEFAULTS, startAll, withCluster } from "./stage.ts";

/** Longer than the lease of 30 s by enough that another member leads. */
const FROZEN_MS = 50_000;
/** After the freeze: the old leader finds out. */
const THAWED_MS = 15_000;

/** The leader's agent is stopped by SIGSTOP and goes on later, while clients write to every member directly. */
export const freeze: Row = {
  name: "sigstop",
  figures: [
    {
      name: "sigstop-lost",
      title: "writes lost when the agent hangs 50 s",
      unit: "",
      wanted: { kind: "value", atMost: 0 },
    },
    {
      name: "sigstop-two",
      title: "two primaries when the agent hangs 50 s",
      unit: "s",
      wanted: { kind: "value", atMost: 0 },
    },
  ],
  rounds: 1,
  measure: (program, rounds) => repeated(rounds, () => withCluster(program, DEFAULTS, oneFreeze)),
};

async function oneFreeze(cluster: Cluster): Promise<Record<string, number>> {
  const leader = await startAll(cluster);
  await Watch.prepare(leader);
  const watch = new Watch(cluster.members);
  watch.start();
  await watch.next("writes on the leader", 30_000, ({ member }) => member === leader.name);
  const fromMs = systemClock.bootMs();
  leader.signalAgent("SIGSTOP");
  await pause(FROZEN_MS);
  const next = await cluster.waitForLeader(30_000, (member) => member !== leader);
  leader.signalAgent("SIGCONT");
  await pause(THAWED_MS);
  await watch.stop();
  const ids = watch.since(0).map(({ id }) => id);
  const lost = await lostWrites(ids, (text) => next.sql(text));
  const twoS = togetherMs(watch.since(fromMs), leader.name) / 1000;
  return { "sigstop-lost": lost.length, "sigstop-two": twoS };
}

/** From the first write that another member confirmed to the last one of the old leader. */
function togetherMs(commits: readonly Commit[], old: string): number {
  const lastOfOld = Math.max(
    ...commits.filter(({ member }) => member === old).map(({ atMs }) => atMs),
  );
  const firstOfNew = Math.min(
    ...commits.filter(({ member }) => member !== old).map(({ atMs }) => atMs),
  );
  return Math.max(0, lastOfOld - firstOfNew);
}
