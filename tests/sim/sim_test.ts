import { deepStrictEqual, notStrictEqual, strictEqual } from "node:assert/strict";
import { LADDER } from "../../lib/core/rules/ladder.ts";
import { productBrain } from "./brain.ts";
import { FAULT_KINDS, planOf } from "./plan.ts";
import { FEATS, GUARDS, missing } from "./reach.ts";
import { replayCommand, shrink } from "./shrink.ts";
import type { Result } from "./simulate.ts";
import { simulate } from "./simulate.ts";

const SEEDS = 120;
const TICKS = 400;

let known: readonly Result[] | null = null;

/** The runs of all seeds, once. */
function runs(): readonly Result[] {
  known ??= Array.from({ length: SEEDS }, (_, index) => {
    return simulate(planOf(index + 1, TICKS), productBrain);
  });
  return known;
}

Deno.test("simulate() breaks no promise for the fixed seeds", () => {
  for (const [index, { violation, ticks }] of runs().entries()) {
    if (violation === null) continue;
    const least = shrink({ plan: planOf(index + 1, TICKS), violation, ticks }, productBrain);
    const { kind, node, what } = least.violation;
    throw new Error(`${kind} at ${node}: ${what}; ${replayCommand(least, TICKS)}`);
  }
});

Deno.test("simulate() reaches each kind of fault and each rung with the fixed seeds", () => {
  deepStrictEqual(missing([...FAULT_KINDS, ...GUARDS, ...FEATS], runs(), "struck"), []);
  deepStrictEqual(missing(LADDER.map(({ name }) => name), runs(), "rules"), []);
});

/** Seeds whose members have writes of their own to give up. */
const FORKING = [47, 82, 90, 124, 213, 261, 279, 308, 320, 331, 345, 366];

Deno.test("simulate() breaks no promise where members are rewound", () => {
  let rewinds = 0;
  for (const seed of FORKING) {
    const plan = { ...planOf(seed, TICKS), rewinds: true };
    const { violation } = simulate(plan, productBrain, ({ text }) => {
      if (/\brewind\(/.test(text)) rewinds++;
    });
    deepStrictEqual(violation, null, `seed ${seed}`);
  }
  notStrictEqual(rewinds, 0);
});

Deno.test("simulate() gives the same run for the same seed", () => {
  const lines: string[] = [];
  const again: string[] = [];
  simulate(planOf(7, 200), productBrain, (line) => lines.push(JSON.stringify(line)));
  simulate(planOf(7, 200), productBrain, (line) => again.push(JSON.stringify(line)));
  strictEqual(lines.join("\n"), again.join("\n"));
});

/** What broke a promise once, or was taken for one that did, at a pace of faults (in seconds) that the other runs do not have. */
const HASTY: readonly (readonly [string, number, number, readonly string[]])[] = [
  ["a promotion that a killed agent had ordered", 863, 4, ["settings-raised", "wal-removed"]],
  ["a request for a leader that was not the last", 1062, 4, ["settings-raised", "wal-removed"]],
  ["a leader that is ended right after its promotion", 5139, 4, ["wal-removed"]],
  ["a store that is emptied while a member cannot look", 20294, 4, ["wal-removed"]],
  ["a look from before another one led and ended", 40135, 4, []],
  ["a look from before another one led and gave up", 41261, 4, ["handover"]],
  ["a killed promotion before maintenance mode", 41057, 4, ["handover"]],
  ["an unfenced primary that gets no answer to its requests", 42449, 2, []],
  ["a timeline that a primary left in maintenance mode is not told of", 50712, 2, []],
  ["a crash that looks like the end of a due switch", 50195, 2, []],
  ["a former leader that does not count in a switchover", 51480, 4, []],
  ["a refusal by an old look in the third round", 52073, 4, []],
  ["a promise that is younger than the answers", 60023, 4, []],
  ["an emptied store whose members are not listed yet", 60191, 4, []],
  ["a member with newer data that nobody can know of", 60395, 4, []],
  ["an unfenced primary that the store answers late", 60686, 4, []],
  ["a former leader in whose emptied tree another cluster was founded", 72256, 4, []],
];

for (const [title, seed, everyS, without] of HASTY) {
  Deno.test(`simulate() keeps its promises under hasty faults: ${title}`, () => {
    const plan = { ...planOf(seed, 2000, without), faultEveryMs: everyS * 1000 };
    deepStrictEqual(simulate(plan, productBrain).violation, null);
  });
}
