import assert from "node:assert/strict";
import { decide } from "../../lib/core/decide.ts";
import { initialMemory } from "../../lib/core/memory.ts";
import type { Memory } from "../../lib/core/memory.ts";
import type { LeaseView, NodeView, TaskView } from "../../lib/core/node_view.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import { readTags } from "../../lib/core/tags.ts";
import {
  cluster,
  down,
  held,
  lsn,
  member,
  nodeView,
  NOW_MS,
  primary,
  replica,
  replicaView,
  self,
  SYSTEM_ID,
  unreachable,
} from "./builders.ts";

const SHUTDOWN = { wishes: [{ kind: "shutdown" }] } as const;
const OTHER_ID = "7999999999999999999";
const LOST: LeaseView = { kind: "lost", why: "refused" };

function ordered(view: NodeView, memory: Memory = initialMemory): readonly string[] {
  const { actions } = decide(view, memory);
  return actions.map((action) => action.kind === "start-task" ? action.task.kind : action.kind);
}

function running(
  kind: "promote" | "bootstrap" | "stop" | "follow",
  cancellable: boolean,
): TaskView {
  const calm = { immediateAtMs: null, killAtMs: null };
  const tasks = {
    promote: { kind: "promote", notAfterMs: 1 },
    bootstrap: { kind: "bootstrap" },
    follow: { kind: "follow", upstream: null },
    stop: { kind: "stop", how: "fast", checkpointFirst: true, escalation: calm, why: "" },
  } as const;
  return { kind: "running", task: tasks[kind], sinceMs: 0, cancellable, progress: null };
}

function ended(kind: "bootstrap" | "stop", result: "done" | "failed"): TaskView {
  const task = running(kind, true);
  if (task.kind !== "running") throw new TypeError(`Cannot end ${kind}: it does not run`);
  return { kind: "ended", task: task.task, result, reason: null, endedMs: NOW_MS - 60_000 };
}

Deno.test("shutdown stops the server under the lock, then releases it with its last position", () => {
  assert.deepEqual(ordered(nodeView(SHUTDOWN)), ["hold-lock", "stop"]);
  assert.deepEqual(decide(nodeView({ ...SHUTDOWN, postgres: down() }), initialMemory).actions, [
    { kind: "release-lock", lastLsn: lsn(1000) },
    { kind: "exit" },
  ]);
});

Deno.test("shutdown stops a replica and leaves", () => {
  assert.deepEqual(ordered(replicaView(SHUTDOWN)), ["stop"]);
  assert.deepEqual(ordered(replicaView({ ...SHUTDOWN, postgres: down() })), ["exit"]);
});

Deno.test("shutdown cancels a task first and keeps the lock meanwhile", () => {
  const view = nodeView({ ...SHUTDOWN, task: running("follow", true) });
  assert.deepEqual(ordered(view), ["hold-lock", "cancel-task"]);
});

Deno.test("B5 foreign-system-id touches no server of another cluster", () => {
  const foreign = replicaView({ cluster: cluster({ lock: "b", systemId: OTHER_ID }) });
  const servers = [primary(), replica(), down()];
  for (const postgres of servers) assert.deepEqual(ordered({ ...foreign, postgres }), []);
  assert.deepEqual(ordered({ ...foreign, ...SHUTDOWN }), ["exit"]);
});

Deno.test("foreign-system-id gives the lock up when no server writes under it", () => {
  const view = nodeView({ cluster: cluster({ systemId: OTHER_ID }) });
  assert.deepEqual(ordered(view), ["hold-lock", "stop"]);
  assert.deepEqual(ordered({ ...view, postgres: replica() }), ["release-lock"]);
  assert.deepEqual(ordered({ ...view, postgres: down() }), ["release-lock"]);
});

