import { deepEqual, equal, notDeepEqual, ok } from "node:assert/strict";
import { DEEDS, type Event, partsOf, planOf } from "./plan.ts";
import { listOf, storyOf } from "./story.ts";

const SEEDS = Array.from({ length: 200 }, (_, index) => index + 1);

/** Events that hit the part of the member, each with the time until which it may last. */
function spansOf(events: readonly Event[], target: string, part: string): readonly Event[] {
  return events.filter((one) => one.target === target && partsOf(one.deed).includes(part));
}

function share(one: Event, other: Event): boolean {
  return one.atMs <= other.atMs + other.forMs && other.atMs <= one.atMs + one.forMs;
}

Deno.test("planOf() gives the same events for a seed, and others for another", () => {
  deepEqual(planOf(7, 50), planOf(7, 50));
  notDeepEqual(planOf(7, 50), planOf(8, 50));
});

Deno.test("planOf() begins a longer plan as the shorter one", () => {
  deepEqual(planOf(7, 100).slice(0, 50), planOf(7, 50));
});

Deno.test("planOf() gives as many events as it is asked for, in the order of time", () => {
  for (const seed of SEEDS) {
    const times = planOf(seed, 50).map(({ atMs }) => atMs);
    equal(times.length, 50);
    deepEqual(times, times.toSorted((one, other) => one - other));
  }
});

Deno.test("planOf() never hits agent and switch of one member together", () => {
  for (const seed of SEEDS) {
    const events = planOf(seed, 50);
    for (const target of ["a", "b", "c"]) {
      const switches = spansOf(events, target, "switch");
      const agents = spansOf(events, target, "agent");
      const both = switches.filter((one) => agents.some((other) => share(one, other)));
      deepEqual(both, [], `seed ${seed}`);
    }
  }
});

Deno.test("planOf() comes to each deed", () => {
  const found = new Set(SEEDS.flatMap((seed) => planOf(seed, 50).map(({ deed }) => deed)));
  deepEqual([...found].toSorted(), [...DEEDS].toSorted());
});

Deno.test("listOf() has a line for each event", () => {
  equal(listOf(planOf(1, 50)).split("\n").length, 50);
});

Deno.test("storyOf() tells what was near the first violation only", () => {
  const hit = { member: "a", part: "agent", how: "kill" } as const;
  const hits = [{ ...hit, fromMs: 1_000, toMs: 2_000 }, { ...hit, fromMs: 99_000, toMs: 99_900 }];
  const history = { writes: [], hits, present: new Set<number>() };
  const violations = [{ kind: "lost", atMs: 100_000, what: "w" }] as const;
  const lines = storyOf(history, violations, 0).split("\n");
  equal(lines.length, 3);
  ok(lines[2]?.includes("lost"));
});
