import type { JsonObject } from "../../lib/base/json.ts";
import { type Cluster, planCluster } from "../playground/cluster.ts";
import type { Member } from "../playground/member.ts";
import { waitFor } from "../playground/wait.ts";
import { Writer } from "../playground/writer.ts";
import type { Program } from "./row.ts";

const NAMES: readonly string[] = ["a", "b", "c"];
const START_MS = 180_000;

/** Patroni's defaults, which are the agent's as well. */
export const DEFAULTS: JsonObject = { ttl: 30, loop_wait: 10, retry_timeout: 10 };

/** A cluster of three of one program, with these timings, for the time of `body`; its logs are kept when that fails. */
export async function withCluster<T>(
  program: Program,
  dcs: JsonObject,
  body: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const patroni = program === "patroni" ? NAMES : [];
  const cluster = await planCluster({ members: NAMES, etcdMembers: 1, patroni, dcs });
  try {
    return await body(cluster);
  } catch (cause) {
    const kept = await cluster.keepLogs();
    throw new Error(`${String(cause)}\nthe logs of ${program} are kept in ${kept}`, { cause });
  } finally {
    await cluster.close();
  }
}

/** Starts all of it; resolves when two replicas stream and writes go to the leader. */
export async function startAll(cluster: Cluster): Promise<Member> {
  await cluster.startMembers();
  const leader = await cluster.waitForStreaming(START_MS);
  await cluster.proxy.waitForWriter(leader.name, 30_000);
  return leader;
}

/** Starts the members without a proxy, whose health checks would keep them busy. */
export async function startQuietly(cluster: Cluster): Promise<Member> {
  await Promise.all(cluster.members.map((member) => member.start()));
  return await cluster.waitForStreaming(START_MS);
}

/** A client that writes through the proxy, about a hundred times a second. */
export async function startWriter(cluster: Cluster): Promise<Writer> {
  const writer = new Writer(cluster.proxy.writePlace, 5);
  writer.start();
  await writesGoOn(writer);
  return writer;
}

/** Waits for some more confirmed writes. */
export async function writesGoOn(writer: Writer): Promise<void> {
  const before = writer.report().acknowledged.length;
  await waitFor("writes going on", 120_000, () => {
    const more = writer.report().acknowledged.length - before;
    return Promise.resolve({ met: more >= 50 ? true : null, seen: `${more} more` });
  });
}
