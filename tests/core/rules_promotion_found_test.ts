import assert from "node:assert/strict";
import { decide } from "../../lib/core/decide.ts";
import { initialMemory } from "../../lib/core/memory.ts";
import type { NodeView } from "../../lib/core/node_view.ts";
import { cluster, nodeView, raceView, replica, replicaView, self } from "./builders.ts";

const BROKEN = { kind: "unusable", required: true, why: "no device" } as const;
const REFUSED = {
  kind: "ended",
  task: { kind: "pre-promote", lockRevision: 5n },
  result: "failed",
  reason: "no",
  endedMs: 1,
} as const;
const LEADER = nodeView({ postgres: replica() });

/** What is ordered with a promotion by the process before, and without. */
function orders(view: NodeView): readonly (readonly string[])[] {
  return [true, false].map((promotionFound) => {
    const { actions } = decide(view, { ...initialMemory, promotionFound });
    return actions.map((action) => action.kind === "start-task" ? action.task.kind : action.kind)
      .filter((kind) => ["stop", "release-lock", "promote", "pre-promote"].includes(kind));
  });
}

const CASES: readonly (readonly [string, NodeView, readonly string[], readonly string[]])[] = [
  ["a broken watchdog", { ...LEADER, watchdog: BROKEN }, ["stop"], ["release-lock"]],
  [
    "a refusing pre_promote",
    { ...LEADER, task: REFUSED, self: self({ hasPrePromote: true }) },
    ["stop"],
    ["release-lock"],
  ],
  ["the lock", LEADER, ["promote"], ["promote"]],
  [
    "the lock, and a pre_promote that it may not have reached",
    { ...LEADER, self: self({ hasPrePromote: true }) },
    ["pre-promote"],
    ["pre-promote"],
  ],
  ["another leader", replicaView(), ["stop"], []],
  ["no leader", raceView(), ["stop"], []],
  ["an end of the lease", { ...LEADER, lease: { kind: "lost", why: "x" } }, ["stop"], [
    "release-lock",
  ]],
];

for (const [title, view, found, none] of CASES) {
  Deno.test(`a promotion that the process before may have ordered, with ${title}`, () => {
    assert.deepEqual(orders(view), [found, none]);
  });
}

Deno.test("a promotion that may still happen forbids to detach", () => {
  const view = replicaView({ cluster: cluster({ lock: "b" }), wishes: [{ kind: "detach" }] });
  const rule = (promotionFound: boolean): string =>
    decide(view, { ...initialMemory, promotionFound }).rule;
  assert.deepEqual([rule(true), rule(false)], ["follow", "detach"]);
});
