import { systemClock } from "../../../lib/base/clock.ts";
import type { Hit } from "../../../scripts/playground/history.ts";
import type { Member } from "../../../scripts/playground/member.ts";
import { pause, waitFor } from "../../../scripts/playground/wait.ts";
import type { Watch } from "../../../scripts/playground/watch.ts";
import { type Blow, revive, type Signal, strike, type Trouble } from "./blow.ts";
import { resetMs } from "./device.ts";
import type { Scene } from "./laboratory.ts";
import { changeConfig, restOf } from "./operator.ts";
import type { Entered, State } from "./states.ts";

/** Time for a commit that must not come, after the end of the lease. */
const LINGER_MS = 1_500;
const HEAL_MS = 60_000;

/** One cell of the matrix. */
export interface Cell {
  readonly state: State;
  readonly signal: Signal;
  readonly trouble: Trouble;
}

/** What happened in a cell; times on the boot clock. */
export interface Story extends Omit<Blow, "settle"> {
  readonly cell: Cell;
  readonly victim: Member;
  /** Who leads in the end. */
  readonly leader: Member;
  readonly goneMs: number | null;
  readonly sleeps: number;
  /** When the watchdog device would have reset the host; null without one that ran. */
  readonly resetMs: number | null;
  readonly revivedMs: number;
  readonly healMs: number;
  readonly watch: Watch;
  readonly hits: readonly Hit[];
  readonly present: ReadonlySet<number>;
}

/** Plays one cell on a healthy cluster, and heals it: one leader, two streaming replicas. */
export async function play(scene: Scene, cell: Cell): Promise<Story> {
  const { watch, firstId } = scene.newWatch();
  try {
    const first = await scene.cluster.waitForStreaming(HEAL_MS);
    watch.start();
    await watch.next("writes on the leader", 10_000, ({ member }) => member === first.name);
    const entered = await cell.state.enter(scene, first, watch);
    const story = await endure({ scene, cell, watch, firstId }, entered);
    await watch.stop();
    return story;
  } finally {
    await watch.stop();
    await mend(scene);
  }
}

interface Stage {
  readonly scene: Scene;
  readonly cell: Cell;
  readonly watch: Watch;
  readonly firstId: number;
}

async function endure(stage: Stage, entered: Entered): Promise<Story> {
  const { scene, cell, watch, firstId } = stage;
  const { victim, crashedMs } = entered;
  const isPaused = cell.state.paused === true;
  const blow = await strike(victim, cell.signal, cell.trouble, isPaused);
  // A successor of the switch takes its time, in which a short state may pass.
  if (cell.trouble !== "the switch killed before") await cell.state.proveItLasts?.(victim);
  if (isPaused) await writesGoOn(stage, victim, blow);
  else await anotherLeads(stage, victim, blow);
  const { goneMs, sleeps } = await blow.settle();
  await scene.gates.openAll(); // a hook that ends now must not lead to anything
  const device = await resetMs(scene.deviceFile(victim.name), blow.hitMs);
  const revivedMs = systemClock.bootMs();
  await revive(victim, cell.signal);
  await entered.letGo?.();
  if (isPaused) await resume(victim);
  const leader = await scene.cluster.waitForStreaming(HEAL_MS);
  const healMs = systemClock.bootMs() - revivedMs;
  await watch.next("writes after the healing", 20_000, ({ member }) => member === leader.name);
  await watch.stop();
  const hits = hitsOf(victim.name, crashedMs, { fromMs: blow.hitMs, toMs: revivedMs });
  const present = await idsFrom(leader, firstId);
  const { hitMs, orders, rearmMs } = blow;
  const times = { hitMs, orders, rearmMs, goneMs, sleeps, resetMs: device, revivedMs, healMs };
  return { ...times, cell, victim, leader, watch, hits, present };
}

/** Another member takes writes, and the lease of the victim is over for a while. */
async function anotherLeads({ watch }: Stage, victim: Member, { orders }: Blow): Promise<void> {
  await watch.next("writes elsewhere", 40_000, ({ member }) => member !== victim.name);
  await until((orders?.endsMs ?? 0) + LINGER_MS);
}

/** In maintenance mode the end of a lease stops nobody. */
async function writesGoOn({ scene, watch }: Stage, victim: Member, blow: Blow): Promise<void> {
  await until(blow.hitMs + scene.ttlMs + LINGER_MS);
  await watch.next("writes going on", 5_000, ({ member }) => member === victim.name);
}

async function until(ms: number): Promise<void> {
  await pause(ms - systemClock.bootMs());
}

async function resume(victim: Member): Promise<void> {
  await restOf(victim, "the lock in its old hands", (agent) => agent.includes('"kind":"held"'));
  await changeConfig(victim, { pause: null });
  await restOf(victim, "an armed switch", (agent) => agent.includes('"switch":{"armed":true'));
}

function hitsOf(
  member: string,
  crashedMs: number | null,
  times: Pick<Hit, "fromMs" | "toMs">,
): readonly Hit[] {
  const agent = { member, part: "agent", how: "stop", ...times } as const;
  if (crashedMs === null) return [agent];
  const crash = { fromMs: crashedMs, toMs: crashedMs };
  return [agent, { member, part: "postmaster", how: "kill", ...crash }];
}

async function idsFrom(leader: Member, firstId: number): Promise<ReadonlySet<number>> {
  const rows = await leader.sql(`SELECT id FROM playground_writes WHERE id >= ${firstId}`);
  return new Set(rows.map(({ id }) => Number(id)));
}

/** Whatever a cell that failed has left is taken back, so that the next one can begin. */
async function mend({ cluster, gates }: Scene): Promise<void> {
  await gates.openAll();
  for (const member of cluster.members) {
    if (member.agentPid === null) await member.start();
    else member.signalAgent("SIGCONT");
  }
  await waitFor("a cluster out of maintenance mode", 20_000, async () => {
    const member = cluster.members[0];
    if (member === undefined) throw new TypeError("Cannot mend a cluster without members");
    const { status, body } = await member.rest("/config");
    if (status === 200 && body["pause"] === true) await changeConfig(member, { pause: null });
    return { met: status === 200 && body["pause"] !== true ? true : null, seen: `${status}` };
  });
}
