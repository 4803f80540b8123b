import { deepStrictEqual } from "node:assert/strict";
import { LADDER } from "../../lib/core/rules/ladder.ts";
import { productBrain } from "../sim/brain.ts";
import { planOf } from "../sim/plan.ts";
import { simulate } from "../sim/simulate.ts";
import { play } from "./script.ts";

const FOLDER = new URL(".", import.meta.url);
const SEEDS = 60;

async function reachedByTranscripts(): Promise<Set<string>> {
  const reached = new Set<string>();
  for await (const { name } of Deno.readDir(FOLDER)) {
    if (!name.endsWith(".txt")) continue;
    const text = await Deno.readTextFile(new URL(name, FOLDER));
    for (const rule of play(text).rules) reached.add(rule);
  }
  return reached;
}

Deno.test("LADDER has no rule that neither a transcript nor the simulator reaches", async () => {
  const reached = await reachedByTranscripts();
  for (let seed = 1; seed <= SEEDS; seed++) {
    for (const rule of simulate(planOf(seed, 300), productBrain).rules.keys()) reached.add(rule);
  }
  const missed = LADDER.map(({ name }) => name).filter((name) => !reached.has(name));
  deepStrictEqual(missed, []);
});
