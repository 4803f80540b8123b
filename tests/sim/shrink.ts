import type { Plan } from "./plan.ts";
import { FAULT_KINDS } from "./plan.ts";
import type { Violation } from "./checks.ts";
import { simulate } from "./simulate.ts";
import type { Brain } from "./world.ts";

/** A failing run that is as small as leaving out whole kinds of faults makes it. */
export interface Failure {
  readonly plan: Plan;
  readonly violation: Violation;
  readonly ticks: number;
}

/** Leaves out one kind of fault after the other while the same promise is still broken, and ends at the violation. */
export function shrink(failure: Failure, brain: Brain): Failure {
  let least = failure;
  for (const kind of FAULT_KINDS) {
    if (!least.plan.faults.has(kind)) continue;
    const faults = new Set([...least.plan.faults].filter((other) => other !== kind));
    const smaller = { ...least.plan, faults };
    const { violation, ticks } = simulate(smaller, brain);
    const same = violation !== null && violation.kind === least.violation.kind;
    if (same && ticks <= least.ticks) least = { plan: smaller, violation, ticks };
  }
  return least;
}

const USUAL = { level: 1, everyMs: null };

/** The command that plays it again. */
export function replayCommand(
  { plan }: Failure,
  allTicks: number,
  { level, everyMs }: { readonly level: number; readonly everyMs: number | null } = USUAL,
): string {
  const which = level === 1 ? "" : ` --level ${level}`;
  const pace = everyMs === null ? "" : ` --every ${everyMs / 1000}`;
  const left = FAULT_KINDS.filter((kind) => !plan.faults.has(kind));
  const without = left.length === 0 ? "" : ` --without ${left.join(",")}`;
  return `deno task sim${which} --seed ${plan.seed} --ticks ${allTicks}${pace}${without} --trace`;
}
