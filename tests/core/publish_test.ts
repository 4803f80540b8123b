import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { TaskSpec } from "../../lib/core/action.ts";
import { initialMemory } from "../../lib/core/memory.ts";
import type { NodeView, PostgresView, TaskView } from "../../lib/core/node_view.ts";
import { memberRecord } from "../../lib/core/publish.ts";
import { readTags } from "../../lib/core/tags.ts";
import { COMPATIBLE_VERSION } from "../../lib/core/version.ts";
import { down, lsn, nodeView, primary, replica, replicaView, self } from "./builders.ts";

function record(view: NodeView): Readonly<Record<string, unknown>> {
  return memberRecord(view, initialMemory);
}

function running(task: TaskSpec): TaskView {
  return { kind: "running", task, sinceMs: 0, cancellable: true, progress: null };
}

const STOP: TaskSpec = {
  kind: "stop",
  how: "fast",
  checkpointFirst: false,
  escalation: { immediateAtMs: null, killAtMs: null },
  why: "",
};

Deno.test("memberRecord() of a primary has the fields of the wire in their order", () => {
  strictEqual(
    JSON.stringify(record(nodeView())),
    '{"conn_url":"postgres://127.0.0.1:5401/postgres","api_url":"http://127.0.0.1:8001/patroni",' +
      '"state":"running","role":"primary","version":"4.1.4","xlog_location":1000,"timeline":1}',
  );
});

Deno.test("memberRecord() of a replica has everything that can be there in the order of the wire", () => {
  const view = replicaView({
    self: self({ proxyUrl: "postgres://p:1/postgres", tags: readTags({ nofailover: true }) }),
    postgres: replica({
      replayedLsn: lsn(900),
      pendingRestart: { max_connections: { oldValue: "100", newValue: "200" } },
    }),
  });

  deepStrictEqual(Object.entries(record(view)).slice(2), [
    ["state", "running"],
    ["role", "replica"],
    ["version", COMPATIBLE_VERSION],
    ["proxy_url", "postgres://p:1/postgres"],
    ["tags", { nofailover: true }],
    ["pending_restart", true],
    ["pending_restart_reason", { max_connections: { old_value: "100", new_value: "200" } }],
    ["xlog_location", 1000],
    ["replay_lsn", 900],
    ["receive_lsn", 1000],
    ["replication_state", "streaming"],
    ["timeline", 1],
  ]);
});

Deno.test("memberRecord() says that the checkpoint is missing only while the lock is held", () => {
  const postgres = primary({ checkpointed: false });

  strictEqual(record(nodeView({ postgres }))["checkpoint_after_promote"], false);
  strictEqual(
    record(nodeView({ postgres, lease: { kind: "none" } }))["checkpoint_after_promote"],
    undefined,
  );
});

