import assert from "node:assert/strict";
import { decide } from "../../lib/core/decide.ts";
import { initialMemory } from "../../lib/core/memory.ts";
import type { Memory } from "../../lib/core/memory.ts";
import type { NodeView, PostgresView } from "../../lib/core/node_view.ts";
import { addressOf } from "../../lib/core/rules/sources.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import { readTags } from "../../lib/core/tags.ts";
import {
  cluster,
  control,
  down,
  leaderReport,
  lsn,
  member,
  NOW_MS,
  portOf,
  primary,
  replica,
  replicaView,
  self,
  SYSTEM_ID,
} from "./builders.ts";

const SETTLED: Memory = { ...initialMemory, appliedSettings: defaultSettings };
const FORKED = leaderReport("b", {
  timeline: 2,
  history: [{ timeline: 1, switchLsn: lsn(900), reason: "" }],
});

function ordered(view: NodeView, memory: Memory = SETTLED): readonly string[] {
  const { actions } = decide(view, memory);
  return actions.map((action) => action.kind === "start-task" ? action.task.kind : action.kind);
}

function upstreamOf(view: NodeView): string | null | undefined {
  for (const action of decide(view, SETTLED).actions) {
    if (action.kind !== "start-task" || action.task.kind !== "follow") continue;
    return action.task.upstream?.name ?? null;
  }
  return undefined;
}

Deno.test("follow does nothing when the replica streams from the leader", () => {
  assert.deepEqual(ordered(replicaView()), []);
});

Deno.test("follow applies settings when an operator wishes a reload", () => {
  const wishes = [{ kind: "reload", localConfig: null }] as const;
  assert.deepEqual(ordered(replicaView({ wishes })), ["apply-settings"]);
});

Deno.test("follow stops whatever may be a primary (L4)", () => {
  const servers: readonly PostgresView[] = [
    primary(),
    { kind: "silent", systemId: SYSTEM_ID, lastRole: "primary", why: "slow" },
    { kind: "starting", systemId: SYSTEM_ID, asReplica: false, sinceMs: 0 },
  ];
  for (const postgres of servers) {
    assert.deepEqual(ordered(replicaView({ postgres })), ["stop"], postgres.kind);
  }
});

Deno.test("follow stops a replica whose promotion may still happen", () => {
  assert.deepEqual(ordered(replicaView(), { ...SETTLED, promoteAskedMs: 1 }), ["stop"]);
});

Deno.test("follow changes the source when address or slot differ", () => {
  const other = { host: "127.0.0.1", port: portOf("c"), slotName: "a" };
  const noSlot = { host: "127.0.0.1", port: portOf("b"), slotName: null };
  for (const upstream of [other, noSlot, null]) {
    assert.equal(upstreamOf(replicaView({ postgres: replica({ upstream }) })), "b");
  }
});

Deno.test("follow honours replicatefrom unless that leads back or does not run", () => {
  const me = self({ tags: readTags({ replicatefrom: "c" }) });
  const leader = member("b", { role: "primary" });
  const loop = member("c", { tags: readTags({ replicatefrom: "a" }) });
  const stopped = member("c", { state: "stopped" });
  assert.equal(upstreamOf(replicaView({ self: me })), "c");
  for (const third of [loop, stopped]) {
    const seen = cluster({ lock: "b", members: [member("a"), leader, third] });
    assert.equal(upstreamOf(replicaView({ self: me, cluster: seen })), undefined);
  }
});

Deno.test("follow leaves the source alone when the leader has no address", () => {
  const seen = cluster({ lock: "b", members: [member("a")] });
  assert.deepEqual(ordered(replicaView({ cluster: seen })), []);
});

Deno.test("follow takes a nostream member off its source", () => {
  const me = self({ tags: readTags({ nostream: true }) });
  assert.equal(upstreamOf(replicaView({ self: me })), null);
});

Deno.test("follow pauses after a failed attempt", () => {
  const failedTask = { kind: "follow", times: 1, lastMs: NOW_MS - 1000 };
  const view = replicaView({ postgres: replica({ upstream: null }) });
  const decision = decide(view, { ...SETTLED, failedTask });
  assert.deepEqual([decision.actions, decision.wakeAtMs], [[], NOW_MS + 9000]);
});

Deno.test("follow compares histories only when the replica does not stream", () => {
  const postgres = replica({ streaming: false });
  assert.deepEqual(ordered(replicaView({ postgres })), ["inspect-leader"]);
  assert.deepEqual(ordered(replicaView({ postgres, leader: FORKED })), ["stop"]);
  assert.deepEqual(ordered(replicaView({ postgres, leader: leaderReport("b") })), []);
});

Deno.test("follow keeps a forked replica when it may not be replaced", () => {
  const view = replicaView({
    self: self({ mayReclone: false }),
    postgres: replica({ streaming: false }),
    leader: FORKED,
  });
  assert.deepEqual(ordered(view), []);
});

