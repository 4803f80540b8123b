import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { decide } from "../../lib/core/decide.ts";
import { leaseTiming } from "../../lib/core/lease_timing.ts";
import { initialMemory } from "../../lib/core/memory.ts";
import type { Memory } from "../../lib/core/memory.ts";
import type { NodeView, TaskView } from "../../lib/core/node_view.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import { statusDocument } from "../../lib/core/status_document.ts";
import { besideWatchdog, timeoutFault, watchdogTimeoutS } from "../../lib/core/watchdog.ts";
import type { WatchdogView } from "../../lib/core/watchdog.ts";
import {
  cluster,
  down,
  held,
  nodeView,
  NOW_MS,
  primary,
  raceView,
  replica,
  replicaView,
  unreachable,
} from "./builders.ts";

const READY: WatchdogView = { kind: "ready" };
const ACTIVE: WatchdogView = { kind: "active", timeoutS: 25 };
const BROKEN: WatchdogView = { kind: "unusable", required: true, why: "no such device" };
const WANTED: WatchdogView = { kind: "unusable", required: false, why: "no such device" };

const SETTLED: Memory = {
  ...initialMemory,
  appliedSettings: defaultSettings,
  lastSettings: defaultSettings,
};

function ordered(view: NodeView, memory = SETTLED): readonly string[] {
  const { actions } = decide(view, memory);
  return actions.map((action) => action.kind === "start-task" ? action.task.kind : action.kind);
}

const STOPPING: TaskView = {
  kind: "running",
  task: {
    kind: "stop",
    how: "fast",
    checkpointFirst: true,
    escalation: { immediateAtMs: null, killAtMs: null },
    why: "a test",
  },
  sinceMs: NOW_MS,
  cancellable: false,
  progress: null,
};

Deno.test("watchdogTimeoutS() is the ttl less the margin, or half of it for -1", () => {
  strictEqual(watchdogTimeoutS(30, 5), 25);
  strictEqual(watchdogTimeoutS(31, -1), 15);
});

Deno.test("timeoutFault() refuses what resets a healthy host or fires after the lease", () => {
  const settings = { ttlS: 30, loopWaitS: 10 };
  strictEqual(timeoutFault(10, settings), null);
  ok(timeoutFault(9, settings) !== null);
  ok(timeoutFault(31, settings) !== null);
});

Deno.test("besideWatchdog() ends every step of the stop before the host is reset", () => {
  const timing = besideWatchdog(leaseTiming(30, 10), ACTIVE);
  deepStrictEqual(
    [timing.stopBeforeMs, timing.immediateBeforeMs, timing.killBeforeMs, timing.renewEveryMs],
    [10_000, 7000, 6000, 10_000],
  );
  deepStrictEqual(besideWatchdog(leaseTiming(30, 10), READY), leaseTiming(30, 10));
});

Deno.test("besideWatchdog() renews often enough for a watchdog of half the ttl", () => {
  const timing = besideWatchdog(leaseTiming(30, 10), { kind: "active", timeoutS: 15 });
  ok(2 * timing.renewEveryMs <= timing.ttlMs - timing.stopBeforeMs);
});

Deno.test("decide() opens the watchdog before the server may write", () => {
  const cases = [
    ["about to promote", nodeView({ postgres: replica() })],
    ["a primary after a restart of the agent", nodeView()],
    ["a crashed primary", nodeView({ postgres: down({ state: "in production" }, true) })],
  ] as const;
  for (const [name, view] of cases) {
    const watched: NodeView = { ...view, watchdog: READY };
    deepStrictEqual(ordered(watched), ["hold-lock", "open-watchdog"], name);
    strictEqual(decide(watched, SETTLED).wakeAtMs, watched.nowMs, name);
  }
});

Deno.test("decide() leads without a watchdog that is only wanted", () => {
  deepStrictEqual(ordered(nodeView({ postgres: replica(), watchdog: WANTED })), [
    "hold-lock",
    "promote",
  ]);
});

Deno.test("decide() gives the lock up where a required watchdog is broken, case E1", () => {
  deepStrictEqual(ordered(nodeView({ watchdog: BROKEN })), ["hold-lock", "stop"]);
  deepStrictEqual(ordered(nodeView({ postgres: down(), watchdog: BROKEN })), ["release-lock"]);
  deepStrictEqual(ordered(nodeView({ postgres: replica(), watchdog: BROKEN })), ["release-lock"]);
});

Deno.test("decide() does not race with a broken required watchdog", () => {
  deepStrictEqual(ordered(raceView({ watchdog: BROKEN })), []);
  deepStrictEqual(ordered(raceView({ postgres: primary(), watchdog: BROKEN })), ["stop"]);
  ok(ordered(raceView({ watchdog: WANTED })).includes("ask-peers"));
});

Deno.test("decide() founds no cluster with a broken required watchdog", () => {
  const empty = cluster({ systemId: null, lock: null, members: [] });
  const view = replicaView({ cluster: empty, postgres: { kind: "no-data" }, watchdog: BROKEN });
  deepStrictEqual(ordered(view), []);
});

Deno.test("decide() closes the watchdog of a replica, or of a server that is down for certain", () => {
  const [first] = ordered(replicaView({ watchdog: ACTIVE }));
  strictEqual(first, "close-watchdog");
  strictEqual(ordered(replicaView({ postgres: down(), watchdog: ACTIVE }))[0], "close-watchdog");
});

Deno.test("D16 decide() leaves the watchdog running while the server may write or a job is under way", () => {
  const silent = {
    kind: "silent",
    systemId: "7000000000000000001",
    lastRole: "primary",
    why: "no answer",
  } as const;
  const failedStop: TaskView = {
    kind: "ended",
    task: STOPPING.task,
    result: "failed",
    reason: "processes do not end",
    endedMs: NOW_MS,
  };
  const cases: readonly (readonly [string, Partial<NodeView>])[] = [
    ["leading", {}],
    ["D16: stopping without the lock", { lease: { kind: "lost", why: "" }, task: STOPPING }],
    ["a stop that failed", { lease: { kind: "none" }, postgres: silent, task: failedStop }],
    ["down under the lock", { postgres: down({ state: "in production" }, true) }],
    ["the store is silent", { cluster: unreachable() }],
  ];
  for (const [name, change] of cases) {
    const actions = ordered(nodeView({ watchdog: ACTIVE, ...change }));
    ok(!actions.includes("close-watchdog"), name);
  }
});

Deno.test("decide() gives a lease up earlier while the watchdog runs", () => {
  const late = { cluster: unreachable(), lease: held(8000) };
  deepStrictEqual(ordered(nodeView(late)), ["hold-lock"]);
  deepStrictEqual(ordered(nodeView({ ...late, watchdog: ACTIVE })), ["stop"]);
});

Deno.test("statusDocument() tells peers of a broken required watchdog", () => {
  const document = (watchdog: WatchdogView): unknown =>
    statusDocument({
      scope: "s",
      name: "a",
      nowMs: NOW_MS,
      view: nodeView({ watchdog }),
      decision: null,
      lease: held(),
      cluster: null,
      dcsSeenWallMs: 0,
      endpoints: [],
    })["watchdog_failed"];
  deepStrictEqual([document(BROKEN), document(WANTED), document(ACTIVE)], [
    true,
    undefined,
    undefined,
  ]);
});
