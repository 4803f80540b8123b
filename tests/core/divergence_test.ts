import assert from "node:assert/strict";
import { endOfReplica, endOfStopped, judgeFork } from "../../lib/core/divergence.ts";
import type { Fork, LocalEnd } from "../../lib/core/divergence.ts";
import type { TimelineSwitch } from "../../lib/core/timeline.ts";
import { control, lsn, replica } from "./builders.ts";

const LEFT_AT_900: readonly TimelineSwitch[] = [{ timeline: 1, switchLsn: lsn(900), reason: "" }];
const LEFT_TWICE: readonly TimelineSwitch[] = [
  ...LEFT_AT_900,
  { timeline: 3, switchLsn: lsn(950), reason: "" },
];

interface Case {
  readonly name: string;
  readonly local: LocalEnd;
  readonly timeline: number;
  readonly history: readonly TimelineSwitch[];
  readonly fork: Fork;
}

function at(timeline: number, position: number, inclusive = false): LocalEnd {
  return { timeline, lsn: lsn(position), inclusive };
}

const CASES: readonly Case[] = [
  { name: "D4: a higher timeline", local: at(3, 1), timeline: 2, history: [], fork: "forked" },
  { name: "D5: the same timeline", local: at(2, 999), timeline: 2, history: [], fork: "same" },
  {
    name: "D6: a replica at the switch",
    local: at(1, 900),
    timeline: 2,
    history: LEFT_AT_900,
    fork: "same",
  },
  {
    name: "D6: a replica beyond the switch",
    local: at(1, 901),
    timeline: 2,
    history: LEFT_AT_900,
    fork: "forked",
  },
  {
    name: "D6: a shutdown checkpoint at the switch",
    local: at(1, 900, true),
    timeline: 2,
    history: LEFT_AT_900,
    fork: "forked",
  },
  {
    name: "D6: a shutdown checkpoint before the switch",
    local: at(1, 899, true),
    timeline: 2,
    history: LEFT_AT_900,
    fork: "same",
  },
  {
    name: "D7: no ancestor of the leader",
    local: at(2, 1),
    timeline: 4,
    history: LEFT_TWICE,
    fork: "forked",
  },
  {
    name: "D8: a leader without history",
    local: at(1, 999),
    timeline: 2,
    history: [],
    fork: "unknown",
  },
];

Deno.test("judgeFork() compares the local end with the leader's history", () => {
  for (const { name, local, timeline, history, fork } of CASES) {
    assert.equal(judgeFork(local, { timeline, history }), fork, name);
  }
});

Deno.test("endOfStopped() reads a clean shutdown as inclusive", () => {
  assert.deepEqual(endOfStopped(control()), at(1, 1000, true));
});

Deno.test("endOfStopped() takes the recovery point of a stopped replica", () => {
  const state = "shut down in recovery";
  const minRecovery = { lsn: lsn(1200), timeline: 2 };
  assert.deepEqual(endOfStopped(control({ state, minRecovery })), at(2, 1200));
});

Deno.test("endOfStopped() has no answer after a crash", () => {
  assert.equal(endOfStopped(control({ state: "in production" })), null);
});

Deno.test("endOfReplica() has no answer while timeline or position are unknown", () => {
  assert.equal(endOfReplica(replica({ timeline: null })), null);
  assert.equal(endOfReplica(replica({ replayedLsn: null })), null);
});
