import type { Violation } from "./checks.ts";
import { productBrain } from "./brain.ts";
import type { Mutation } from "./mutations.ts";
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

interface Catch {
  readonly seed: number;
  readonly violation: Violation;
}

/** The first seed that is clean with the product's rules and is not with the planted bug. */
function catchOf(mutation: Mutation): Catch | null {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const drawn = planOf(seed, TICKS);
    const faults = new Set(mutation.needs);
    const faultEveryMs = mutation.everyMs ?? FAULT_EVERY_MS;
    const plan = { ...drawn, ...guardedBy(mutation.guard), faults, faultEveryMs };
    const { violation } = simulate({ ...plan, planted: mutation.planted }, mutation.brain);
    if (violation === null) continue;
    if (simulate(plan, productBrain).violation === null) return { seed, violation };
  }
  return null;
}

async function shellCatchOf(mutation: ShellMutation): Promise<Catch | null> {
  const { needs, sabotage, everyMs, guard } = mutation;
  for (let seed = 1; seed <= SHELL_SEEDS_MAX; seed++) {
    const drawn = shellPlanOf(seed, SHELL_TICKS);
    const faults = new Set(needs);
    const faultEveryMs = everyMs ?? FAULT_EVERY_MS;
    const plan = { ...drawn, ...guardedBy(guard), faults, faultEveryMs };
    const { violation } = await simulateShell({ ...plan, sabotage });
    if (violation === null) continue;
    if ((await simulateShell(plan)).violation === null) return { seed, violation };
  }
  return null;
}

/** The name of the step is what tells the seed. */
async function tell(context: Deno.TestContext, caught: Catch | null): Promise<void> {
  if (caught === null) throw new Error("Cannot find it: no seed broke a promise");
  const { seed, violation } = caught;
  await context.step(`seed ${seed}: ${violation.kind} at ${violation.node}`, () => {});
}

for (
  const mutation of [
    ...MUTATIONS,
    ...RULE_MUTATIONS,
    ...PAUSE_MUTATIONS,
    ...GUARD_MUTATIONS,
  ]
) {
  Deno.test(`simulate() finds the planted bug that ${mutation.name}`, async (context) => {
    await tell(context, catchOf(mutation));
  });
}

for (const mutation of [...SHELL_MUTATIONS, ...SHELL_GUARD_MUTATIONS, ...PAUSE_SHELL_MUTATIONS]) {
  Deno.test(`simulateShell() finds the planted bug that ${mutation.name}`, async (context) => {
    await tell(context, await shellCatchOf(mutation));
  });
}
