import { deepStrictEqual } from "node:assert/strict";
import type { Outcome } from "../../lib/core/action.ts";
import { tellCallbacks } from "../../lib/core/callbacks.ts";
import type { Told } from "../../lib/core/callbacks.ts";
import { initialMemory } from "../../lib/core/memory.ts";
import type { NodeView, TaskView } from "../../lib/core/node_view.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import { cluster, down, nodeView, NOW_MS, primary, replica, replicaView } from "./builders.ts";

const LATER = "2026-01-01 11:00:00+00:00";

function stopped(result: "done" | "failed" = "done"): TaskView {
  const escalation = { immediateAtMs: null, killAtMs: null };
  const task = { kind: "stop", how: "fast", checkpointFirst: true, escalation, why: "" } as const;
  return { kind: "ended", task, result, reason: null, endedMs: NOW_MS };
}

/** The calls that each of these looks gives rise to, `on_start primary` for example. */
function story(...views: readonly NodeView[]): readonly string[] {
  let told: Told = null;
  const all: string[] = [];
  for (const view of views) {
    const telling = tellCallbacks(told, { view, memory: initialMemory, outcomes: [] });
    told = telling.told;
    all.push(telling.calls.map(({ kind, role }) => `${kind} ${role}`).join(", ") || "-");
  }
  return all;
}

const crashed = down({ state: "in production" }, true);
const free = { cluster: cluster({ lock: null }), lease: { kind: "none" } } as const;

Deno.test("tellCallbacks() tells the first sight of a server once", () => {
  deepStrictEqual(story(nodeView(), nodeView()), ["on_start primary", "-"]);
});

Deno.test("tellCallbacks() tells a promotion by one call", () => {
  deepStrictEqual(story(replicaView(), nodeView()), ["on_start replica", "on_role_change primary"]);
});

Deno.test("tellCallbacks() tells a handover when the server is down, and not again when it is back", () => {
  const views = [
    nodeView(),
    nodeView({ postgres: down(), task: stopped() }),
    nodeView({ ...free, postgres: down(), task: stopped() }),
    replicaView({ postgres: replica({ startTime: LATER }) }),
  ];
  deepStrictEqual(story(...views), ["on_start primary", "on_role_change replica", "-", "-"]);
});

Deno.test("tellCallbacks() calls a crash with a start in place a restart, case I11", () => {
  const views = [
    nodeView(),
    nodeView({ postgres: crashed }),
    nodeView({ postgres: primary({ startTime: LATER }) }),
  ];
  deepStrictEqual(story(...views), ["on_start primary", "-", "on_restart primary"]);
});

Deno.test("tellCallbacks() calls an ordered restart one, of a leader and of a replica", () => {
  const errand = { kind: "restart", id: "r1" } as const;
  const stop = stopped();
  const task = stop.kind === "ended" && stop.task.kind === "stop"
    ? { ...stop, task: { ...stop.task, errand } }
    : stop;
  const conditions = { role: null, olderThan: null, pendingOnly: false };
  const order = { kind: "restart", id: "r1", conditions, timeoutS: null, schedule: null } as const;
  const wishes = [order];
  deepStrictEqual(
    story(
      nodeView(),
      nodeView({ postgres: down(), task, wishes }),
      nodeView({ postgres: primary({ startTime: LATER }) }),
    ),
    ["on_start primary", "-", "on_restart primary"],
  );
  deepStrictEqual(
    story(
      replicaView(),
      replicaView({ postgres: down({ state: "shut down in recovery" }), task, wishes }),
      replicaView({ postgres: replica({ startTime: LATER }) }),
    ),
    ["on_start replica", "-", "on_restart replica"],
  );
  const lost = nodeView({ ...free, postgres: down(), task, wishes });
  deepStrictEqual(story(nodeView(), lost), ["on_start primary", "on_role_change replica"]);
});

Deno.test("tellCallbacks() tells a primary that could not start again, case I10", () => {
  const views = [
    nodeView(),
    nodeView({ postgres: crashed }),
    nodeView({ ...free, postgres: crashed }),
  ];
  deepStrictEqual(story(...views), ["on_start primary", "-", "on_role_change replica"]);
});

Deno.test("tellCallbacks() tells a primary whose data is gone", () => {
  deepStrictEqual(story(nodeView(), nodeView({ postgres: { kind: "no-data" } })), [
    "on_start primary",
    "on_role_change replica",
  ]);
});

Deno.test("tellCallbacks() tells stop and start of a replica, and the stop of an agent that ends", () => {
  const ending = { wishes: [{ kind: "shutdown" }] } as const;
  const off = { postgres: down(), task: stopped() };
  deepStrictEqual(story(replicaView(), replicaView(off), replicaView()), [
    "on_start replica",
    "on_stop replica",
    "on_start replica",
  ]);
  deepStrictEqual(story(nodeView(), nodeView({ ...off, ...ending })), [
    "on_start primary",
    "on_stop primary",
  ]);
});

Deno.test("tellCallbacks() waits for a settled server", () => {
  const silent = { kind: "silent", systemId: "1", lastRole: "primary", why: "" } as const;
  const starting = { kind: "starting", systemId: "1", asReplica: true, sinceMs: 0 } as const;
  const views = [nodeView(), nodeView({ postgres: silent }), nodeView({ postgres: starting })];
  deepStrictEqual(story(...views), ["on_start primary", "-", "-"]);
});

Deno.test("tellCallbacks() tells a reload when other settings were applied, but not the first ones", () => {
  const action = { kind: "apply-settings", settings: defaultSettings } as const;
  const outcomes: Outcome[] = [{ action, result: "done", reason: null, atMs: NOW_MS }];
  const told: Told = { role: "primary", isUp: true, startTime: primary().startTime };
  const kinds = (appliedSettings: typeof defaultSettings | null): readonly string[] => {
    const memory = { ...initialMemory, appliedSettings };
    return tellCallbacks(told, { view: nodeView(), memory, outcomes }).calls.map(({ kind }) =>
      kind
    );
  };
  deepStrictEqual([kinds(null), kinds(defaultSettings)], [[], ["on_reload"]]);
});
