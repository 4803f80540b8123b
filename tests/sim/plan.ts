import type { KeeperFaults } from "./keeper_ports.ts";
import type { FailsafeFaults } from "./consents.ts";
import { Random } from "./random.ts";
import type { Sabotage } from "./shell/sabotage.ts";

/** Every kind of fault that a run may contain. */
export const FAULT_KINDS = [
  "store-cut",
  "reply-lost",
  "store-slow",
  "peer-cut",
  "agent-stall",
  "stall-in-task",
  "agent-kill",
  "host-kill",
  "server-crash",
  "server-silent",
  "slow-server",
  "clone-fails",
  "store-down",
  "wall-jump",
  "handover",
  "agent-shutdown",
  "wipe",
  "disk-full",
  "pause",
  "agent-detach",
  "switch-lost",
  "watchdog-fails",
  "kill-in-task",
  "data-spoiled",
  "peer-slow",
  "peer-lost",
  "failsafe-off",
  "order",
  "settings-raised",
  "wal-removed",
] as const;

/** Drawn after all others, so that the older kinds stay with their seeds. */
const LATE_KINDS: readonly string[] = [
  "disk-full",
  "pause",
  "agent-detach",
  "switch-lost",
  "watchdog-fails",
  "kill-in-task",
  "data-spoiled",
  "peer-slow",
  "peer-lost",
  "failsafe-off",
  "order",
  "settings-raised",
  "wal-removed",
];

/** Faults of the shell: an agent that waits for ever for one answer. */
export const SHELL_FAULT_KINDS = ["probe-hang", "job-hang"] as const;

/** One of them. */
export type FaultKind = typeof FAULT_KINDS[number] | typeof SHELL_FAULT_KINDS[number];

/** Deliberate faults outside the core. */
export interface Planted extends KeeperFaults, FailsafeFaults {
  /** The expiry of promote and start-primary is not looked at. */
  readonly ignoresNotAfter?: boolean;
  /** A lost switch is not replaced by a living agent. */
  readonly neverReplacesSwitch?: boolean;
  /** A new agent does not take up the switch that it finds. */
  readonly dropsSwitch?: boolean;
  /** The watchdog resets the host long after the lease. */
  readonly lateWatchdog?: boolean;
  /** The watchdog is fed by an answer however late it is. */
  readonly feedsLate?: boolean;
  /** The watchdog is fed by every tick. */
  readonly feedsAlways?: boolean;
  /** The switch asks the server to stop, and never more. */
  readonly switchOnlyAsks?: boolean;
  /** The switch knows only the server process that ran when it was first armed. */
  readonly switchKnowsOneProcess?: boolean;
  /** The agent's clock stands still while it is stalled. */
  readonly clockStopsInStall?: boolean;
}

/** Everything that decides a run. */
export interface Plan {
  readonly seed: number;
  /** Heartbeats of all agents together before the healing. */
  readonly ticks: number;
  readonly names: readonly string[];
  readonly ttlS: number;
  readonly loopWaitS: number;
  readonly faults: ReadonlySet<FaultKind>;
  /** Mean pause between two faults. */
  readonly faultEveryMs: number;
  /** The last member never leads. */
  readonly lastIsBarred: boolean;
  readonly planted: Planted;
  /** Deliberate faults in the parts of an agent that runs as a whole. */
  readonly sabotage: Sabotage;
  /** Every host has a dead-man's switch. */
  readonly hasSwitch: boolean;
  /** Every host has a watchdog that works, or none. */
  readonly watchdog: { readonly kind: "ready" } | { readonly kind: "off" };
  /** A leader without the store may go on by the consent of all members. */
  readonly failsafe: boolean;
  /** Members are brought back by pg_rewind; absent: by copies only. */
  readonly rewinds?: boolean;
  /** No chance at all: transcripts. */
  readonly steady: boolean;
}

const NAMES = ["a", "b", "c", "d", "e"];
const TIMINGS = [[30, 10], [20, 5], [10, 2], [5, 1]] as const;

/** The run of a seed: swarm testing, each seed draws which faults exist in it. */
export function planOf(seed: number, ticks: number, without: readonly string[] = []): Plan {
  const random = new Random(seed);
  const count = random.pick([3, 3, 3, 3, 2, 5]);
  const [ttlS, loopWaitS] = random.pick([TIMINGS[0], TIMINGS[0], ...TIMINGS]);
  const share = random.pick([0.15, 0.3, 0.5, 0.8]);
  const drawn: FaultKind[] = FAULT_KINDS.filter((kind) => {
    return !LATE_KINDS.includes(kind) && random.chance(kind === "wipe" ? share / 4 : share);
  });
  const faultEveryMs = random.pick([20, 60, 150]) * 1000;
  const lastIsBarred = random.chance(0.15);
  if (random.chance(share)) drawn.push("disk-full");
  if (random.chance(share / 2)) drawn.push("pause");
  if (random.chance(share / 2)) drawn.push("agent-detach");
  if (random.chance(share)) drawn.push("switch-lost");
  const hasSwitch = random.chance(0.85);
  // A lease of 5 s is too short for a timer of whole seconds in it.
  const hasWatchdog = random.chance(0.6) && ttlS > 5;
  if (hasWatchdog && random.chance(share)) drawn.push("watchdog-fails");
  if (random.chance(share)) drawn.push("kill-in-task");
  if (random.chance(share / 2)) drawn.push("data-spoiled");
  const failsafe = random.chance(0.4);
  if (failsafe) drawFailsafe(random, share, drawn);
  drawn.push(...drawOrders(random, share));
  return {
    seed,
    ticks,
    names: NAMES.slice(0, count),
    ttlS,
    loopWaitS,
    faults: new Set(drawn.filter((kind) => !without.includes(kind))),
    faultEveryMs,
    lastIsBarred,
    planted: {},
    sabotage: {},
    hasSwitch,
    watchdog: { kind: hasWatchdog ? "ready" : "off" },
    failsafe,
    steady: false,
  };
}

function drawOrders(random: Random, share: number): readonly FaultKind[] {
  const drawn = (["order", "settings-raised"] as const).filter(() => random.chance(share / 2));
  return random.chance(share / 4) ? [...drawn, "wal-removed"] : drawn;
}

/** What happens to the calls of failsafe mode; without an outage of the store the mode does nothing. */
function drawFailsafe(random: Random, share: number, drawn: FaultKind[]): void {
  if (!drawn.includes("store-down") && random.chance(0.5)) drawn.push("store-down");
  if (random.chance(share)) drawn.push("peer-slow");
  if (random.chance(share)) drawn.push("peer-lost");
  if (random.chance(share)) drawn.push("failsafe-off");
}

/** The run of a seed with whole agents: the same faults, and those that only they can have. */
export function shellPlanOf(seed: number, ticks: number, without: readonly string[] = []): Plan {
  const plan = planOf(seed, ticks, without);
  const random = new Random(seed + 0x5e11);
  const drawn = SHELL_FAULT_KINDS.filter((kind) => random.chance(0.2) && !without.includes(kind));
  return { ...plan, faults: new Set([...plan.faults, ...drawn]) };
}
