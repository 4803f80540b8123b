import assert from "node:assert/strict";
import type { Action, TaskSpec } from "../../lib/core/action.ts";
import { decide } from "../../lib/core/decide.ts";
import { evolve, initialMemory } from "../../lib/core/memory.ts";
import type { Memory } from "../../lib/core/memory.ts";
import type { NodeView, RestartWish, TaskView } from "../../lib/core/node_view.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import {
  cluster,
  control,
  down,
  handover,
  held,
  nodeView,
  NOW_MS,
  peer,
  primary,
  raceView,
  replica,
  replicaView,
  unreachable,
} from "./builders.ts";

const SETTLED: Memory = {
  ...initialMemory,
  appliedSettings: defaultSettings,
  lastSettings: defaultSettings,
  lastConfig: {},
};
const BEGUN: Memory = { ...SETTLED, begunErrand: "r1" };
const ANY = { role: null, olderThan: null, pendingOnly: false } as const;
const START_TIME = "2026-01-01 10:00:00.123456+00:00";
const WALL_MS = nodeView().wallMs;
const PAUSED = { ...defaultSettings, paused: true };

function wish(overrides: Partial<RestartWish> = {}): RestartWish {
  const now: RestartWish = {
    kind: "restart",
    id: "r1",
    conditions: ANY,
    timeoutS: null,
    schedule: null,
  };
  return { ...now, ...overrides };
}

function planned(inMs: number, startTime = START_TIME): RestartWish {
  const schedule = { atMs: WALL_MS + inMs, startTime, shown: {} };
  return wish({ kind: "scheduled-restart", schedule });
}

function asked(view: NodeView, order: RestartWish = wish()): NodeView {
  return { ...view, wishes: [order] };
}

function ordered(actions: readonly Action[]): readonly string[] {
  return actions.map((action) => action.kind === "start-task" ? action.task.kind : action.kind);
}

function end(actions: readonly Action[]): readonly [string, string] | null {
  const found = actions.find((action) => action.kind === "settle");
  return found?.kind === "settle" ? [found.state, found.reply.text] : null;
}

const STOP: TaskSpec = {
  kind: "stop",
  how: "fast",
  checkpointFirst: true,
  escalation: { immediateAtMs: null, killAtMs: null },
  why: "restart",
  errand: { kind: "restart", id: "r1" },
};

function running(task: TaskSpec, sinceMs = NOW_MS - 10): TaskView {
  return { kind: "running", task, sinceMs, cancellable: true, progress: null };
}

function ended(task: TaskSpec, result: "done" | "failed" | "cancelled" = "done"): TaskView {
  const reason = result === "failed" ? "no room" : null;
  return { kind: "ended", task, result, reason, endedMs: NOW_MS - 10 };
}

Deno.test("restart stops the leader in order, under its lock, with a checkpoint first", () => {
  const { rule, actions } = decide(asked(nodeView()), SETTLED);
  assert.equal(rule, "restart");
  assert.deepEqual(ordered(actions), ["hold-lock", "stop"]);
  const stop = actions.at(-1);
  assert.ok(stop?.kind === "start-task" && stop.task.kind === "stop");
  assert.ok(stop.task.how === "fast" && stop.task.checkpointFirst);
  assert.deepEqual(stop.task.errand, { kind: "restart", id: "r1" });
  const outcome = { action: stop, result: "done", reason: null, atMs: NOW_MS } as const;
  assert.equal(evolve(SETTLED, outcome).begunErrand, "r1");
});

Deno.test("restart stops a replica without touching the lock", () => {
  assert.deepEqual(ordered(decide(asked(replicaView()), SETTLED).actions), ["stop"]);
});

Deno.test("restart keeps the lock while the server goes down, also when a peer has everything", () => {
  const stopping = control({ state: "shut down" });
  const silent = { kind: "silent", systemId: "", lastRole: "primary", why: "", stopping } as const;
  const view = asked(nodeView({ postgres: silent, task: running(STOP), peers: [peer("b")] }));
  assert.deepEqual(ordered(decide(view, BEGUN).actions), ["hold-lock"]);
});

