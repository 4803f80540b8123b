import { strictEqual } from "node:assert/strict";
import { shellPlanOf } from "../plan.ts";
import { simulateShell } from "./simulate_shell.ts";

const SEEDS = 220;
const TICKS = 50;

async function prove(seed: number): Promise<void> {
  const { violation } = await simulateShell(shellPlanOf(seed, TICKS));
  if (violation === null) return;
  const { kind, node, what } = violation;
  const replay = `deno task sim --level 2 --seed ${seed} --ticks ${TICKS} --trace`;
  throw new Error(`${kind} at ${node}: ${what}; ${replay}`);
}

Deno.test("simulateShell() breaks no promise for the fixed seeds", async () => {
  for (let seed = 1; seed <= SEEDS; seed++) await prove(seed);
});

Deno.test("simulateShell() gives the same run for the same seed", async () => {
  const lines: string[] = [];
  const again: string[] = [];
  await simulateShell(shellPlanOf(7, 150), (line) => lines.push(JSON.stringify(line)));
  await simulateShell(shellPlanOf(7, 150), (line) => again.push(JSON.stringify(line)));
  strictEqual(lines.join("\n"), again.join("\n"));
});