Deno.test("foreign-system-id stops a primary that has led here before another cluster was founded", () => {
  const led = replicaView({ cluster: cluster({ lock: "b", systemId: OTHER_ID }), lease: LOST });
  const armed = { endsMs: NOW_MS + 20_000, inherited: true };
  const views = [led, { ...led, lease: { kind: "none" }, armed }] as const;
  for (const view of views) {
    assert.deepEqual(ordered({ ...view, postgres: primary() }), ["stop"]);
    assert.deepEqual(ordered({ ...view, postgres: primary(), ...SHUTDOWN }), ["stop"]);
  }
  const settings = { ...defaultSettings, paused: true };
  const paused = cluster({ lock: "b", systemId: OTHER_ID, settings });
  assert.deepEqual(ordered({ ...led, postgres: primary(), cluster: paused }), []);
});

Deno.test("foreign-system-id replaces only a server that was bootstrapped here in vain", () => {
  const memory = { ...initialMemory, unfoundedId: SYSTEM_ID };
  const foreign = replicaView({ cluster: cluster({ lock: "b", systemId: OTHER_ID }) });
  assert.deepEqual(ordered({ ...foreign, postgres: primary() }, memory), ["stop"]);
  assert.deepEqual(ordered({ ...foreign, postgres: down() }, memory), ["clone"]);
});

Deno.test("dcs-lost keeps a primary until the stop time of its lease", () => {
  const { actions, wakeAtMs } = decide(
    nodeView({ cluster: unreachable(), lease: held(20_000) }),
    initialMemory,
  );
  assert.deepEqual([actions, wakeAtMs], [[{ kind: "hold-lock" }], NOW_MS + 15_000]);
});

Deno.test("dcs-lost stops a primary from the stop time of its lease on", () => {
  const cut = nodeView({ cluster: unreachable() });
  for (const lease of [held(5000), held(-1), LOST, { kind: "none" }] as const) {
    assert.deepEqual(ordered({ ...cut, lease }), ["stop"]);
  }
});

Deno.test("dcs-lost leaves a primary alone that no agent ever led", () => {
  const lease = { kind: "none", neverManaged: true } as const;
  assert.deepEqual(ordered(nodeView({ cluster: unreachable(null), lease })), []);
});

Deno.test("dcs-lost changes nothing on a replica and starts nothing that it did not stop", () => {
  const cut = replicaView({ cluster: unreachable() });
  assert.deepEqual(ordered(cut), []);
  assert.deepEqual(ordered({ ...cut, postgres: down() }), []);
  const stopped = { ...cut, postgres: down(), task: ended("stop", "done") };
  assert.deepEqual(ordered(stopped), ["start-replica"]);
});

Deno.test("dcs-lost stops a replica whose promotion may still happen", () => {
  const memory = { ...initialMemory, promoteAskedMs: 1 };
  assert.deepEqual(ordered(replicaView({ cluster: unreachable() }), memory), ["stop"]);
});

Deno.test("A19 task-running keeps the lock for the task", () => {
  const view = nodeView({ postgres: replica(), task: running("promote", true) });
  assert.deepEqual(ordered(view), ["hold-lock"]);
});

Deno.test("B16 task-running ends a promotion when the lock is lost", () => {
  const lost = replicaView({ lease: LOST, task: running("promote", true) });
  assert.deepEqual(ordered(lost), ["cancel-task"]);
  assert.deepEqual(ordered({ ...lost, task: running("promote", false) }), ["stop"]);
});

Deno.test("task-running makes an unhurried stop of a primary harsher when the lease ended", () => {
  const view = nodeView({ lease: held(1500), task: running("stop", false) });
  assert.deepEqual(ordered(view), ["stop"]);
  assert.deepEqual(ordered({ ...view, postgres: replica() }), []);
});

Deno.test("task-running cancels a bootstrap whose claim is gone", () => {
  const task = running("bootstrap", true);
  const claimed = cluster({ lock: null, systemId: "" });
  const view = nodeView({ lease: { kind: "none" }, postgres: { kind: "no-data" }, task });
  assert.deepEqual(ordered({ ...view, cluster: claimed }), []);
  const gone = cluster({ lock: null, systemId: null });
  assert.deepEqual(ordered({ ...view, cluster: gone }), ["cancel-task"]);
});

