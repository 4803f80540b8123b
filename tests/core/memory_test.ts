import assert from "node:assert/strict";
import type { Action } from "../../lib/core/action.ts";
import { evolve, initialMemory, remember } from "../../lib/core/memory.ts";
import type { NodeView, TaskView } from "../../lib/core/node_view.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import {
  cluster,
  down,
  lsn,
  member,
  nodeView,
  NOW_MS,
  peer,
  primary,
  raceView,
  replica,
  replicaView,
  SYSTEM_ID,
  unreachable,
} from "./builders.ts";

const PROMOTE: Action = { kind: "start-task", task: { kind: "promote", notAfterMs: 1 } };

function cloneFailed(endedMs: number): TaskView {
  const source = { name: "b", connUrl: "postgres://127.0.0.1:5402/postgres" };
  const task = { kind: "clone", source, old: "refuse", why: "empty" } as const;
  return { kind: "ended", task, result: "failed", reason: "disk full", endedMs };
}

Deno.test("evolve() remembers a promotion when it was ordered or may have been", () => {
  for (const [result, askedMs] of [["done", 7], ["unknown", 7], ["refused", null]] as const) {
    const after = evolve(initialMemory, { action: PROMOTE, result, reason: null, atMs: 7 });
    assert.equal(after.promoteAskedMs, askedMs, result);
  }
});

Deno.test("evolve() counts a release as giving up when it names no position", () => {
  for (const [lastLsn, gaveUpMs] of [[null, 7], [lsn(5), null]] as const) {
    const action: Action = { kind: "release-lock", lastLsn };
    const after = evolve(initialMemory, { action, result: "done", reason: null, atMs: 7 });
    assert.equal(after.gaveUpMs, gaveUpMs);
  }
});

Deno.test("evolve() takes settings as applied only when that is certain", () => {
  const action: Action = { kind: "apply-settings", settings: defaultSettings };
  const outcome = { action, reason: null, atMs: 7 };
  assert.equal(evolve(initialMemory, { ...outcome, result: "unknown" }).appliedSettings, null);
  assert.equal(
    evolve(initialMemory, { ...outcome, result: "done" }).appliedSettings,
    defaultSettings,
  );
});

const INHERITED = { endsMs: NOW_MS + 9000, inherited: true };
const SILENT = { kind: "silent", systemId: SYSTEM_ID, lastRole: "replica", why: "x" } as const;

const FINDS: readonly (readonly [string, readonly NodeView[], boolean | null])[] = [
  ["a replica under an inherited switch", [replicaView({ armed: INHERITED })], true],
  ["a silent one", [replicaView({ armed: INHERITED, postgres: SILENT })], true],
  ["a replica without", [replicaView({ armed: { ...INHERITED, inherited: false } })], false],
  ["a primary, a replica later", [
    nodeView({ armed: INHERITED }),
    replicaView({ armed: INHERITED }),
  ], false],
  ["it goes down", [replicaView({ armed: INHERITED }), replicaView({ postgres: down() })], false],
  ["it is still there", [replicaView({ armed: INHERITED }), replicaView({ armed: null })], true],
];

for (const [title, views, found] of FINDS) {
  Deno.test(`remember() finds what the process before may have promoted: ${title}`, () => {
    const memory = views.reduce((memory, view) => remember(memory, view), initialMemory);
    assert.equal(memory.promotionFound, found);
  });
}

Deno.test("remember() waits with its judgement for a server that starts", () => {
  const postgres = { kind: "starting", systemId: SYSTEM_ID, asReplica: true, sinceMs: 0 } as const;
  const memory = remember(initialMemory, replicaView({ armed: INHERITED, postgres }));
  assert.equal(memory.promotionFound, null);
});

Deno.test("remember() forgets a promotion when it has happened or cannot happen any more", () => {
  const memory = { ...initialMemory, promoteAskedMs: 7 };
  const task: TaskView = {
    kind: "ended",
    task: { kind: "promote", notAfterMs: 1 },
    result: "cancelled",
    reason: null,
    endedMs: 8,
  };
  const cases: readonly [string, NodeView, number | null][] = [
    ["still a replica", nodeView({ postgres: replica() }), 7],
    ["a primary", nodeView({ postgres: primary() }), null],
    ["stopped", nodeView({ postgres: down() }), null],
    ["cancelled before its call", nodeView({ postgres: replica(), task }), null],
  ];
  for (const [name, view, askedMs] of cases) {
    assert.equal(remember(memory, view).promoteAskedMs, askedMs, name);
  }
});

Deno.test("remember() keeps leader and members of the last led view when the lock is gone", () => {
  const led = remember(initialMemory, replicaView());
  const after = remember(led, raceView({ cluster: cluster({ lock: null, members: [] }) }));
  assert.equal(after.lastLeader, "b");
  assert.deepEqual(after.lastHealthyMembers.map((each) => each.name), ["a", "b", "c"]);
});

Deno.test("remember() keeps the last config when the key is lost", () => {
  const raw = { ttl: 40 };
  const seen = nodeView({ cluster: cluster({ config: { raw, revision: 1n } }) });
  const lost = nodeView({ cluster: cluster({ config: null }) });
  assert.deepEqual(remember(remember(initialMemory, seen), lost).lastConfig, raw);
});

