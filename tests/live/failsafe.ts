import { equal } from "node:assert/strict";
import type { Cluster } from "../../scripts/playground/cluster.ts";
import type { Member } from "../../scripts/playground/member.ts";
import { waitFor } from "../../scripts/playground/wait.ts";

/** Waits until the list in the store names all members; returns the leader. */
export async function listed(cluster: Cluster): Promise<Member> {
  const leader = await cluster.waitForStreaming(60_000);
  const names = cluster.members.map(({ name }) => name);
  await waitFor("a list of all members", 20_000, async () => {
    const lists = await Promise.all(cluster.members.map((each) => each.rest("/failsafe")));
    const seen = lists.map(({ body }) => Object.keys(body).sort().join());
    return { met: seen.every((list) => list === names.join()) ? true : null, seen: seen.join(" ") };
  });
  await cluster.proxy.waitForWriter(leader.name, 10_000);
  return leader;
}

/** Asks the leader to hand over to `winner`; it must be done. */
export async function switchover(leader: Member, winner: Member): Promise<void> {
  const body = JSON.stringify({ leader: leader.name, candidate: winner.name });
  const reply = await leader.ask("/switchover", { method: "POST", body });
  equal(reply.status, 200, await reply.text());
}
