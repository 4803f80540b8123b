import assert from "node:assert/strict";
import type { Action, TaskSpec } from "../../lib/core/action.ts";
import { decide } from "../../lib/core/decide.ts";
import { initialMemory } from "../../lib/core/memory.ts";
import type { Memory } from "../../lib/core/memory.ts";
import type { NodeView, ReinitializeWish, TaskView } from "../../lib/core/node_view.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import { readTags } from "../../lib/core/tags.ts";
import {
  cluster,
  connUrlOf,
  control,
  down,
  member,
  nodeView,
  NOW_MS,
  primary,
  raceView,
  replicaView,
  unreachable,
} from "./builders.ts";

const SETTLED: Memory = { ...initialMemory, appliedSettings: defaultSettings, lastConfig: {} };
const BEGUN: Memory = { ...SETTLED, begunErrand: "o1" };
const ERRAND = { kind: "reinitialize", id: "o1" } as const;
const STOPPED = down({ state: "in archive recovery" });

const STOP: TaskSpec = {
  kind: "stop",
  how: "immediate",
  checkpointFirst: false,
  escalation: { immediateAtMs: 0, killAtMs: 1 },
  why: "",
  errand: ERRAND,
};
const CLONE: TaskSpec = {
  kind: "clone",
  source: { name: "b", connUrl: connUrlOf("b") },
  old: "remove",
  why: "",
  errand: ERRAND,
};
const OTHER: TaskSpec = { kind: "start-replica", upstream: null };

function asked(view: NodeView, overrides: Partial<ReinitializeWish> = {}): NodeView {
  const order = { kind: "reinitialize", id: "o1", force: false, fromLeader: false } as const;
  return { ...view, wishes: [{ ...order, ...overrides }] };
}

function running(task: TaskSpec, cancellable = true): TaskView {
  return { kind: "running", task, sinceMs: NOW_MS - 10, cancellable, progress: null };
}

function ended(task: TaskSpec, result: "done" | "failed" | "cancelled" = "done"): TaskView {
  return { kind: "ended", task, result, reason: null, endedMs: NOW_MS - 10 };
}

function ordered(actions: readonly Action[]): readonly string[] {
  return actions.map((action) => action.kind === "start-task" ? action.task.kind : action.kind);
}

function end(actions: readonly Action[]): readonly [string, string] | null {
  const found = actions.find((action) => action.kind === "settle");
  return found?.kind === "settle" ? [found.state, found.reply.text] : null;
}

function copyOrder(view: NodeView): Extract<TaskSpec, { kind: "clone" }> {
  const last = decide(view, SETTLED).actions.at(-1);
  assert.ok(last?.kind === "start-task" && last.task.kind === "clone");
  return last.task;
}

Deno.test("reinitialize stops the replica at once, for certain within retry_timeout", () => {
  const { rule, actions } = decide(asked(replicaView()), SETTLED);
  assert.equal(rule, "reinitialize");
  const [stop] = actions;
  assert.ok(stop?.kind === "start-task" && stop.task.kind === "stop");
  assert.deepEqual(stop.task.escalation, {
    immediateAtMs: NOW_MS,
    killAtMs: NOW_MS + 10_000,
  });
});

Deno.test("reinitialize copies the leader in the place of a replica's data", () => {
  const order = copyOrder(asked(replicaView({ postgres: STOPPED, task: ended(STOP) })));
  assert.equal(order.source.name, "b");
  assert.equal(order.old, "remove");
  assert.deepEqual(order.errand, ERRAND);
});

Deno.test("reinitialize keeps what may have been written to as a primary aside", () => {
  for (const state of ["shut down", "in production", "in crash recovery"]) {
    const postgres = { kind: "down", control: control({ state }), crashed: true } as const;
    assert.equal(copyOrder(asked(replicaView({ postgres }))).old, "move-aside", state);
  }
  const unreadable = { kind: "unreadable", why: "no PG_VERSION" } as const;
  assert.equal(copyOrder(asked(replicaView({ postgres: unreadable }))).old, "move-aside");
  const foreign = down({ systemId: "1", state: "shut down" });
  assert.equal(copyOrder(asked(replicaView({ postgres: foreign }))).old, "move-aside");
});