Deno.test("remember() counts failures of one kind in a row, each once", () => {
  const first = remember(initialMemory, replicaView({ task: cloneFailed(10) }));
  const same = remember(first, replicaView({ task: cloneFailed(10) }));
  const second = remember(same, replicaView({ task: cloneFailed(20) }));
  assert.deepEqual(second.failedTask, { kind: "clone", times: 2, lastMs: 20 });
});

Deno.test("remember() counts the time down only under the own lock", () => {
  const mine = remember(initialMemory, nodeView({ postgres: down() }));
  assert.equal(mine.downSinceMs, NOW_MS);
  const later = remember(mine, nodeView({ postgres: down(), nowMs: NOW_MS + 5000 }));
  assert.equal(later.downSinceMs, NOW_MS);
  assert.equal(remember(later, replicaView({ postgres: down() })).downSinceMs, null);
});

Deno.test("remember() lets a vanished member's slot run out on the leader", () => {
  const retained = { lsn: lsn(1), slots: {}, retainSlots: ["gone"] };
  const seen = remember(initialMemory, nodeView({ cluster: cluster({ status: retained }) }));
  assert.equal(seen.memberSeenMs["gone"], NOW_MS);
  const nowMs = NOW_MS + 1_800_000;
  const after = remember(seen, nodeView({ nowMs, cluster: cluster({ status: retained }) }));
  assert.deepEqual(Object.keys(after.memberSeenMs), ["a", "b", "c"]);
});

Deno.test("A27 remember() takes over retained slots from the leader on a replica", () => {
  const status = { lsn: lsn(1), slots: {}, retainSlots: ["gone"] };
  const known = remember(initialMemory, replicaView());
  const after = remember(known, replicaView({ cluster: cluster({ lock: "b", status }) }));
  assert.equal(after.memberSeenMs["gone"], NOW_MS);
});

Deno.test("remember() keeps no slot for a member that never streams", () => {
  const tags = { ...member("c").tags, nostream: true };
  const view = nodeView({ cluster: cluster({ members: [member("a"), member("c", { tags })] }) });
  assert.deepEqual(Object.keys(remember(initialMemory, view).memberSeenMs), ["a"]);
});

Deno.test("remember() knows a server bootstrapped here until the store names it", () => {
  const task: TaskView = {
    kind: "ended",
    task: { kind: "bootstrap" },
    result: "done",
    reason: null,
    endedMs: 5,
  };
  const claimed = nodeView({ cluster: cluster({ lock: null, systemId: "" }), task });
  const made = remember(initialMemory, claimed);
  assert.equal(made.unfoundedId, SYSTEM_ID);
  assert.equal(remember(made, nodeView({ task })).unfoundedId, null);
  const take = { action: { kind: "take-lock" }, reason: null, atMs: 6 } as const;
  assert.equal(evolve(made, { ...take, result: "refused" }).unfoundedId, SYSTEM_ID);
  for (const result of ["done", "unknown"] as const) {
    const led = evolve(made, { ...take, result });
    assert.equal(remember(led, claimed).unfoundedId, null, `${result}: it may have led`);
  }
  const silent = { kind: "silent", systemId: SYSTEM_ID, lastRole: "primary", why: "" } as const;
  assert.equal(remember(initialMemory, { ...claimed, postgres: silent }).unfoundedId, SYSTEM_ID);
});

Deno.test("remember() keeps the timeline that a member told while the store was empty", () => {
  const empty = cluster({ lock: null, systemId: null, history: null });
  const peers = [peer("b", { timeline: 12 })];
  const told = remember(initialMemory, raceView({ cluster: empty, peers }));
  const after = remember(told, raceView({ cluster: empty, peers: [] }));
  const led = remember(
    initialMemory,
    raceView({ cluster: cluster({ lock: null, history: null }), peers }),
  );
  assert.deepEqual([told, after, led].map((one) => one.newestTimeline), [12, 12, 0]);
});

Deno.test("remember() counts a store as empty that has its identity back and nothing else to tell", () => {
  const since = (overrides: Parameters<typeof cluster>[0]): number | null =>
    remember(initialMemory, raceView({ cluster: cluster({ lock: null, ...overrides }) }))
      .emptySinceMs;
  const status = { lsn: null, slots: {}, retainSlots: [] };
  assert.deepEqual(
    [
      since({ status }),
      since({ status, lock: "b" }),
      since({ status, history: [] }),
      since({ status, systemId: "" }),
      since({}),
    ],
    [NOW_MS, null, null, null, null],
  );
});

Deno.test("remember() counts the time of an empty store anew after each silence of it", () => {
  const empty = raceView({ cluster: cluster({ lock: null, systemId: null }) });
  const known = { ...initialMemory, emptySinceMs: 5 };
  const after = remember(known, { ...empty, cluster: unreachable() });
  assert.deepEqual(
    [remember(known, empty), after, remember(after, empty)].map((one) => one.emptySinceMs),
    [
      5,
      null,
      NOW_MS,
    ],
  );
});
