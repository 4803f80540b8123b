import { ok } from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import type { Member } from "../../scripts/playground/member.ts";
import { waitFor } from "../../scripts/playground/wait.ts";
import type { Scene } from "./laboratory.ts";
import { followLease, type LeaseStory, type LeaseWatch } from "./lease_watch.ts";
import type { Commit } from "../../scripts/playground/watch.ts";

/** Which frames are lost: those that a host sends, those that are sent to it, or all. */
export const WAYS = {
  "both ways": { out: true, in: true },
  "what it sends is lost": { out: true, in: false },
  "what is sent to it is lost": { out: false, in: true },
};

/** One of them. */
export type Way = (typeof WAYS)[keyof typeof WAYS];

/** A leader about to be hit. */
export interface Start {
  readonly leader: Member;
  readonly others: readonly string[];
  readonly lease: LeaseWatch;
  readonly beganMs: number;
}

/** A healthy cluster whose leader takes writes; its lease is followed from here on. */
export async function ready({ cluster, watch }: Scene): Promise<Start> {
  const leader = await cluster.waitForStreaming(60_000);
  await watch.next("writes on the leader", 10_000, ({ member }) => member === leader.name);
  const others = cluster.members.filter((one) => one !== leader).map(({ name }) => name);
  return { leader, others, lease: await followLease(leader), beganMs: systemClock.bootMs() };
}

/** Cuts `from` off from each of the hosts. */
export async function cutOff(
  { network }: Scene,
  from: string,
  hosts: readonly string[],
  way: Way,
): Promise<void> {
  for (const host of hosts.filter((one) => one !== from)) {
    if (way.out) await network.cut(from, host);
    if (way.in) await network.cut(host, from);
  }
}

/** Heals the network and waits until one member leads and what it writes arrives at all others. */
export async function heal(
  { cluster, network, watch }: Scene,
): Promise<{ readonly leader: Member; readonly tookMs: number }> {
  const beganMs = systemClock.bootMs();
  await network.heal();
  const leader = await cluster.waitForStreaming(60_000);
  const { id } = await watch.next("writes after the healing", 20_000, () => true);
  // A sender whose standby was cut off is called "streaming" for a minute: what counts is that rows arrive.
  await waitFor("a new row on every member", 60_000, async () => {
    const text = `SELECT count(*)::int AS n FROM playground_writes WHERE id = ${id}`;
    const rows = await Promise.all(cluster.members.map((member) => member.sql(text)));
    const seen = rows.map(([row]) => Number(row?.["n"] ?? 0));
    return { met: seen.every((count) => count === 1) ? true : null, seen: seen.join(" ") };
  });
  return { leader, tookMs: systemClock.bootMs() - beganMs };
}

/** Acknowledged writes that the leader of the healed cluster does not have. */
export async function lostOf(
  leader: Member,
  commits: readonly Commit[],
): Promise<readonly Commit[]> {
  const rows = await leader.sql("SELECT id FROM playground_writes");
  const present = new Set(rows.map((row) => Number(row["id"])));
  return commits.filter(({ id }) => !present.has(id));
}

/** Fails unless the last of a leader's commits, and its server, ended before its lease. */
export function endedInTime(commits: readonly Commit[], { endsMs, goneMs }: LeaseStory): void {
  const lastMs = commits.at(-1)?.atMs ?? 0;
  ok(lastMs > 0 && lastMs < endsMs, `last commit ${lastMs - endsMs} ms after the lease's end`);
  ok(goneMs !== null && goneMs < endsMs, `server gone ${goneMs}, lease ended ${endsMs}`);
}

/** The figures of a leader's end, for people. */
export function figures(commits: readonly Commit[], story: LeaseStory, beganMs: number): string {
  const { stopMs, endsMs, goneMs } = story;
  const lastMs = commits.at(-1)?.atMs ?? 0;
  return `last write ${lastMs - beganMs} ms after the cut and ${
    endsMs - lastMs
  } before the lease's` +
    ` end; stop due ${endsMs - stopMs} before it, server gone ${endsMs - (goneMs ?? 0)} before it`;
}
