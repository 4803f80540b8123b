import { deepStrictEqual } from "node:assert/strict";
import { LADDER } from "../../lib/core/rules/ladder.ts";
import { productBrain } from "./brain.ts";
import { FAULT_KINDS, planOf, SHELL_FAULT_KINDS, shellPlanOf } from "./plan.ts";
import { simulateShell } from "./shell/simulate_shell.ts";
import type { Result } from "./simulate.ts";
import { simulate } from "./simulate.ts";

const SEEDS = 100;
const TICKS = 400;
const SHELL_SEEDS = 140;
const SHELL_TICKS = 50;

/** What stands outside the agent has acted in each of its ways. */
const GUARDS = ["switch-INT", "switch-QUIT", "switch-KILL", "watchdog-reset"];

/** What failsafe mode and a handover have come to. */
const FEATS = ["consented", "beyond-lease", "verified-handover"];

/** How often a kind has struck, or a rung has answered, in all of these runs. */
function totals(results: readonly Result[], what: "struck" | "rules"): ReadonlySet<string> {
  return new Set(results.flatMap((result) => [...result[what].keys()]));
}

function missing(wanted: readonly string[], reached: ReadonlySet<string>): readonly string[] {
  return wanted.filter((name) => !reached.has(name));
}

Deno.test("simulate() reaches each kind of fault and each rung with the fixed seeds", () => {
  const results: Result[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    results.push(simulate(planOf(seed, TICKS), productBrain));
  }
  deepStrictEqual(missing([...FAULT_KINDS, ...GUARDS, ...FEATS], totals(results, "struck")), []);
  const rungs = LADDER.map(({ name }) => name);
  deepStrictEqual(missing(rungs, totals(results, "rules")), []);
});

Deno.test("simulateShell() reaches each kind of fault with the fixed seeds", async () => {
  const results: Result[] = [];
  for (let seed = 1; seed <= SHELL_SEEDS; seed++) {
    results.push(await simulateShell(shellPlanOf(seed, SHELL_TICKS)));
  }
  const kinds = [...FAULT_KINDS, ...SHELL_FAULT_KINDS, ...FEATS];
  deepStrictEqual(missing(kinds, totals(results, "struck")), []);
});
