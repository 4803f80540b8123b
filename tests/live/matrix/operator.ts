import { ok } from "node:assert/strict";
import { isJsonObject, type JsonObject } from "../../../lib/base/json.ts";
import type { Cluster } from "../../../scripts/playground/cluster.ts";
import type { Member } from "../../../scripts/playground/member.ts";
import { waitFor } from "../../../scripts/playground/wait.ts";

/** Asks for a switchover; resolves when the request has ended, in whatever way: its member may be hit meanwhile. */
export async function switchover(leader: Member, candidate: Member): Promise<void> {
  const words = { leader: leader.name, candidate: candidate.name };
  await send(leader, "POST", "/switchover", words).catch(() => undefined);
}

/** Lays settings over those of the cluster. */
export async function changeConfig(member: Member, settings: JsonObject): Promise<void> {
  const { ok: isDone, status } = await send(member, "PATCH", "/config", settings);
  ok(isDone, `PATCH /config answered ${status}`);
}

/** Waits until the part of its status that is ours is as wanted. */
export async function restOf(
  member: Member,
  what: string,
  isMet: (agent: string) => boolean,
): Promise<void> {
  await waitFor(`${what} on ${member.name}`, 15_000, async () => {
    const seen = JSON.stringify((await member.rest("/patroni")).body["agent"] ?? null);
    return { met: isMet(seen) ? true : null, seen };
  });
}

/** Waits until the lock in the store is the member's, as seen in the store itself. */
export async function leaderInStore({ etcd }: Cluster, name: string): Promise<void> {
  await waitFor(`the lock of ${name}`, 20_000, async () => {
    const { kvs } = await etcd.ask("kv/range", { key: btoa("/service/demo/leader") });
    const [found] = Array.isArray(kvs) ? kvs.filter(isJsonObject) : [];
    const seen = atob(String(found?.["value"] ?? ""));
    return { met: seen === name ? true : null, seen };
  });
}

async function send(
  member: Member,
  method: string,
  path: string,
  body: JsonObject,
): Promise<Response> {
  const response = await member.ask(path, { method, body: JSON.stringify(body) }, 20_000);
  await response.body?.cancel();
  return response;
}
