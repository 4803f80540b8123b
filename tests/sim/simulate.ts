import type { Plan } from "./plan.ts";
import type { TraceSink } from "./trace.ts";
import type { Violation } from "./checks.ts";
import type { Brain } from "./world.ts";
import { World } from "./world.ts";

/** What a run came to. */
export interface Result {
  readonly violation: Violation | null;
  /** Heartbeats of all agents until the violation, or all of them. */
  readonly ticks: number;
  /** How often each rule answered. */
  readonly rules: ReadonlyMap<string, number>;
  /** How often each kind of fault has struck. */
  readonly struck: ReadonlyMap<string, number>;
  /** Virtual seconds. */
  readonly seconds: number;
}

/** Loops that a healed cluster may need: a lease, a copy, a start and their retries. */
export const LOOPS_MAX = 60;

/** More virtual time than any run takes. */
export const HOURS_MAX_MS = 1000 * 3600 * 1000;

/** Safety under faults for the planned ticks, then healing and liveness. */
export function simulate(plan: Plan, brain: Brain, sink: TraceSink | null = null): Result {
  const world = new World(plan, brain, sink);
  world.startAll();
  world.faults.start();
  world.runUntil(HOURS_MAX_MS, () => world.checks.ticks >= plan.ticks);
  const { ticks } = world.checks;
  if (world.checks.violation === null) recover(world);
  return {
    violation: world.checks.violation,
    ticks,
    rules: world.trace.rules,
    struck: world.faults.struck,
    seconds: world.scheduler.nowMs / 1000,
  };
}

function recover(world: World): void {
  world.log("all", "-- healed");
  world.faults.healAll();
  const loopMs = healingLoopMs(world);
  const endMs = world.scheduler.nowMs + LOOPS_MAX * loopMs;
  const next = (): number => Math.min(endMs, world.scheduler.nowMs + loopMs);
  while (world.checks.recovered() !== null && world.scheduler.nowMs < endMs) {
    world.faults.startExited();
    world.runUntil(next());
    if (world.checks.violation !== null) return;
  }
  const missing = world.checks.recovered();
  if (missing !== null) world.checks.stuck(missing);
}

/** What counts as one loop of the healing. */
export function healingLoopMs(world: World): number {
  return Math.max(world.settings.loopWaitS * 1000, 5000);
}
