import { strictEqual } from "node:assert/strict";
import { productBrain } from "./brain.ts";
import { planOf } from "./plan.ts";
import { replayCommand, shrink } from "./shrink.ts";
import { simulate } from "./simulate.ts";

const SEEDS = 120;
const TICKS = 400;

function prove(seed: number): void {
  const plan = planOf(seed, TICKS);
  const { violation, ticks } = simulate(plan, productBrain);
  if (violation === null) return;
  const least = shrink({ plan, violation, ticks }, productBrain);
  const { kind, node, what } = least.violation;
  throw new Error(`${kind} at ${node}: ${what}; ${replayCommand(least, TICKS)}`);
}

Deno.test("simulate() breaks no promise for the fixed seeds", () => {
  for (let seed = 1; seed <= SEEDS; seed++) prove(seed);
});

Deno.test("simulate() gives the same run for the same seed", () => {
  const lines: string[] = [];
  const again: string[] = [];
  simulate(planOf(7, 200), productBrain, (line) => lines.push(JSON.stringify(line)));
  simulate(planOf(7, 200), productBrain, (line) => again.push(JSON.stringify(line)));
  strictEqual(lines.join("\n"), again.join("\n"));
});