Deno.test("restart starts the leader again under its lock and asks nobody to take over", () => {
  for (const primaryStartTimeoutS of [300, 0]) {
    const settings = { ...defaultSettings, primaryStartTimeoutS };
    const led = cluster({ settings });
    const view = asked(nodeView({ cluster: led, postgres: down(), task: ended(STOP) }));
    const { actions } = decide(view, { ...BEGUN, downSinceMs: NOW_MS - 500 });
    assert.deepEqual(ordered(actions), ["hold-lock", "start-primary"]);
    const start = actions.at(-1);
    assert.ok(start?.kind === "start-task" && start.task.kind === "start-primary");
    assert.equal(start.task.timeoutMs, primaryStartTimeoutS === 0 ? 30_000 : 300_000);
    assert.equal(start.task.notAfterMs, NOW_MS + 15_000);
  }
});

Deno.test("restart bounds the start by the operator's timeout", () => {
  const view = asked(
    nodeView({ postgres: down(), task: ended(STOP) }),
    wish({ timeoutS: 7 }),
  );
  const start = decide(view, BEGUN).actions.at(-1);
  assert.ok(start?.kind === "start-task" && start.task.kind === "start-primary");
  assert.equal(start.task.timeoutMs, 7000);
});

Deno.test("restart starts nothing without the lease: the lock was lost during the stop", () => {
  const lost = nodeView({ postgres: down(), task: ended(STOP), lease: { kind: "lost", why: "" } });
  assert.deepEqual(ordered(decide(asked(lost), BEGUN).actions), ["release-lock"]);
});

const PRIMARY: TaskSpec = {
  kind: "start-primary",
  notAfterMs: NOW_MS,
  timeoutMs: 1,
  errand: { kind: "restart", id: "r1" },
};
const REPLICA: TaskSpec = {
  kind: "start-replica",
  upstream: null,
  errand: { kind: "restart", id: "r1" },
};
const FOREIGN_STOP: TaskSpec = { ...STOP, errand: { kind: "restart", id: "another" } };

const ENDS: readonly (readonly [string, Partial<NodeView>, readonly [string, string] | null])[] = [
  ["done", { task: ended(PRIMARY) }, ["done", "restarted successfully"]],
  ["the stop runs", { task: running(STOP, 0) }, null],
  ["the start runs", { task: running(PRIMARY) }, null],
  ["the start lasts", { task: running(REPLICA, NOW_MS - 300_001) }, ["failed", "restart failed"]],
  ["the start failed", { task: ended(PRIMARY, "failed") }, ["failed", "restart failed"]],
  ["the stop failed", { task: ended(STOP, "failed") }, ["failed", "restart failed"]],
  [
    "the start was cancelled",
    { task: ended(PRIMARY, "cancelled") },
    ["failed", "postgres is still starting"],
  ],
  ["another task came", { task: ended(FOREIGN_STOP) }, ["failed", "restart failed"]],
  ["the task is forgotten", { task: { kind: "idle" } }, ["failed", "restart failed"]],
];

for (const [name, overrides, expected] of ENDS) {
  Deno.test(`restart tells its end once it has begun: ${name}`, () => {
    const { actions } = decide(asked(nodeView(overrides)), BEGUN);
    assert.deepEqual(end(actions), expected);
    assert.ok(!ordered(actions).includes("stop"));
  });
}

Deno.test("restart is looked at often while it runs, and when its start is late", () => {
  const stopping = asked(nodeView({ task: running(STOP, 0) }));
  assert.equal(decide(stopping, BEGUN).wakeAtMs, NOW_MS + 1000);
  const stopped = asked(replicaView({ task: ended(STOP) }), wish({ timeoutS: 1 }));
  assert.equal(decide(stopped, BEGUN).wakeAtMs, NOW_MS - 10 + 1001);
});

const CONDITIONS: readonly (readonly [string, Partial<RestartWish["conditions"]>, boolean])[] = [
  ["its role", { role: "primary" }, true],
  ["another role", { role: "replica" }, false],
  ["a newer version than its own", { olderThan: 150021 }, true],
  ["its own version", { olderThan: 150020 }, false],
  ["a pending restart, and none is", { pendingOnly: true }, false],
];

for (const [name, conditions, isMet] of CONDITIONS) {
  Deno.test(`restart asks for ${name}: ${isMet ? "begins" : "refuses"}`, () => {
    const view = asked(nodeView(), wish({ conditions: { ...ANY, ...conditions } }));
    const { actions } = decide(view, SETTLED);
    assert.deepEqual(
      end(actions),
      isMet ? null : ["refused", "restart conditions are not satisfied"],
    );
    assert.equal(ordered(actions).includes("stop"), isMet);
  });
}

