import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Action, TaskSpec } from "../../lib/core/action.ts";
import { decide } from "../../lib/core/decide.ts";
import { evolve, initialMemory } from "../../lib/core/memory.ts";
import type { NodeView, PostgresView, TaskView } from "../../lib/core/node_view.ts";
import {
  cluster,
  control,
  handover,
  held,
  lockOf,
  lsn,
  nodeView,
  NOW_MS,
  peer,
  replica,
  self,
  unreachable,
} from "./builders.ts";

const LOCK = lockOf("a");
const LOST = { kind: "lost", why: "refused" } as const;

function ordered(view: NodeView): readonly string[] {
  const { actions } = decide(view, initialMemory);
  return actions.map((action) => action.kind === "start-task" ? action.task.kind : action.kind);
}

function winner(overrides: Partial<NodeView> = {}): NodeView {
  return nodeView({ postgres: replica(), self: self({ hasPrePromote: true }), ...overrides });
}

function prePromote(
  result: "done" | "failed" | "cancelled",
  lockRevision = LOCK.revision,
): TaskView {
  const task = { kind: "pre-promote", lockRevision } as const;
  return { kind: "ended", task, result, reason: result, endedMs: NOW_MS - 10 };
}

function running(task: TaskSpec, cancellable = true): TaskView {
  return { kind: "running", task, sinceMs: NOW_MS - 100, cancellable, progress: null };
}

Deno.test("lead runs pre_promote before the promotion, once under each lock", () => {
  const cases = [
    ["just won", winner(), ["hold-lock", "pre-promote"]],
    ["passed", winner({ task: prePromote("done") }), ["hold-lock", "promote"]],
    ["under an earlier lock", winner({ task: prePromote("done", 4n) }), [
      "hold-lock",
      "pre-promote",
    ]],
    ["cancelled", winner({ task: prePromote("cancelled") }), ["hold-lock", "pre-promote"]],
    ["none configured", nodeView({ postgres: replica() }), ["hold-lock", "promote"]],
  ] as const;
  for (const [name, view, expected] of cases) deepStrictEqual(ordered(view), expected, name);
});

Deno.test("B17 lead gives the lock up when pre_promote refuses, and stays out for a lease", () => {
  const view = winner({ task: prePromote("failed") });
  const [action, ...more] = decide(view, initialMemory).actions;
  ok(action?.kind === "release-lock" && more.length === 0);
  const memory = evolve(initialMemory, { action, result: "done", reason: null, atMs: NOW_MS });
  const free = winner({ cluster: cluster({ lock: null }), lease: { kind: "none" } });
  deepStrictEqual(decide(free, memory).actions, []);
});

Deno.test("B16 task-running keeps the lock for pre_promote and ends it with the lock", () => {
  const task = running({ kind: "pre-promote", lockRevision: LOCK.revision });
  deepStrictEqual(ordered(winner({ task })), ["hold-lock"]);
  const other = winner({ task, cluster: cluster({ lock: "b" }), lease: LOST });
  deepStrictEqual(ordered(other), ["cancel-task"]);
  const silent = winner({ task, cluster: unreachable(), lease: held(1000) });
  deepStrictEqual(ordered(silent), ["cancel-task"]);
});

const STOP: TaskSpec = {
  kind: "stop",
  how: "fast",
  checkpointFirst: true,
  escalation: { immediateAtMs: null, killAtMs: null },
  why: "a test",
};

function leaving(state: string): PostgresView {
  const stopping = control({ state, checkpointLsn: lsn(2000) });
  const what = { kind: "silent", systemId: stopping.systemId, lastRole: "primary" } as const;
  return { ...what, why: "the server shuts down", stopping };
}

function stopping(overrides: Partial<NodeView> = {}): NodeView {
  return nodeView({ postgres: leaving("shut down"), task: running(STOP, false), ...overrides });
}

Deno.test("D14 task-running releases the lock early to an heir with the shutdown checkpoint", () => {
  const cases = [
    ["asks first", stopping(), ["hold-lock", "ask-peers"]],
    ["an heir has it", stopping({ peers: [peer("b", { lsn: lsn(2000) })] }), ["release-lock"]],
    ["nobody has it", stopping({ peers: [peer("b", { lsn: lsn(1999) })] }), ["hold-lock"]],
    ["not written yet", stopping({ postgres: leaving("shutting down") }), ["hold-lock"]],
    [
      "only the named candidate counts",
      stopping({
        cluster: cluster({ handover: handover({ candidate: "c" }) }),
        peers: [peer("b", { lsn: lsn(2000) }), peer("c")],
      }),
      ["hold-lock"],
    ],
    ["a shutdown", stopping({ wishes: [{ kind: "shutdown" }] }), ["hold-lock", "ask-peers"]],
  ] as const;
  for (const [name, view, expected] of cases) deepStrictEqual(ordered(view), expected, name);
});

Deno.test("task-running asks the named successor alone who has the shutdown checkpoint", () => {
  const asked = (candidate: string | null): Action | undefined => {
    const view = stopping({ cluster: cluster({ handover: handover({ candidate }) }) });
    return decide(view, initialMemory).actions[1];
  };
  deepStrictEqual(asked("c"), { kind: "ask-peers", only: "c" });
  deepStrictEqual(asked(null), { kind: "ask-peers" });
});

Deno.test("task-running tells the named successor that it has everything, and nobody else", () => {
  const released = (candidate: string | null): Action | undefined => {
    const peers = [peer("c", { lsn: lsn(2000) })];
    const view = stopping({ cluster: cluster({ handover: handover({ candidate }) }), peers });
    return decide(view, initialMemory).actions[0];
  };
  const release = { kind: "release-lock", lastLsn: lsn(2000) };
  deepStrictEqual(released("c"), { ...release, handoverRevision: 9n });
  deepStrictEqual(released(null), release);
});

Deno.test("task-running lets a stop end in peace when the lock has been released early", () => {
  const view = stopping({ cluster: cluster({ lock: "b" }), lease: { kind: "none" } });
  deepStrictEqual(ordered(view), []);
});

Deno.test("D15 release-lock names the shutdown checkpoint", () => {
  const view = stopping({ peers: [peer("b", { lsn: lsn(3000) })] });
  const [action] = decide(view, initialMemory).actions;
  strictEqual(action?.kind === "release-lock" && action.lastLsn, lsn(2000));
});
