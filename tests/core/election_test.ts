import assert from "node:assert/strict";
import { decide } from "../../lib/core/decide.ts";
import { initialMemory } from "../../lib/core/memory.ts";
import type { Memory } from "../../lib/core/memory.ts";
import type { NodeView, PostgresView } from "../../lib/core/node_view.ts";
import { readTags } from "../../lib/core/tags.ts";
import {
  cluster,
  handover,
  leaderReport,
  lsn,
  member,
  nodeView,
  peer,
  raceView,
  replica,
  replicaView,
  self,
  SYSTEM_ID,
  unreachable,
} from "./builders.ts";

const PREFERRED = readTags({ failover_priority: 2 });

function ordered(view: NodeView, memory: Memory = initialMemory): readonly string[] {
  const { actions } = decide(view, memory);
  return actions.map((action) => action.kind === "start-task" ? action.task.kind : action.kind);
}

/** True when this node takes the free lock from under these peers. */
function wins(view: Partial<NodeView>, lastLeader = "z"): boolean {
  return ordered(raceView(view), { ...initialMemory, lastLeader }).includes("take-lock");
}

Deno.test("B8 race is won by the higher priority between equal positions", () => {
  assert.ok(!wins({ peers: [peer("b", { tags: PREFERRED })] }));
  assert.ok(wins({ self: self({ tags: PREFERRED }), peers: [peer("b")] }));
});

Deno.test("B9 race is won by more WAL against a higher priority", () => {
  assert.ok(wins({ peers: [peer("b", { tags: PREFERRED, lsn: lsn(999) })] }));
});

Deno.test("B10 race does not count the priority of the former leader", () => {
  assert.ok(wins({ peers: [peer("b", { tags: PREFERRED })] }, "b"));
});

Deno.test("B11 readTags() lets a member take part that is allowed to, whatever its priority", () => {
  const tags = readTags({ nofailover: false, failover_priority: 0 });
  assert.equal(tags.nofailover, false);
  assert.ok(wins({ self: self({ tags }), peers: [peer("b", { lsn: lsn(1) })] }));
});

Deno.test("B14 race does not wait for a member that is ahead and never leads", () => {
  const barred = readTags({ nofailover: true });
  assert.ok(wins({ peers: [peer("b", { tags: barred, lsn: lsn(9000) })] }));
});

Deno.test("B6 race leaves an empty store to its primary, and a running replica as it is", () => {
  const empty = cluster({ lock: null, systemId: null, members: [], config: null });
  assert.deepEqual(ordered(raceView({ cluster: empty })), []);
});

Deno.test("A22 an emptied store gets nothing from a replica", () => {
  const emptied = cluster({ lock: null, systemId: null, members: [], config: null });
  const memory = { ...initialMemory, lastLeader: "b", lastConfig: { ttl: 30 } };
  assert.deepEqual(ordered(raceView({ cluster: emptied }), memory), []);
});

Deno.test("B15 follow judges no fork before the leader says that it is a primary", () => {
  const history = [{ timeline: 1, switchLsn: lsn(10), reason: "" }];
  const apart = replicaView({
    postgres: replica({ streaming: false }),
    leader: leaderReport("b", { timeline: 2, history }),
  });
  assert.ok(ordered(apart).includes("stop"));
  const members = [member("a"), member("b", { role: "promoted" })];
  assert.ok(!ordered({ ...apart, cluster: cluster({ lock: "b", members }) }).includes("stop"));
});

Deno.test("B19 a silent primary is stopped by the role last seen when its lease ends", () => {
  const silent = (lastRole: "primary" | "replica"): PostgresView => {
    return { kind: "silent", systemId: SYSTEM_ID, lastRole, why: "no answer" };
  };
  const lost = { cluster: unreachable(), lease: { kind: "lost", why: "it ran out" } } as const;
  assert.deepEqual(ordered(nodeView({ ...lost, postgres: silent("primary") })), ["stop"]);
  assert.deepEqual(ordered(nodeView({ ...lost, postgres: silent("replica") })), []);
});

Deno.test("D23 a replica that replays for an hour is left alone", () => {
  const sinceMs = nodeView().nowMs - 3_600_000;
  const starting = { kind: "starting", systemId: SYSTEM_ID, asReplica: true, sinceMs } as const;
  assert.deepEqual(ordered(replicaView({ postgres: starting })), []);
});

Deno.test("D7 a leader whose data directory cannot be read gives the lock up", () => {
  const postgres = { kind: "unreadable", why: "Input/output error (os error 5)" } as const;
  assert.deepEqual(ordered(nodeView({ postgres })), ["release-lock"]);
});

Deno.test("race does not leave out who a request calls the leader, when another one led last", () => {
  const wish = handover({ leader: "c", candidate: "a" });
  const seen = cluster({ lock: null, handover: wish });
  const peers = [peer("b"), peer("c", { lsn: lsn(5000), timeline: 1 })];
  assert.ok(wins({ cluster: seen, peers }, "c"));
  assert.ok(!wins({ cluster: seen, peers }, "b"));
});
