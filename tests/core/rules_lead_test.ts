import assert from "node:assert/strict";
import type { Action } from "../../lib/core/action.ts";
import { decide } from "../../lib/core/decide.ts";
import { initialMemory } from "../../lib/core/memory.ts";
import type { Memory } from "../../lib/core/memory.ts";
import type { NodeView, TaskView } from "../../lib/core/node_view.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import {
  cluster,
  down,
  held,
  leaderReport,
  lsn,
  nodeView,
  NOW_MS,
  peer,
  primary,
  replica,
  silentPeer,
  slot,
  SYSTEM_ID,
} from "./builders.ts";

/** A leader that has nothing to do: settings applied, status as published, no members. */
const SETTLED: Memory = {
  ...initialMemory,
  appliedSettings: defaultSettings,
  lastSettings: defaultSettings,
};

function settled(overrides: Partial<NodeView> = {}): NodeView {
  const slots = [slot("b"), slot("c")];
  const status = {
    lsn: lsn(1000),
    slots: { a: lsn(1000), b: lsn(500), c: lsn(500) },
    retainSlots: [],
  };
  return nodeView({ cluster: cluster({ status }), postgres: primary({ slots }), ...overrides });
}

function names(actions: readonly Action[]): readonly string[] {
  return actions.map((action) => action.kind === "start-task" ? action.task.kind : action.kind);
}

function ordered(view: NodeView, memory: Memory = SETTLED): readonly string[] {
  return names(decide(view, memory).actions);
}

function failed(kind: "promote" | "start-primary", endedMs: number): TaskView {
  const task = kind === "promote"
    ? { kind, notAfterMs: 1 } as const
    : { kind, notAfterMs: 1, timeoutMs: 1 } as const;
  return { kind: "ended", task, result: "failed", reason: "no", endedMs };
}

Deno.test("lead holds the lock and nothing else when all is in order", () => {
  assert.deepEqual(ordered(settled()), ["hold-lock"]);
});

Deno.test("lead looks again when its lease has to be given up", () => {
  assert.equal(decide(settled({ lease: held(20_000) }), SETTLED).wakeAtMs, NOW_MS + 15_000);
});

Deno.test("lead publishes its position when it has moved", () => {
  const slots = [slot("b"), slot("c")];
  assert.deepEqual(ordered(settled({ postgres: primary({ lsn: lsn(1100), slots }) })), [
    "hold-lock",
    "write-status",
  ]);
});

Deno.test("lead applies settings when they changed", () => {
  assert.deepEqual(ordered(settled(), { ...SETTLED, appliedSettings: null }), [
    "hold-lock",
    "apply-settings",
  ]);
});

Deno.test("lead applies settings and reloads when an operator wishes it, although nothing changed", () => {
  const wishes = [{ kind: "reload", localConfig: null }] as const;
  const applied = decide(settled({ wishes }), SETTLED).actions.at(-1);
  assert.deepEqual(applied, {
    kind: "apply-settings",
    settings: defaultSettings,
    reload: true,
  });
});

Deno.test("lead checkpoints after a promotion", () => {
  const postgres = primary({ slots: [slot("b"), slot("c")], checkpointed: false });
  assert.deepEqual(ordered(settled({ postgres })), ["hold-lock", "checkpoint"]);
});

Deno.test("A21 lead restores keys when the tree was wiped under it", () => {
  const lastConfig = { ttl: 40 };
  const view = nodeView({ cluster: cluster({ systemId: null, config: null }) });
  const restore = decide(view, { ...SETTLED, lastConfig }).actions.at(-1);
  assert.deepEqual(restore, { kind: "restore-keys", systemId: SYSTEM_ID, config: lastConfig });
});

Deno.test("lead asks its own server for the history when the key lacks its timeline", () => {
  const postgres = primary({ timeline: 2, slots: [slot("b"), slot("c")] });
  const { actions, again } = decide(settled({ postgres }), SETTLED);
  assert.deepEqual(names(actions), ["hold-lock", "inspect-leader"]);
  assert.ok(again);
});

