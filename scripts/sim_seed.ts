import { productBrain } from "../tests/sim/brain.ts";
import type { Plan } from "../tests/sim/plan.ts";
import { planOf, shellPlanOf } from "../tests/sim/plan.ts";
import { simulateShell } from "../tests/sim/shell/simulate_shell.ts";
import type { Result } from "../tests/sim/simulate.ts";
import { simulate } from "../tests/sim/simulate.ts";
import type { TraceSink } from "../tests/sim/trace.ts";

/** What all seeds of one call have in common. */
export interface SeedOptions {
  readonly ticks: number;
  /** 1: the rules alone in a world of their own; 2: whole agents over simulated ports. */
  readonly level: number;
  readonly without: readonly string[];
  /** Mean pause between two faults; null: what the seed has drawn. */
  readonly everyMs: number | null;
}

/** What is told of a seed that was run. */
export type SeedResult = Pick<Result, "violation" | "ticks" | "seconds"> & {
  readonly seed: number;
};

/** The plan of a seed at its level. */
export function planFor(seed: number, { level, ticks, without, everyMs }: SeedOptions): Plan {
  const plan = level === 2 ? shellPlanOf(seed, ticks, without) : planOf(seed, ticks, without);
  return everyMs === null ? plan : { ...plan, faultEveryMs: everyMs };
}

/** Runs one seed to its end. */
export async function runSeed(
  seed: number,
  options: SeedOptions,
  sink: TraceSink | null,
): Promise<SeedResult> {
  const plan = planFor(seed, options);
  const result = options.level === 2
    ? await simulateShell(plan, sink)
    : simulate(plan, productBrain, sink);
  const { violation, ticks, seconds } = result;
  return { seed, violation, ticks, seconds };
}
