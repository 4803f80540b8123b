import assert from "node:assert/strict";
import type { Action, Decision } from "../../lib/core/action.ts";
import type { ClusterUnreachable, ClusterView } from "../../lib/core/cluster_view.ts";
import { decide, explain } from "../../lib/core/decide.ts";
import { LADDER } from "../../lib/core/rules/ladder.ts";
import { initialMemory } from "../../lib/core/memory.ts";
import type { Memory } from "../../lib/core/memory.ts";
import type { LeaseView, NodeView, PostgresView, TaskView } from "../../lib/core/node_view.ts";
import { authorityEndsMs, mayBePrimary } from "../../lib/core/rules/facts.ts";
import {
  cluster,
  down,
  handover,
  held,
  leaderReport,
  lsn,
  nodeView,
  NOW_MS,
  peer,
  primary,
  replica,
  silentPeer,
  SYSTEM_ID,
  unreachable,
} from "./builders.ts";

const CLUSTERS: readonly (ClusterView | ClusterUnreachable)[] = [
  cluster(),
  cluster({ lock: "b" }),
  cluster({ lock: null }),
  cluster({ lock: null, systemId: null, config: null, members: [] }),
  cluster({ lock: null, systemId: "" }),
  cluster({ systemId: "7999999999999999999" }),
  cluster({ handover: handover({ leader: "a", candidate: "b" }) }),
  cluster({ lock: null, handover: handover({ candidate: "a" }) }),
  cluster({
    history: [{ timeline: 1, lsn: lsn(900), reason: "", at: null, newLeader: null }],
  }),
  unreachable(),
  unreachable(null),
];

const SERVERS: readonly PostgresView[] = [
  { kind: "no-data" },
  { kind: "unreadable", why: "half-made" },
  down(),
  down({ state: "in production" }, true),
  down({ state: "shut down in recovery" }),
  { kind: "starting", systemId: SYSTEM_ID, asReplica: true, sinceMs: 0 },
  { kind: "starting", systemId: SYSTEM_ID, asReplica: false, sinceMs: 0 },
  { kind: "silent", systemId: SYSTEM_ID, lastRole: "primary", why: "slow" },
  { kind: "silent", systemId: SYSTEM_ID, lastRole: "replica", why: "slow" },
  primary(),
  replica(),
  replica({ streaming: false, timeline: 2 }),
];

const LEASES: readonly LeaseView[] = [
  { kind: "none" },
  held(),
  held(4000),
  held(-1),
  { kind: "lost", why: "refused" },
];

const NOTHING_RUNS: TaskView = { kind: "idle" };
const TASKS: readonly TaskView[] = [
  NOTHING_RUNS,
  {
    kind: "running",
    task: { kind: "promote", notAfterMs: 0 },
    sinceMs: 0,
    cancellable: true,
    progress: null,
  },
  { kind: "running", task: { kind: "bootstrap" }, sinceMs: 0, cancellable: false, progress: null },
  {
    kind: "ended",
    task: { kind: "promote", notAfterMs: 0 },
    result: "failed",
    reason: "late",
    endedMs: NOW_MS - 1,
  },
  { kind: "ended", task: { kind: "bootstrap" }, result: "done", reason: null, endedMs: 0 },
];

const MEMORIES: readonly Memory[] = [
  initialMemory,
  { ...initialMemory, promoteAskedMs: 1, lastLeader: "a" },
  { ...initialMemory, unfoundedId: SYSTEM_ID },
];

function* views(): Generator<NodeView> {
  for (const view of worlds()) {
    yield view;
    yield { ...view, peers: [peer("b"), silentPeer("c")], leader: leaderReport("b") };
    yield { ...view, wishes: [{ kind: "shutdown" }] };
  }
}

function* worlds(): Generator<NodeView> {
  for (const cluster of CLUSTERS) {
    for (const postgres of SERVERS) {
      for (const lease of LEASES) {
        for (const task of TASKS) yield nodeView({ cluster, postgres, lease, task });
      }
    }
  }
}

function* decisions(): Generator<{ view: NodeView; memory: Memory; decision: Decision }> {
  for (const view of views()) {
    for (const memory of MEMORIES) yield { view, memory, decision: decide(view, memory) };
  }
}

function orders(decision: Decision, ...kinds: readonly string[]): boolean {
  return decision.actions.some((action) => kinds.includes(nameOf(action)));
}

