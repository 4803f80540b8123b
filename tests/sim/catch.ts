import type { Violation } from "./checks.ts";
import { productBrain } from "./brain.ts";
import type { Mutation } from "./mutations.ts";
import { FAILSAFE_MUTATIONS, FAILSAFE_SHELL_MUTATIONS } from "./mutations_failsafe.ts";
import { guardedBy, MUTATIONS } from "./mutations.ts";
import { GUARD_MUTATIONS, SHELL_GUARD_MUTATIONS } from "./mutations_guard.ts";
import { PAUSE_MUTATIONS, PAUSE_SHELL_MUTATIONS } from "./mutations_pause.ts";
import { RULE_MUTATIONS } from "./mutations_rules.ts";
import type { ShellMutation } from "./mutations_shell.ts";
import { SHELL_MUTATIONS } from "./mutations_shell.ts";
import { planOf, shellPlanOf } from "./plan.ts";
import { simulateShell } from "./shell/simulate_shell.ts";
import { simulate } from "./simulate.ts";

const SEEDS_MAX = 200;
const TICKS = 400;
const SHELL_SEEDS_MAX = 60;
const SHELL_TICKS = 150;
const FAULT_EVERY_MS = 20_000;
const SHORT_LEASE = { ttlS: 5, loopWaitS: 1 };

/** All planted bugs of rules, memory, keeper and what stands outside the agent. */
export const ALL_MUTATIONS: readonly Mutation[] = [
  ...MUTATIONS,
  ...RULE_MUTATIONS,
  ...PAUSE_MUTATIONS,
  ...GUARD_MUTATIONS,
  ...FAILSAFE_MUTATIONS,
];

/** All planted bugs in the shell of an agent. */
export const ALL_SHELL_MUTATIONS: readonly ShellMutation[] = [
  ...SHELL_MUTATIONS,
  ...SHELL_GUARD_MUTATIONS,
  ...PAUSE_SHELL_MUTATIONS,
  ...FAILSAFE_SHELL_MUTATIONS,
];

/** The seed that tells a planted bug, and the promise that it breaks. */
export interface Catch {
  readonly seed: number;
  readonly violation: Violation;
}

/** The first seed that is clean with the product's rules and is not with the planted bug. */
export function catchOf(mutation: Mutation): Catch | null {
  const first = mutation.firstSeed ?? 1;
  for (let seed = first; seed < first + SEEDS_MAX; seed++) {
    const drawn = planOf(seed, TICKS);
    const faults = new Set(mutation.needs);
    const faultEveryMs = mutation.everyMs ?? FAULT_EVERY_MS;
    const failsafe = mutation.failsafe ?? false;
    const timing = mutation.shortLease ? SHORT_LEASE : {};
    const guards = guardedBy(mutation.guard);
    const plan = { ...drawn, ...timing, ...guards, faults, faultEveryMs, failsafe };
    const { violation } = simulate({ ...plan, planted: mutation.planted }, mutation.brain);
    if (violation === null) continue;
    if (simulate(plan, productBrain).violation === null) return { seed, violation };
  }
  return null;
}

/** The same for a whole agent. */
export async function shellCatchOf(mutation: ShellMutation): Promise<Catch | null> {
  const { needs, sabotage, everyMs, guard, failsafe = false } = mutation;
  for (let seed = 1; seed <= SHELL_SEEDS_MAX; seed++) {
    const drawn = shellPlanOf(seed, SHELL_TICKS);
    const faults = new Set(needs);
    const faultEveryMs = everyMs ?? FAULT_EVERY_MS;
    const plan = { ...drawn, ...guardedBy(guard), faults, faultEveryMs, failsafe };
    const { violation } = await simulateShell({ ...plan, sabotage });
    if (violation === null) continue;
    if ((await simulateShell(plan)).violation === null) return { seed, violation };
  }
  return null;
}
