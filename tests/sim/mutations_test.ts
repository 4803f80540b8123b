import { productBrain } from "./brain.ts";
import type { Mutation } from "./mutations.ts";
import { MUTATIONS } from "./mutations.ts";
import { planOf } from "./plan.ts";
import { simulate } from "./simulate.ts";

const SEEDS_MAX = 200;
const TICKS = 400;

/** The first seed that is clean with the product's rules and is not with the planted bug. */
function findingSeed(mutation: Mutation): number | null {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const drawn = planOf(seed, TICKS);
    const plan = { ...drawn, faults: new Set(mutation.needs), faultEveryMs: 20_000 };
    const found = simulate({ ...plan, planted: mutation.planted }, mutation.brain).violation;
    if (found !== null && simulate(plan, productBrain).violation === null) return seed;
  }
  return null;
}

for (const mutation of MUTATIONS) {
  Deno.test(`simulate() finds the planted bug that ${mutation.name}`, () => {
    if (findingSeed(mutation) === null) {
      throw new Error(`Cannot find it: ${SEEDS_MAX} seeds of ${TICKS} ticks broke no promise`);
    }
  });
}
