import { systemClock } from "../../lib/base/clock.ts";
import { type Cluster, planCluster } from "../../scripts/playground/cluster.ts";
import type { Member } from "../../scripts/playground/member.ts";
import { Watch } from "../../scripts/playground/watch.ts";
import { type History, lossesOf, type Violation, violationsOf } from "./check.ts";
import { torment } from "./nemesis.ts";
import type { Event } from "./plan.ts";
import { reignsOf } from "./reigns.ts";
import { listOf, storyOf } from "./story.ts";

const HEAL_MS = 90_000;
/** The shortest lease that is allowed: the tightest budget. */
const SETTINGS = { ttl: 5, loop_wait: 1, retry_timeout: 2 };

/** How one run ended. */
export interface Result {
  readonly violations: readonly Violation[];
  /** One line of figures. */
  readonly summary: string;
  /** For people, when something is wrong: events, story, folder of the logs. */
  readonly report: string;
}

/** One run on a cluster of its own: three members, three etcd members, clients on each member and on HAProxy. */
export async function fuzz(events: readonly Event[]): Promise<Result> {
  const cluster = await planCluster({
    members: ["a", "b", "c"],
    etcdMembers: 3,
    dcs: SETTINGS,
  });
  const proxy = cluster.proxy.writePlace;
  const watch = new Watch(cluster.members, { writersOfEach: 2, pauseMs: 20, proxy });
  try {
    return await runOn(cluster, watch, events);
  } finally {
    await watch.stop();
    await cluster.close();
  }
}

async function runOn(cluster: Cluster, watch: Watch, events: readonly Event[]): Promise<Result> {
  await cluster.startMembers();
  const first = await cluster.waitForStreaming(60_000);
  await cluster.proxy.waitForWriter(first.name, 10_000);
  await Watch.prepare(first);
  watch.start();
  const startMs = systemClock.bootMs();
  const hits = await torment(cluster, events);
  const endedMs = systemClock.bootMs();
  try {
    const leader = await healed(cluster, watch);
    const healMs = systemClock.bootMs() - endedMs;
    await watch.stop();
    const history = { writes: watch.writes, hits, present: await idsOf(leader) };
    const violations = violationsOf(history);
    const figures = { history, healMs };
    return await resultOf({ cluster, events, startMs, violations, ...figures });
  } catch (error) {
    const history = { writes: watch.writes, hits, present: new Set<number>() };
    const what = `${error}`;
    const violations = [{ kind: "not-healed", atMs: endedMs, what } as const];
    return await resultOf({ cluster, events, startMs, violations, history, healMs: HEAL_MS });
  }
}

/** One leader, two streaming replicas, and an application that writes. */
async function healed(cluster: Cluster, watch: Watch): Promise<Member> {
  const leader = await cluster.waitForStreaming(HEAL_MS);
  await cluster.proxy.waitForWriter(leader.name, 10_000);
  await watch.next("writes after the healing", 20_000, ({ member }) => member === leader.name);
  return leader;
}

async function idsOf(leader: Member): Promise<ReadonlySet<number>> {
  const rows = await leader.sql("SELECT id FROM playground_writes");
  return new Set(rows.map(({ id }) => Number(id)));
}

interface Run {
  readonly cluster: Cluster;
  readonly events: readonly Event[];
  readonly startMs: number;
  readonly history: History;
  readonly violations: readonly Violation[];
  readonly healMs: number;
}

async function resultOf(run: Run): Promise<Result> {
  const { cluster, events, history, violations, startMs } = run;
  if (violations.length === 0) return { violations, summary: summaryOf(run), report: "" };
  const logs = await cluster.keepLogs();
  const report = `events:\n${listOf(events)}\nstory:\n${storyOf(history, violations, startMs)}\n` +
    `${await cluster.summary()}\nlogs: ${logs}`;
  return { violations, summary: summaryOf(run), report };
}

function summaryOf({ events, history, violations, healMs }: Run): string {
  const confirmed = history.writes.filter(({ outcome }) => outcome === "confirmed");
  const unknown = history.writes.filter(({ outcome }) => outcome === "unknown");
  const isWhole = violations.every(({ kind }) => kind !== "not-healed");
  const excused = isWhole
    ? lossesOf(history).filter(({ excuse }) => excuse !== null).length
    : "unknown";
  return `${events.length} events, ${reignsOf(history.writes).length} reigns, ` +
    `${confirmed.length} acknowledged, ${unknown.length} without an answer, ` +
    `lost with a reason ${excused}, violations ${violations.length}, healed in ${healMs} ms`;
}
