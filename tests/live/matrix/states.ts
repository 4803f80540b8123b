import { systemClock } from "../../../lib/base/clock.ts";
import type { Member } from "../../../scripts/playground/member.ts";
import { waitFor } from "../../../scripts/playground/wait.ts";
import type { Watch } from "../../../scripts/playground/watch.ts";
import { fillWal, recovering } from "./crash.ts";
import type { Scene } from "./laboratory.ts";
import { changeConfig, leaderInStore, restOf, switchover } from "./operator.ts";

const WRITERS = 24;

/** The moment before the blow. */
export interface Entered {
  /** Whose agent is to be hit. */
  readonly victim: Member;
  /** When its postmaster was killed to come here; null when it was not. */
  readonly crashedMs: number | null;
  /** Ends what goes on beside, an operator's request or additional clients; before the agent comes back. */
  readonly letGo?: () => Promise<void>;
}

/** What a member is doing when its agent is hit. */
export interface State {
  readonly title: string;
  readonly enter: (scene: Scene, leader: Member, watch: Watch) => Promise<Entered>;
  /** The server takes writes in that moment, so a cell in which it confirmed none after the blow shows nothing. */
  readonly writes: boolean;
  /** Fails when the state had passed before the blow came. */
  readonly proveItLasts?: (victim: Member) => Promise<void>;
  /** Nobody is fenced and nobody promoted. */
  readonly paused?: boolean;
  /** Too much load for two cells at once. */
  readonly alone?: boolean;
}

async function running(_: Scene, leader: Member, watch: Watch): Promise<Entered> {
  const thin = watch.crowd(leader, WRITERS - 4);
  await watch.next("the crowd at work", 20_000, ({ member }) => member === leader.name);
  return { victim: leader, crashedMs: null, letGo: () => Promise.resolve(thin()) };
}

async function restarting(_: Scene, leader: Member): Promise<Entered> {
  const before = await leader.killPostmaster();
  const crashedMs = systemClock.bootMs();
  await waitFor("a new postmaster", 10_000, async () => {
    const pid = await leader.runningPostmaster();
    return { met: pid !== null && pid !== before ? pid : null, seen: `${pid}` };
  });
  return { victim: leader, crashedMs };
}

async function recoveringFromCrash({ cluster }: Scene, leader: Member): Promise<Entered> {
  await fillWal(leader, cluster.members.length - 1);
  await leader.killPostmaster();
  const crashedMs = systemClock.bootMs();
  await recovering(leader);
  return { victim: leader, crashedMs };
}

async function promotingAtHook({ cluster, gates }: Scene, leader: Member): Promise<Entered> {
  const victim = cluster.members.find((member) => member !== leader) ?? leader;
  await gates.shut(victim.name, "pre_promote");
  const asked = switchover(leader, victim);
  await gates.reached(victim.name, "pre_promote");
  return { victim, crashedMs: null, letGo: () => asked };
}

async function promotingAtOnce({ cluster }: Scene, leader: Member): Promise<Entered> {
  const victim = cluster.members.find((member) => member !== leader) ?? leader;
  const asked = switchover(leader, victim);
  await leaderInStore(cluster, victim.name);
  return { victim, crashedMs: null, letGo: () => asked };
}

async function stopping({ cluster, gates }: Scene, leader: Member): Promise<Entered> {
  const candidate = cluster.members.find((member) => member !== leader) ?? leader;
  await gates.shut(leader.name, "before_stop");
  const asked = switchover(leader, candidate);
  await gates.reached(leader.name, "before_stop");
  return { victim: leader, crashedMs: null, letGo: () => asked };
}

async function pausedByOperator(_: Scene, leader: Member): Promise<Entered> {
  await changeConfig(leader, { pause: true });
  await restOf(leader, "a switch at rest", (agent) => agent.includes('"switch":{"armed":false'));
  return { victim: leader, crashedMs: null };
}

async function adopted(_: Scene, leader: Member): Promise<Entered> {
  await leader.killAgent();
  await leader.start();
  await waitFor("the lock in its old hands", 10_000, async () => {
    const { status } = await leader.rest("/primary");
    return { met: status === 200 ? true : null, seen: `${status}` };
  });
  return { victim: leader, crashedMs: null };
}

/** The rows of the matrix. */
export const STATES: readonly State[] = [
  { title: "running under 24 writers", enter: running, writes: true, alone: true },
  { title: "restarting", enter: restarting, writes: false },
  {
    title: "in crash recovery",
    enter: recoveringFromCrash,
    writes: false,
    proveItLasts: recovering,
  },
  { title: "promoting, at pre_promote", enter: promotingAtHook, writes: false },
  { title: "promoting, lock just taken", enter: promotingAtOnce, writes: false },
  { title: "stopping", enter: stopping, writes: true },
  { title: "paused", enter: pausedByOperator, writes: true, paused: true },
  { title: "just adopted", enter: adopted, writes: true },
];