const EMPTY = replicaView({
  cluster: cluster({ lock: null, systemId: null, config: null, members: [] }),
  postgres: { kind: "no-data" },
});

Deno.test("bootstrap claims the cluster before it makes one", () => {
  assert.deepEqual(ordered(EMPTY), ["claim-bootstrap", "bootstrap"]);
});

Deno.test("bootstrap founds nothing on a node that must not", () => {
  const settings = { ...defaultSettings, unsupported: ["standby_cluster"] };
  const cases: readonly Partial<NodeView>[] = [
    { self: self({ mayBootstrap: false }) },
    { self: self({ tags: readTags({ nofailover: true }) }) },
    { cluster: cluster({ lock: null, systemId: null, settings }) },
    { cluster: cluster({ lock: null }) },
  ];
  for (const overrides of cases) assert.deepEqual(ordered({ ...EMPTY, ...overrides }), []);
});

Deno.test("bootstrap copies the leader, or a member that offers itself", () => {
  const view = replicaView({ postgres: { kind: "no-data" } });
  const offered = member("c", { tags: readTags({ clonefrom: true }) });
  const leader = member("b", { role: "primary" });
  const seen = cluster({ lock: "b", members: [leader, offered] });
  const sources = [view, { ...view, cluster: seen }].map((each) => {
    const [action] = decide(each, initialMemory).actions;
    return action?.kind === "start-task" && action.task.kind === "clone"
      ? action.task.source.name
      : null;
  });
  assert.deepEqual(sources, ["b", "c"]);
});

Deno.test("bootstrap pauses after a failed copy, longer each time", () => {
  const view = replicaView({ postgres: { kind: "no-data" } });
  for (const [times, pauseMs] of [[1, 10_000], [3, 30_000], [99, 60_000]] as const) {
    const failedTask = { kind: "clone", times, lastMs: NOW_MS };
    assert.equal(decide(view, { ...initialMemory, failedTask }).wakeAtMs, NOW_MS + pauseMs);
  }
});

Deno.test("founding fills in the claim and takes the lock after a bootstrap", () => {
  const memory = { ...initialMemory, unfoundedId: SYSTEM_ID };
  const made = replicaView({ postgres: primary(), task: ended("bootstrap", "done") });
  const claimed = { ...made, cluster: cluster({ lock: null, systemId: "" }) };
  assert.deepEqual(ordered(claimed, memory), ["found-cluster", "take-lock"]);
  const lapsed = { ...made, cluster: cluster({ lock: null, systemId: null }) };
  assert.deepEqual(ordered(lapsed, memory), ["claim-bootstrap"]);
});

Deno.test("founding gives the claim back after a failed bootstrap", () => {
  const task = ended("bootstrap", "failed");
  const claimed = cluster({ lock: null, systemId: "" });
  assert.deepEqual(ordered({ ...EMPTY, cluster: claimed, task }), ["abandon-bootstrap"]);
});

Deno.test("D6 unreadable-data gives the lock up, and puts a copy of the leader in its place", () => {
  const postgres = { kind: "unreadable", why: "half-made" } as const;
  assert.deepEqual(ordered(nodeView({ postgres })), ["release-lock"]);
  assert.deepEqual(ordered(replicaView({ postgres })), ["clone"]);
  const careful = self({ mayReclone: false });
  assert.deepEqual(ordered(replicaView({ postgres, self: careful })), []);
});

Deno.test("D7 D9 unreadable-data copies nothing over a directory that the look alone failed for", () => {
  const postgres = { kind: "unreadable", why: "no pg_controldata", unproven: true } as const;
  assert.deepEqual(ordered(nodeView({ postgres })), ["release-lock"]);
  assert.deepEqual(ordered(replicaView({ postgres })), []);
});
