import type { Cluster } from "../playground/cluster.ts";
import { pause } from "../playground/wait.ts";
import { usageOf } from "./processes.ts";
import type { Usage } from "./processes.ts";
import { repeated } from "./row.ts";
import type { Row } from "./row.ts";
import { DEFAULTS, startQuietly, withCluster } from "./stage.ts";

/** Until what a start leaves behind is done. */
const SETTLE_MS = 20_000;
const WATCHED_MS = 60_000;

/** What a cluster of three takes while nothing happens; each figure is the mean of the members. */
export const idle: Row = {
  name: "idle",
  figures: [
    {
      name: "private",
      title: "private memory of an agent",
      unit: "MB",
      wanted: { kind: "ratio", atMost: 0.8 },
    },
    { name: "rss", title: "RSS of an agent", unit: "MB", wanted: { kind: "ratio", atMost: 1.25 } },
    {
      name: "cpu",
      title: "processor of an idle agent",
      unit: "% of a core",
      wanted: { kind: "ratio", atMost: 2 },
    },
    {
      name: "etcd",
      title: "requests to etcd a minute, of three",
      unit: "",
      wanted: { kind: "ratio", atMost: 2 },
    },
  ],
  rounds: 1,
  measure: (program, rounds) => repeated(rounds, () => withCluster(program, DEFAULTS, oneIdle)),
};

async function oneIdle(cluster: Cluster): Promise<Record<string, number>> {
  await startQuietly(cluster);
  await pause(SETTLE_MS);
  const [before, requestsBefore] = [await usages(cluster), await requestsSeen(cluster)];
  const began = performance.now();
  await pause(WATCHED_MS);
  const [after, requestsAfter] = [await usages(cluster), await requestsSeen(cluster)];
  const seconds = (performance.now() - began) / 1000;
  const spent = mean(after, ({ cpuS }) => cpuS) - mean(before, ({ cpuS }) => cpuS);
  return {
    private: mean(after, ({ privateMb }) => privateMb),
    rss: mean(after, ({ rssMb }) => rssMb),
    cpu: 100 * spent / seconds,
    etcd: (requestsAfter - requestsBefore) * 60 / seconds,
  };
}

function usages(cluster: Cluster): Promise<readonly Usage[]> {
  return Promise.all(cluster.members.map(usageOf));
}

function mean(usages: readonly Usage[], of: (usage: Usage) => number): number {
  return usages.reduce((sum, usage) => sum + of(usage), 0) / usages.length;
}

/** Calls that etcd has begun since its start, by its own count: the gateway turns each HTTP request into one. */
async function requestsSeen({ etcd }: Cluster): Promise<number> {
  const url = `${etcd.endpoints[0]}/metrics`;
  const text = await (await fetch(url, { signal: AbortSignal.timeout(5_000) })).text();
  const counts = text.matchAll(/^grpc_server_started_total\{.*\} (\S+)$/gm);
  return Array.from(counts, ([, count]) => Number(count)).reduce((sum, one) => sum + one, 0);
}