function nameOf(action: Action): string {
  return action.kind === "start-task" ? action.task.kind : action.kind;
}

/** The lease as the rules count it: 5 s before its end nothing may be begun any more. */
function isLeaseGood(view: NodeView): boolean {
  return view.lease.kind === "held" && view.lease.endsMs - 5000 > view.nowMs;
}

Deno.test("decide() gives the same answer when it is asked twice", () => {
  for (const { view, memory, decision } of decisions()) {
    assert.deepEqual(decide(view, memory), decision);
  }
});

Deno.test("decide() promotes or starts a primary only under the lock and a running lease", () => {
  for (const { view, decision } of decisions()) {
    if (!orders(decision, "promote", "start-primary")) continue;
    const holder = view.cluster.kind === "seen" ? view.cluster.lock?.holder : null;
    assert.equal(holder, view.self.name);
    assert.ok(isLeaseGood(view));
  }
});

Deno.test("decide() gives each promotion an end before the lease's", () => {
  for (const { view, decision } of decisions()) {
    for (const action of decision.actions) {
      if (action.kind !== "start-task" || !("notAfterMs" in action.task)) continue;
      assert.ok(view.lease.kind === "held" && action.task.notAfterMs < view.lease.endsMs);
    }
  }
});

Deno.test("decide() takes the lock only when the store says that it is free", () => {
  for (const { view, decision } of decisions()) {
    if (!orders(decision, "take-lock")) continue;
    assert.ok(view.cluster.kind === "seen" && view.cluster.lock === null);
  }
});

Deno.test("decide() looks again when the lease has to be given up, whatever it decides", () => {
  for (const { view, memory, decision } of decisions()) {
    const endsMs = authorityEndsMs(view, memory);
    if (endsMs === null) continue;
    assert.ok(decision.wakeAtMs !== null && decision.wakeAtMs <= endsMs, decision.rule);
  }
});

Deno.test("decide() releases the lock only when no server may be the primary", () => {
  for (const { view, memory, decision } of decisions()) {
    if (!orders(decision, "release-lock")) continue;
    assert.ok(!mayBePrimary(view.postgres, memory), decision.rule);
  }
});

Deno.test("decide() keeps or gives up the lock, explicitly, while the lease is good", () => {
  for (const { view, decision } of decisions()) {
    const isLocked = view.cluster.kind === "seen" && view.cluster.lock?.holder === view.self.name;
    if (!isLocked || !isLeaseGood(view)) continue;
    assert.ok(orders(decision, "hold-lock", "release-lock"), JSON.stringify(decision.rule));
  }
});

Deno.test("decide() orders at most one task at a time", () => {
  for (const { decision } of decisions()) {
    const tasks = decision.actions.filter((action) => action.kind === "start-task");
    assert.ok(tasks.length <= 1);
  }
});

Deno.test("decide() never repeats a round without an order that changes the view", () => {
  for (const { decision } of decisions()) {
    const changing = decision.actions.filter((action) => action.kind !== "hold-lock");
    if (decision.again) assert.ok(changing.length > 0, decision.rule);
  }
});

Deno.test("decide() leaves no primary running when its lease has ended", () => {
  for (const { view, memory, decision } of decisions()) {
    const hasEnded = view.lease.kind === "lost" || view.lease.kind === "held" && !isLeaseGood(view);
    const isPlain = view.task.kind !== "running" && memory === initialMemory;
    if (!hasEnded || view.postgres.kind !== "primary" || !isPlain) continue;
    const isElsewhere = decision.rule === "founding" || isUnfounded(view);
    if (!isElsewhere) assert.ok(orders(decision, "stop", "exit"), decision.rule);
  }
});

/** A tree without an identity has no other leader to fear: its primary may take the lock at once. */
function isUnfounded(view: NodeView): boolean {
  return view.cluster.kind === "seen" && view.cluster.systemId === null;
}

Deno.test("explain() marks the rung that decides", () => {
  const rungs = explain(nodeView(), initialMemory);
  assert.deepEqual(rungs.filter((rung) => rung.answered).map((rung) => rung.rule), ["lead"]);
});

Deno.test("LADDER has a name of its own for each rung", () => {
  assert.equal(new Set(LADDER.map((rule) => rule.name)).size, LADDER.length);
});
