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
  leaderReport,
  lsn,
  member,
  nodeView,
  NOW_MS,
  primary,
  raceView,
  replica,
  replicaView,
  SYSTEM_ID,
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
  const leader = leaderReport("b");
  const order = copyOrder(asked(replicaView({ postgres: STOPPED, task: ended(STOP), leader })));
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

/** The leader left timeline 1 at 900. */
const HISTORY = [{ timeline: 1, switchLsn: lsn(900), reason: "" }];
const ON_TWO = leaderReport("b", { timeline: 2, history: HISTORY });
const STOP_KEPT: TaskSpec = { ...STOP, forked: true };

const KEPT: readonly (readonly [string, Partial<NodeView>, string])[] = [
  ["it ends where the leader's line left", { postgres: ended900() }, "remove"],
  ["it went on beyond that point", { postgres: ended900(1) }, "move-aside"],
  [
    "it seemed so only while it ran",
    { postgres: ended900(), task: ended(STOP_KEPT) },
    "move-aside",
  ],
  [
    "the leader shows no history",
    { postgres: ended900(), leader: leaderReport("b", { timeline: 2 }) },
    "move-aside",
  ],
  [
    "the leader does not answer",
    { postgres: ended900(), leader: { kind: "failed", name: "b", why: "" } },
    "move-aside",
  ],
  ["another one answered", { postgres: ended900(), leader: leaderReport("c") }, "move-aside"],
  [
    "it is of another cluster",
    { postgres: down({ state: "in archive recovery", systemId: "1" }) },
    "move-aside",
  ],
];

/** A replica that was stopped at 900 of timeline 1, or so much later. */
function ended900(beyond = 0): ReturnType<typeof down> {
  const minRecovery = { timeline: 1, lsn: lsn(900 + beyond) };
  return down({ state: "in archive recovery", minRecovery });
}

for (const [name, overrides, old] of KEPT) {
  Deno.test(`reinitialize keeps what no other member may have: ${name}`, () => {
    const view = asked(replicaView({ task: ended(STOP), leader: ON_TWO, ...overrides }));
    assert.equal(copyOrder(view).old, old);
  });
}

Deno.test("reinitialize looks at the leader's history before data is given up", () => {
  const down = asked(replicaView({ postgres: ended900(), task: ended(STOP) }));
  const behind = asked(replicaView({ postgres: replica({ streaming: false }) }));
  for (const view of [down, behind]) {
    const { actions, again } = decide(view, SETTLED);
    assert.deepEqual([ordered(actions), again], [["inspect-leader"], true]);
  }
});

const STOPS: readonly (readonly [string, Parameters<typeof replica>[0], true | undefined])[] = [
  ["streams", {}, undefined],
  ["has what the leader has", { streaming: false, ...at(900, 900) }, undefined],
  ["replayed more", { streaming: false, ...at(901, 901) }, true],
  ["received more than it replayed", { streaming: false, ...at(901, 800) }, true],
  ["was promoted", { streaming: false, ...at(100, 100), timeline: 3 }, true],
];

function at(received: number, replayed: number): Parameters<typeof replica>[0] {
  return { receivedLsn: lsn(received), replayedLsn: lsn(replayed) };
}

for (const [name, overrides, forked] of STOPS) {
  Deno.test(`reinitialize remembers over the stop of a replica what must be kept: it ${name}`, () => {
    const view = asked(replicaView({ postgres: replica(overrides), leader: ON_TWO }));
    const [stop] = decide(view, SETTLED).actions;
    assert.ok(stop?.kind === "start-task" && stop.task.kind === "stop");
    assert.equal(stop.task.forked, forked);
  });
}

Deno.test("reinitialize keeps the data of a stuck replica, which positions do not show", () => {
  const postgres = replica({ streaming: false, timeline: 2 });
  const stuck = { leader: "b", replayedLsn: postgres.replayedLsn, sinceMs: NOW_MS - 1e6 };
  const status = { lsn: lsn(1000), slots: { a: lsn(1000) }, retainSlots: [] };
  const leading = cluster({ lock: "b", status });
  const view = asked(replicaView({ cluster: leading, postgres, leader: ON_TWO }));
  const [stop] = decide(view, { ...SETTLED, stuck }).actions;
  assert.ok(stop?.kind === "start-task" && stop.task.kind === "stop");
  assert.equal(stop.task.forked, true);
});

Deno.test("reinitialize names the system that the source must be of", () => {
  const gone = cluster({ lock: "b", systemId: null });
  const leader = leaderReport("b");
  for (const seen of [cluster({ lock: "b" }), gone]) {
    for (const fromLeader of [true, false]) {
      const view = replicaView({ cluster: seen, postgres: STOPPED, leader });
      assert.equal(copyOrder(asked(view, { fromLeader })).source.systemId, SYSTEM_ID);
    }
  }
});

Deno.test("reinitialize prefers a member tagged clonefrom, unless the leader is wanted", () => {
  const tags = readTags({ clonefrom: true });
  const members = [
    member("a"),
    member("b", { role: "primary" }),
    member("c", { tags }),
  ];
  const leader = leaderReport("b");
  const view = replicaView({ cluster: cluster({ lock: "b", members }), postgres: STOPPED, leader });
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