Deno.test("lead signs the newest line of the history and keeps what older ones had", () => {
  const history = [
    { timeline: 1, switchLsn: lsn(300), reason: "first" },
    { timeline: 2, switchLsn: lsn(900), reason: "second" },
  ];
  const known = [{ timeline: 1, lsn: lsn(300), reason: "first", at: "then", newLeader: "b" }];
  const view = settled({
    cluster: cluster({ history: known }),
    postgres: primary({ timeline: 3 }),
    leader: leaderReport("a", { timeline: 3, history }),
  });
  const write = decide(view, SETTLED).actions.find((action) => action.kind === "write-history");
  const lines = write?.kind === "write-history" ? write.lines : [];
  assert.deepEqual(lines.map((line) => [line.timeline, line.newLeader]), [[1, "b"], [2, "a"]]);
  assert.equal(lines[0]?.at, "then");
});

Deno.test("lead lets no refused slot or running checkpoint keep the history and settings from being written", () => {
  const postgres = primary({ timeline: 2, checkpointed: false });
  const leader = leaderReport("a", {
    timeline: 2,
    history: [{ timeline: 1, switchLsn: lsn(300), reason: "" }],
  });
  assert.deepEqual(ordered(settled({ postgres, leader }), { ...SETTLED, appliedSettings: null }), [
    "hold-lock",
    "write-status",
    "write-history",
    "checkpoint",
    "apply-settings",
    "sync-slots",
  ]);
});

Deno.test("lead promotes a replica that holds the lock, not after the lease's stop time", () => {
  const [, start] = decide(nodeView({ postgres: replica() }), SETTLED).actions;
  assert.deepEqual(start, {
    kind: "start-task",
    task: { kind: "promote", notAfterMs: NOW_MS + 15_000 },
  });
});

Deno.test("B17 lead gives the lock up after a failed promotion, once", () => {
  const view = nodeView({ postgres: replica(), task: failed("promote", NOW_MS - 10) });
  assert.deepEqual(ordered(view), ["release-lock"]);
  assert.deepEqual(ordered(view, { ...SETTLED, gaveUpMs: NOW_MS - 5 }), ["hold-lock", "promote"]);
});

Deno.test("lead stops a server whose promotion may still happen before it gives the lock up", () => {
  const failedTask = { kind: "promote", times: 1, lastMs: NOW_MS - 10 };
  const memory = { ...SETTLED, promoteAskedMs: NOW_MS - 100, failedTask };
  const view = nodeView({ postgres: replica(), task: failed("promote", NOW_MS - 10) });
  assert.deepEqual(ordered(view, memory), ["hold-lock", "stop"]);
  const stopped = nodeView({ postgres: down({ state: "in archive recovery" }) });
  assert.deepEqual(ordered(stopped, memory), ["release-lock"]);
  const later = { ...memory, gaveUpMs: NOW_MS - 5 };
  assert.deepEqual(ordered(stopped, later), ["hold-lock", "start-replica"]);
});

Deno.test("lead keeps the lock when a setting appears that is not implemented", () => {
  const settings = { ...defaultSettings, unsupported: ["synchronous_mode"] };
  const view = settled({ cluster: cluster({ settings }) });
  assert.ok(ordered(view).includes("hold-lock"));
});

Deno.test("B20 unready keeps the lock of a primary that does not answer in time", () => {
  const silent = {
    kind: "silent",
    systemId: SYSTEM_ID,
    lastRole: "primary",
    why: "slow",
  } as const;
  assert.deepEqual(ordered(nodeView({ postgres: silent })), ["hold-lock"]);
});

Deno.test("D4 unready stops a start that takes too long only for a healthy successor", () => {
  const postgres = {
    kind: "starting",
    systemId: SYSTEM_ID,
    asReplica: false,
    sinceMs: NOW_MS - 300_001,
  } as const;
  assert.deepEqual(ordered(nodeView({ postgres })), ["hold-lock", "ask-peers"]);
  const peers = [peer("b")];
  assert.deepEqual(ordered(nodeView({ postgres, peers })), ["hold-lock", "stop"]);
  assert.deepEqual(ordered(nodeView({ postgres, peers: [silentPeer("b")] })), ["hold-lock"]);
});

Deno.test("lease-lost stops a primary whose lease ended, harsher the later it is", () => {
  for (const [leftMs, how] of [[4000, "fast"], [1500, "immediate"]] as const) {
    const [action] = decide(nodeView({ lease: held(leftMs) }), SETTLED).actions;
    assert.ok(action?.kind === "start-task" && action.task.kind === "stop");
    assert.equal(action.task.how, how);
    assert.equal(action.task.escalation.killAtMs, NOW_MS + leftMs - 1000);
  }
});