Deno.test("restart asks for a pending restart, and one is: begins", () => {
  const pendingRestart = { max_connections: { oldValue: "100", newValue: "200" } };
  const view = asked(
    nodeView({ postgres: primary({ pendingRestart }) }),
    wish({ conditions: { ...ANY, pendingOnly: true } }),
  );
  assert.ok(ordered(decide(view, SETTLED).actions).includes("stop"));
});

const WITH_CLONE = running({
  kind: "clone",
  source: { name: "b", connUrl: "" },
  old: "refuse",
  why: "",
});

const REFUSED: readonly (readonly [string, NodeView, string, Partial<Memory>?])[] = [
  ["a task runs", replicaView({ task: WITH_CLONE }), "clone already in progress"],
  ["the store is silent", nodeView({ cluster: unreachable() }), "restart failed"],
  ["the lease is not proved", nodeView({ lease: { kind: "none" } }), "restart failed"],
  ["nobody leads", raceView(), "restart failed"],
  ["a replica under the lock", nodeView({ postgres: replica() }), "restart failed"],
  [
    "a promotion may happen",
    replicaView(),
    "restart failed",
    { promoteAskedMs: NOW_MS },
  ],
  ["the server is down", replicaView({ postgres: down() }), "restart failed"],
  [
    "a handover is due",
    nodeView({ cluster: cluster({ handover: handover({ leader: "a" }) }) }),
    "restart failed",
  ],
  [
    "a primary without the lock in maintenance mode",
    nodeView({ cluster: cluster({ lock: "b", settings: PAUSED }), lease: { kind: "none" } }),
    "restart failed",
  ],
];

for (const [name, view, text, memory] of REFUSED) {
  Deno.test(`restart is refused: ${name}`, () => {
    const decision = decide(asked(view), { ...SETTLED, ...memory });
    assert.deepEqual(end(decision.actions), ["refused", text]);
    assert.notEqual(decision.rule, "restart");
  });
}

Deno.test("restart by hand is carried out in maintenance mode, under the lock and beside it", () => {
  const leading = nodeView({ cluster: cluster({ settings: PAUSED }) });
  const following = replicaView({ cluster: cluster({ lock: "b", settings: PAUSED }) });
  const alone = raceView({ cluster: cluster({ lock: null, settings: PAUSED }) });
  assert.ok(ordered(decide(asked(leading), SETTLED).actions).includes("stop"));
  assert.ok(ordered(decide(asked(following), SETTLED).actions).includes("stop"));
  // Nobody may lead then in any case; the rung of the mode answers first and leaves it running.
  assert.ok(!ordered(decide(asked(alone), SETTLED).actions).includes("stop"));
});

Deno.test("a scheduled restart waits for its time and wakes then", () => {
  const view = asked(nodeView({ lease: held(20_000) }), planned(3000));
  const decision = decide(view, SETTLED);
  assert.equal(decision.rule, "lead");
  assert.equal(decision.wakeAtMs, NOW_MS + 3000);
  assert.equal(end(decision.actions), null);
});

Deno.test("a scheduled restart is carried out within one and a half loops, then dropped as stale", () => {
  for (const lateMs of [0, 15_000]) {
    const decision = decide(asked(nodeView(), planned(-lateMs)), SETTLED);
    assert.equal(decision.rule, "restart", String(lateMs));
  }
  const { rule, actions } = decide(asked(nodeView(), planned(-15_001)), SETTLED);
  assert.equal(rule, "lead");
  assert.deepEqual(end(actions), ["refused", "restart failed"]);
});

Deno.test("a scheduled restart is for the server that ran when it was planned", () => {
  const { actions } = decide(asked(nodeView(), planned(3000, "2025-01-01")), SETTLED);
  assert.deepEqual(end(actions), ["refused", "restart failed"]);
});

Deno.test("a scheduled restart waits while a task runs or in maintenance mode", () => {
  const busy = replicaView({ task: WITH_CLONE });
  const paused = nodeView({ cluster: cluster({ settings: PAUSED }) });
  for (const view of [busy, paused]) {
    const { rule, actions } = decide(asked(view, planned(0)), SETTLED);
    assert.notEqual(rule, "restart");
    assert.equal(end(actions), null);
  }
});

Deno.test("a scheduled restart tests its conditions at its time, not before", () => {
  const conditions = { ...ANY, role: "replica" } as const;
  const early = asked(nodeView(), { ...planned(1), conditions });
  const due = asked(nodeView(), { ...planned(0), conditions });
  assert.equal(end(decide(early, SETTLED).actions), null);
  assert.equal(end(decide(due, SETTLED).actions)?.[1], "restart conditions are not satisfied");
});