Deno.test("reinitialize prefers a member tagged clonefrom, unless the leader is wanted", () => {
  const tags = readTags({ clonefrom: true });
  const members = [
    member("a"),
    member("b", { role: "primary" }),
    member("c", { tags }),
  ];
  const view = replicaView({ cluster: cluster({ lock: "b", members }), postgres: STOPPED });
  assert.equal(copyOrder(asked(view)).source.name, "c");
  assert.equal(copyOrder(asked(view, { fromLeader: true })).source.name, "b");
});

Deno.test("reinitialize begins at once where no server runs, also in maintenance mode", () => {
  const settings = { ...defaultSettings, paused: true };
  const paused = cluster({ lock: "b", settings });
  assert.equal(copyOrder(asked(replicaView({ postgres: { kind: "no-data" } }))).old, "refuse");
  const view = replicaView({ cluster: paused, postgres: { kind: "no-data" } });
  assert.equal(copyOrder(asked(view)).source.name, "b");
});

Deno.test("reinitialize leaves a primary without the lock to those that stop it first", () => {
  const view = asked(replicaView({ postgres: primary() }));
  assert.equal(decide(view, SETTLED).rule, "follow");
});

const NO_LEADER = "Cluster has no leader, can not reinitialize";

const ENDS: readonly (readonly [string, NodeView, Memory, readonly [string, string] | null])[] = [
  ["the leader", nodeView(), SETTLED, ["refused", "I am the leader, can not reinitialize"]],
  ["nobody leads", raceView(), SETTLED, ["refused", NO_LEADER]],
  ["a silent store", replicaView({ cluster: unreachable() }), SETTLED, ["refused", NO_LEADER]],
  [
    "a leader without address",
    replicaView({ cluster: cluster({ lock: "x" }) }),
    SETTLED,
    ["refused", NO_LEADER],
  ],
  [
    "a task runs",
    replicaView({ task: running(OTHER) }),
    SETTLED,
    ["refused", "start-replica already in progress"],
  ],
  ["the stop runs", replicaView({ task: running(STOP) }), BEGUN, null],
  [
    "the copy runs",
    replicaView({ postgres: { kind: "no-data" }, task: running(CLONE) }),
    BEGUN,
    null,
  ],
  ["the copy is done", replicaView({ task: ended(CLONE) }), BEGUN, [
    "done",
    "reinitialized successfully",
  ]],
  [
    "the copy failed",
    replicaView({ task: ended(CLONE, "failed"), postgres: { kind: "no-data" } }),
    BEGUN,
    ["failed", "reinitialize failed"],
  ],
  [
    "the leader went before the copy began",
    raceView({ task: ended(STOP), postgres: STOPPED }),
    BEGUN,
    ["failed", NO_LEADER],
  ],
  ["another task came", replicaView({ task: ended(OTHER) }), BEGUN, [
    "failed",
    "reinitialize failed",
  ]],
];

for (const [name, view, memory, expected] of ENDS) {
  Deno.test(`reinitialize tells how it ended: ${name}`, () => {
    const { actions } = decide(asked(view), memory);
    assert.deepEqual(end(actions), expected);
  });
}

Deno.test("reinitialize with force cancels the task that runs, and waits where it cannot", () => {
  const force = { force: true };
  const busy = asked(replicaView({ task: running(OTHER) }), force);
  assert.deepEqual(ordered(decide(busy, SETTLED).actions), ["cancel-task"]);
  const stuck = asked(replicaView({ task: running(OTHER, false) }), force);
  assert.equal(decide(stuck, SETTLED).rule, "task-running");
  assert.equal(end(decide(stuck, SETTLED).actions), null);
});
