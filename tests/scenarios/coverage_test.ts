import { deepStrictEqual } from "node:assert/strict";
import { LADDER } from "../../lib/core/rules/ladder.ts";
import { play } from "./script.ts";

const FOLDER = new URL(".", import.meta.url);

/** The view of each rung is in `tests/core/every_rule_test.ts`, its reach by the simulator in `tests/sim/sim_test.ts`. */
Deno.test("LADDER has no rule that no transcript shows", async () => {
  const shown = new Set<string>();
  for await (const { name } of Deno.readDir(FOLDER)) {
    if (!name.endsWith(".txt")) continue;
    const text = await Deno.readTextFile(new URL(name, FOLDER));
    for (const rule of play(text).rules) shown.add(rule);
  }
  deepStrictEqual(LADDER.map(({ name }) => name).filter((name) => !shown.has(name)), []);
});