Deno.test("memberRecord() leaves positions of zero out", () => {
  const postgres = replica({ receivedLsn: null, replayedLsn: lsn(0), streaming: false });
  const found = record(replicaView({ postgres }));

  deepStrictEqual([found["replay_lsn"], found["receive_lsn"], found["replication_state"]], [
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("memberRecord() hides positions while a job changes the server, but not in a promotion", () => {
  const postgres = replica();
  const promote: TaskSpec = { kind: "promote", notAfterMs: 1 };

  strictEqual(
    record(replicaView({ postgres, task: running(STOP) }))["xlog_location"],
    undefined,
  );
  strictEqual(record(replicaView({ postgres, task: running(promote) }))["xlog_location"], 1000);
});

Deno.test("memberRecord() calls a replica promoted after the promotion was asked for", () => {
  const memory = { ...initialMemory, promoteAskedMs: 1 };

  strictEqual(memberRecord(replicaView(), memory)["role"], "promoted");
  strictEqual(memberRecord(nodeView(), memory)["role"], "primary");
});

const SOURCE = { name: "b", connUrl: "postgres://b/postgres" };
const CLONE: TaskSpec = { kind: "clone", source: SOURCE, old: "refuse", why: "" };
const START: TaskSpec = { kind: "start-replica", upstream: SOURCE };
const IDLE: TaskView = { kind: "idle" };
const SILENT: PostgresView = { kind: "silent", systemId: "1", lastRole: "primary", why: "" };
const NO_DATA: PostgresView = { kind: "no-data" };

function failed(task: TaskSpec): TaskView {
  return { kind: "ended", task, result: "failed", reason: "", endedMs: 0 };
}

const TEXTS: readonly (readonly [string, PostgresView, TaskView, string, string])[] = [
  ["an empty directory", NO_DATA, IDLE, "stopped", "uninitialized"],
  ["a half-made one", { kind: "unreadable", why: "" }, IDLE, "stopped", "uninitialized"],
  [
    "bootstrap",
    NO_DATA,
    running({ kind: "bootstrap" }),
    "initializing new cluster",
    "uninitialized",
  ],
  ["a failed bootstrap", NO_DATA, failed({ kind: "bootstrap" }), "initdb failed", "uninitialized"],
  ["a clone", NO_DATA, running(CLONE), "creating replica", "replica"],
  ["a failed clone", NO_DATA, failed(CLONE), "stopped", "uninitialized"],
  ["a start", down(), running(START), "starting", "demoted"],
  ["a failed start", down(), failed(START), "start failed", "demoted"],
  ["a server that started after all", replica(), failed(START), "running", "replica"],
  ["a stop", primary(), running(STOP), "stopping", "primary"],
  ["a server that serves on after a failed stop", primary(), failed(STOP), "running", "primary"],
  ["a failed stop of a hung server", SILENT, failed(STOP), "stop failed", "primary"],
  ["a stopped replica", down({ state: "shut down in recovery" }), IDLE, "stopped", "replica"],
  ["a crashed primary", down({ state: "in production" }, true), IDLE, "crashed", "demoted"],
  [
    "a server in start",
    { kind: "starting", systemId: "1", asReplica: true, sinceMs: 0 },
    IDLE,
    "starting",
    "replica",
  ],
  ["a server without an answer", SILENT, IDLE, "running", "primary"],
];

for (const [title, postgres, task, state, role] of TEXTS) {
  Deno.test(`memberRecord() says "${state}" and "${role}" for ${title}`, () => {
    const found = record(nodeView({ postgres, task, lease: { kind: "none" } }));

    deepStrictEqual([found["state"], found["role"]], [state, role]);
  });
}

Deno.test("memberRecord() says restarting while either half of a restart runs", () => {
  const errand = { kind: "restart", id: "r1" } as const;
  for (const task of [{ ...STOP, errand }, { ...START, errand }]) {
    strictEqual(record(nodeView({ task: running(task) }))["state"], "restarting");
  }
  const copying = { ...STOP, errand: { kind: "reinitialize", id: "r1" } as const };
  strictEqual(record(nodeView({ task: running(copying) }))["state"], "stopping");
});

Deno.test("memberRecord() shows a scheduled restart with the start of the server that is meant", () => {
  const shown = { schedule: "2030-05-01T02:00:00+00:00", restart_pending: true };
  const conditions = { role: null, olderThan: null, pendingOnly: true };
  const schedule = { atMs: 1, startTime: "2026-01-01 10:00:00+00:00", shown };
  const wish = { kind: "scheduled-restart", id: "r1", conditions, timeoutS: null } as const;
  const found = record(nodeView({ wishes: [{ ...wish, schedule }] }));

  deepStrictEqual(found["scheduled_restart"], {
    ...shown,
    postmaster_start_time: "2026-01-01 10:00:00+00:00",
  });
});

Deno.test("memberRecord() keeps a crashed primary a primary while it has the lock", () => {
  strictEqual(record(nodeView({ postgres: down({}, true) }))["role"], "primary");
});
