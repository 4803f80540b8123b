import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { FAULT_KINDS, SHELL_FAULT_KINDS, shellPlanOf } from "../plan.ts";
import { FEATS, missing } from "../reach.ts";
import type { Result } from "../simulate.ts";
import { simulateShell } from "./simulate_shell.ts";

const SEEDS = 220;
const TICKS = 60;

let known: readonly Result[] | null = null;

/** The runs of all seeds, once. */
async function runs(): Promise<readonly Result[]> {
  if (known !== null) return known;
  const results: Result[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    results.push(await simulateShell(shellPlanOf(seed, TICKS)));
  }
  return known = results;
}

Deno.test("simulateShell() breaks no promise for the fixed seeds", async () => {
  for (const [index, { violation }] of (await runs()).entries()) {
    if (violation === null) continue;
    const { kind, node, what } = violation;
    const replay = `deno task sim --level 2 --seed ${index + 1} --ticks ${TICKS} --trace`;
    throw new Error(`${kind} at ${node}: ${what}; ${replay}`);
  }
});

Deno.test("simulateShell() leaves no cluster without a name once a server has written in it", async () => {
  const plan = { ...shellPlanOf(73008, 2000), faultEveryMs: 4000 };
  deepStrictEqual((await simulateShell(plan)).violation, null);
});

Deno.test("simulateShell() reaches each kind of fault with the fixed seeds", async () => {
  const kinds = [...FAULT_KINDS, ...SHELL_FAULT_KINDS, ...FEATS];
  deepStrictEqual(missing(kinds, await runs(), "struck"), []);
});

Deno.test("simulateShell() gives the same run for the same seed", async () => {
  const lines: string[] = [];
  const again: string[] = [];
  await simulateShell(shellPlanOf(7, 150), (line) => lines.push(JSON.stringify(line)));
  await simulateShell(shellPlanOf(7, 150), (line) => again.push(JSON.stringify(line)));
  strictEqual(lines.join("\n"), again.join("\n"));
});
