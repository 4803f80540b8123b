import { deepEqual } from "node:assert/strict";
import type { Hit, Write } from "../../scripts/playground/history.ts";
import { type History, lossesOf, violationsOf } from "./check.ts";

/** A write of member a on timeline 1 at 10 s, with b streaming. */
function write(over: Partial<Write> & { readonly id: number }): Write {
  const endedMs = over.endedMs ?? 10_000;
  return {
    askedMs: endedMs,
    endedMs,
    outcome: "confirmed",
    member: "a",
    timeline: 1,
    standbys: ["b"],
    ...over,
  };
}

function hit(over: Partial<Hit>): Hit {
  return { member: "a", part: "agent", how: "kill", fromMs: 10_500, toMs: 12_000, ...over };
}

const ON_B = { member: "b", timeline: 2, standbys: ["c"] };

interface Row {
  readonly name: string;
  readonly writes: readonly Write[];
  readonly hits?: readonly Hit[];
  readonly present?: readonly number[];
  readonly kinds: readonly string[];
}

const NEXT = write({ id: 9, ...ON_B, endedMs: 20_000 });

const TABLE: readonly Row[] = [
  { name: "one reign after the other", writes: [write({ id: 1 }), NEXT], kinds: [] },
  {
    name: "a confirmation of the old leader after the first of the new one",
    writes: [write({ id: 1 }), NEXT, write({ id: 2, endedMs: 20_010 })],
    kinds: ["overlap"],
  },
  {
    name: "two members on one timeline in turns",
    writes: [
      write({ id: 1 }),
      write({ id: 2, member: "b", endedMs: 11_000 }),
      write({ id: 3, endedMs: 12_000 }),
    ],
    kinds: ["overlap"],
  },
  {
    name: "a commit asked for before, confirmed after the new one began",
    writes: [write({ id: 1 }), NEXT, write({ id: 2, askedMs: 19_000, endedMs: 20_500 })],
    kinds: ["overlap"],
  },
  {
    name: "a leader on an older timeline than the one before",
    writes: [write({ id: 1, timeline: 3 }), NEXT],
    kinds: ["older-timeline"],
  },
  {
    name: "a write lost for no reason",
    writes: [write({ id: 1 }), NEXT],
    present: [9],
    kinds: ["lost"],
  },
  {
    name: "a write lost after a kill of the agent alone",
    writes: [write({ id: 1 }), NEXT],
    hits: [hit({})],
    present: [9],
    kinds: ["lost"],
  },
  {
    name: "a write lost just before a kill of its postmaster",
    writes: [write({ id: 1 }), NEXT],
    hits: [hit({ part: "postmaster" })],
    present: [9],
    kinds: [],
  },
  {
    name: "a write lost long before a kill of its postmaster",
    writes: [write({ id: 1, endedMs: 9_000 }), NEXT],
    hits: [hit({ part: "postmaster" })],
    present: [9],
    kinds: ["lost"],
  },
  {
    name: "a write lost at the end of a reign whose postmaster was stopped",
    writes: [write({ id: 1, endedMs: 9_500 }), write({ id: 2, endedMs: 14_000 }), NEXT],
    hits: [hit({ part: "postmaster", how: "stop", fromMs: 9_000, toMs: 15_000 })],
    present: [1, 9],
    kinds: [],
  },
  {
    name: "a write lost in the middle of such a reign",
    writes: [write({ id: 1, endedMs: 9_500 }), write({ id: 2, endedMs: 14_000 }), NEXT],
    hits: [hit({ part: "postmaster", how: "stop", fromMs: 9_000, toMs: 15_000 })],
    present: [2, 9],
    kinds: ["lost"],
  },
  {
    name: "a write lost while no standby streamed",
    writes: [write({ id: 1, standbys: [] }), NEXT],
    present: [9],
    kinds: [],
  },
  {
    name: "a write lost because the agent of its only standby was gone",
    writes: [write({ id: 1 }), write({ id: 9, ...ON_B, member: "c", endedMs: 20_000 })],
    hits: [hit({ member: "b", fromMs: 11_000, toMs: 30_000 })],
    present: [9],
    kinds: [],
  },
  {
    name: "a write lost although one of two standbys was there",
    writes: [
      write({ id: 1, standbys: ["b", "c"] }),
      write({ id: 9, ...ON_B, member: "c", endedMs: 20_000 }),
    ],
    hits: [hit({ member: "b", fromMs: 11_000, toMs: 30_000 })],
    present: [9],
    kinds: ["lost"],
  },
  {
    name: "a write lost although only the switch of its standby was hit",
    writes: [write({ id: 1 }), NEXT],
    hits: [hit({ member: "b", part: "switch" })],
    present: [9],
    kinds: ["lost"],
  },
  {
    name: "a write lost although its standby was hit only after the election",
    writes: [write({ id: 1 }), NEXT],
    hits: [hit({ member: "b", fromMs: 20_500, toMs: 21_000 })],
    present: [9],
    kinds: ["lost"],
  },
  {
    name: "a write lost together with all of the next leader, which was killed before it sent any",
    writes: [
      write({ id: 1 }),
      NEXT,
      write({ id: 20, member: "c", timeline: 2, endedMs: 30_000 }),
    ],
    hits: [hit({ member: "b", part: "postmaster", fromMs: 20_100, toMs: 40_000 })],
    present: [20],
    kinds: [],
  },
  {
    name: "a write lost although something of the next leader is left",
    writes: [
      write({ id: 1 }),
      NEXT,
      write({ id: 20, member: "c", timeline: 3, endedMs: 30_000 }),
    ],
    hits: [hit({ member: "b", part: "postmaster", fromMs: 20_100, toMs: 40_000 })],
    present: [9, 20],
    kinds: ["lost"],
  },
  {
    name: "a refused write that is there",
    writes: [write({ id: 1, outcome: "refused" })],
    present: [1],
    kinds: ["ghost"],
  },
  {
    name: "writes without an answer, there or not",
    writes: [write({ id: 1, outcome: "unknown" }), write({ id: 2, outcome: "unknown" })],
    present: [1],
    kinds: [],
  },
];

function historyOf({ writes, hits = [], present }: Row): History {
  const confirmed = writes.filter(({ outcome }) => outcome === "confirmed");
  return { writes, hits, present: new Set(present ?? confirmed.map(({ id }) => id)) };
}

for (const row of TABLE) {
  Deno.test(`violationsOf() judges ${row.name}: ${row.kinds.join() || "fine"}`, () => {
    deepEqual(violationsOf(historyOf(row)).map(({ kind }) => kind), row.kinds);
  });
}

Deno.test("lossesOf() tells the excused ones, too", () => {
  const history = {
    writes: [write({ id: 1, standbys: [] }), NEXT],
    hits: [],
    present: new Set([9]),
  };
  deepEqual(lossesOf(history).map(({ write: { id } }) => id), [1]);
});
