import * as v from "valibot";
import type { Cluster } from "../playground/cluster.ts";
import { waitFor } from "../playground/wait.ts";

const LEADER = "/service/demo/leader";
/** A lease that has not lost more than a second by then is renewed all the time. */
const OFTEN_MS = 3_000;
const lockSchema = v.object({ kvs: v.tuple([v.object({ lease: v.string() })]) });
const leaseSchema = v.object({ TTL: v.pipe(v.string(), v.transform(Number)) });

/**
 * Resolves right after the leader has renewed its lease, by etcd's own count in whole seconds: where it does so every
 * second or faster the moment matters little, and is any. The later in the loop a host dies, the less of its lease is
 * left, so that only deaths at equal moments tell what two programs do with the end of it.
 */
export async function nextRenewal({ etcd }: Cluster): Promise<void> {
  const url = etcd.endpoints[0] ?? "";
  const lock = v.parse(lockSchema, await ask(`${url}/v3/kv/range`, { key: btoa(LEADER) }));
  const ID = lock.kvs[0].lease;
  const secondsLeft = async (): Promise<number> =>
    v.parse(leaseSchema, await ask(`${url}/v3/lease/timetolive`, { ID })).TTL;
  const firstS = await secondsLeft();
  const firstMs = performance.now();
  let leftS = firstS;
  await waitFor("a renewal of the leader's lease", 60_000, async () => {
    const beforeS = leftS;
    leftS = await secondsLeft();
    const isOften = performance.now() - firstMs > OFTEN_MS && leftS >= firstS - 1;
    return { met: leftS > beforeS || isOften ? true : null, seen: `${leftS} s left` };
  });
}

async function ask(url: string, body: Readonly<Record<string, string>>): Promise<unknown> {
  const signal = AbortSignal.timeout(2_000);
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body), signal });
  return await response.json();
}