Deno.test("recover-replica clones a forked directory and starts any other (E: rejoin)", () => {
  const cases = [
    ["forked", control({ checkpointLsn: lsn(900) }), "clone"],
    ["same history", control({ checkpointLsn: lsn(899) }), "start-replica"],
    ["crashed: unknown", control({ state: "in production" }), "start-replica"],
  ] as const;
  for (const [name, found, order] of cases) {
    const postgres: PostgresView = { kind: "down", control: found, crashed: false };
    assert.deepEqual(ordered(replicaView({ postgres, leader: FORKED })), [order], name);
  }
});

Deno.test("recover-replica keeps the old directory aside when it clones", () => {
  const [action] = decide(replicaView({ postgres: down(), leader: FORKED }), SETTLED).actions;
  assert.ok(action?.kind === "start-task" && action.task.kind === "clone");
  assert.equal(action.task.old, "move-aside");
});

Deno.test("recover-replica clones what was stopped as forked, whatever its control data shows", () => {
  const view = replicaView({ postgres: replica({ streaming: false }), leader: FORKED });
  const [stop] = decide(view, SETTLED).actions;
  assert.ok(stop?.kind === "start-task" && stop.task.kind === "stop");
  const task = {
    kind: "ended",
    task: stop.task,
    result: "done",
    reason: null,
    endedMs: NOW_MS,
  } as const;
  assert.deepEqual(ordered(replicaView({ postgres: down(), task })), ["clone"]);
});

Deno.test("recover-replica pauses after a failed start", () => {
  const failedTask = { kind: "start-replica", times: 3, lastMs: NOW_MS };
  const view = replicaView({ postgres: down(), leader: leaderReport("b") });
  assert.deepEqual(ordered(view, { ...SETTLED, failedTask }), []);
});

Deno.test("recover-replica starts read-only when nobody leads, and takes no lock", () => {
  const view = replicaView({ cluster: cluster({ lock: null }), postgres: down() });
  assert.deepEqual(ordered(view), ["start-replica"]);
});

Deno.test("recover-replica leads a new cluster only while no leader was ever known (P15)", () => {
  const wiped = cluster({ lock: null, systemId: null, config: null, members: [] });
  const view = replicaView({ cluster: wiped, postgres: down() });
  const empty = { ...SETTLED, emptySinceMs: NOW_MS - 60_000 };
  assert.deepEqual(ordered(view), []);
  assert.deepEqual(ordered(view, empty), ["take-lock"]);
  assert.deepEqual(ordered(view, { ...empty, lastLeader: "b" }), ["start-replica"]);
});

Deno.test("recover-replica founds the cluster under a bootstrap claim, for its server may have been stopped before it led", () => {
  const claimed = cluster({ lock: null, systemId: "", config: null, members: [] });
  const made = { ...SETTLED, unfoundedId: SYSTEM_ID };
  for (const memory of [SETTLED, made]) {
    for (const state of ["shut down", "in production"]) {
      const view = replicaView({ cluster: claimed, postgres: down({ state }) });
      assert.deepEqual(ordered(view, memory), ["found-cluster", "take-lock"], state);
      assert.equal(decide(view, memory).again, false, "a refusal would repeat itself at once");
    }
  }
  const view = replicaView({ cluster: claimed, postgres: down() });
  assert.deepEqual(ordered(view, { ...SETTLED, lastLeader: "b" }), ["start-replica"]);
  const beside = { ...claimed, members: [member("b", { role: "demoted", state: "stopped" })] };
  assert.deepEqual(ordered({ ...view, cluster: beside }), ["start-replica"]);
});

Deno.test("recover-replica leads no new cluster beside stopped data that may be newer", () => {
  const empty = { ...SETTLED, emptySinceMs: NOW_MS - 60_000 };
  const cases = [
    [member("b", { role: "demoted", state: "stopped", timeline: null }), "start-replica"],
    [member("b", { role: "replica", state: "stopped", timeline: null }), "start-replica"],
    [member("b", { role: "replica", state: "creating replica", timeline: null }), "take-lock"],
    [member("b", { role: "uninitialized", state: "stopped", timeline: null }), "take-lock"],
  ] as const;
  for (const [other, order] of cases) {
    const wiped = cluster({ lock: null, systemId: null, config: null, members: [other] });
    const view = replicaView({ cluster: wiped, postgres: down() });
    assert.deepEqual(ordered(view, empty), [order], `${other.role}, ${other.state}`);
  }
});

Deno.test("addressOf() reads published addresses", () => {
  assert.deepEqual(addressOf("postgres://db.example:5433/postgres"), {
    host: "db.example",
    port: 5433,
  });
  assert.deepEqual(addressOf("postgres://[::1]:5433/x"), { host: "::1", port: 5433 });
  assert.deepEqual(addressOf("postgresql://h/x"), { host: "h", port: 5432 });
  assert.equal(addressOf("garbage"), null);
});