Deno.test("a stop is immediate when the store shows that the lock is not ours, whatever the lease says", () => {
  const [action] = decide(nodeView({ cluster: cluster({ lock: "b" }) }), SETTLED).actions;
  assert.ok(action?.kind === "start-task" && action.task.kind === "stop");
  assert.equal(action.task.how, "immediate");
});

Deno.test("lease-lost gives the lock back when the server is no primary any more", () => {
  const view = nodeView({ postgres: down(), lease: { kind: "lost", why: "late" } });
  assert.deepEqual(decide(view, SETTLED).actions, [{ kind: "release-lock", lastLsn: lsn(1000) }]);
});

Deno.test("lease-lost waits for the proof when the agent was started again", () => {
  assert.deepEqual(ordered(nodeView({ lease: { kind: "none" } })), ["hold-lock"]);
});

Deno.test("D1 recover-leader starts a crashed primary again at once", () => {
  const postgres = down({ state: "in production" }, true);
  assert.deepEqual(ordered(nodeView({ postgres })), ["hold-lock", "start-primary"]);
});

Deno.test("D5 recover-leader gives the lock up when the start failed or took too long", () => {
  const postgres = down({ state: "in production" }, true);
  const failedTask = { kind: "start-primary", times: 1, lastMs: NOW_MS - 10 };
  const tried = { ...SETTLED, failedTask, downSinceMs: NOW_MS - 20 };
  assert.deepEqual(ordered(nodeView({ postgres }), tried), ["release-lock"]);
  const late = { ...SETTLED, downSinceMs: NOW_MS - 300_001 };
  assert.deepEqual(ordered(nodeView({ postgres }), late), ["release-lock"]);
});

Deno.test("recover-leader ignores a failure of an earlier crash", () => {
  const postgres = down({ state: "in production" }, true);
  const failedTask = { kind: "start-primary", times: 1, lastMs: NOW_MS - 5000 };
  const memory = { ...SETTLED, failedTask, downSinceMs: NOW_MS - 20 };
  assert.deepEqual(ordered(nodeView({ postgres }), memory), ["hold-lock", "start-primary"]);
});

Deno.test("D2 D3 recover-leader hands over at once when primary_start_timeout is 0", () => {
  const settings = { ...defaultSettings, primaryStartTimeoutS: 0 };
  const crashed = nodeView({
    cluster: cluster({ settings }),
    postgres: down({ state: "in production" }, true),
  });
  assert.deepEqual(ordered({ ...crashed, peers: [peer("b")] }), ["release-lock"]);
  assert.deepEqual(ordered({ ...crashed, peers: [silentPeer("b")] }), [
    "hold-lock",
    "start-primary",
  ]);
});

Deno.test("recover-leader starts a server that was a replica read-only first", () => {
  const postgres = down({ state: "shut down in recovery" });
  assert.deepEqual(ordered(nodeView({ postgres })), ["hold-lock", "start-replica"]);
});

Deno.test("recover-leader starts what crashed before the first checkpoint of its promotion ended", () => {
  const history = [{ timeline: 1, lsn: lsn(900), reason: "", at: null, newLeader: null }];
  const crashed = (timeline: number): NodeView => {
    const minRecovery = { timeline, lsn: lsn(1000) };
    const postgres = down({ state: "in production", timeline: 1, minRecovery }, true);
    return nodeView({ cluster: cluster({ history }), postgres });
  };
  assert.deepEqual(ordered(crashed(2)), ["hold-lock", "start-primary"]);
  assert.deepEqual(ordered(crashed(1)), ["release-lock"]);
});

Deno.test("nothing writes in a tree without an identity before the tree names it", () => {
  const emptied = { cluster: cluster({ systemId: null, config: null }) };
  const memory = { ...SETTLED, lastConfig: { ttl: 30 } };
  const first = { kind: "restore-keys", systemId: SYSTEM_ID, config: { ttl: 30 } } as const;
  const starts = [[down(), "start-primary"], [replica(), "promote"]] as const;
  for (const [postgres, start] of starts) {
    const view = nodeView({ ...emptied, postgres });
    assert.deepEqual(ordered(view, memory), ["hold-lock", "restore-keys", start]);
    assert.deepEqual(decide(view, memory).actions[1], first);
  }
});
