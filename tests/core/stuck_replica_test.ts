import { strictEqual } from "node:assert/strict";
import { decide } from "../../lib/core/decide.ts";
import { evolve, initialMemory, remember } from "../../lib/core/memory.ts";
import type { Memory } from "../../lib/core/memory.ts";
import type { NodeView } from "../../lib/core/node_view.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import { stuckLimitMs } from "../../lib/core/stuck_replica.ts";
import { readTags } from "../../lib/core/tags.ts";
import {
  cluster,
  down,
  leaderReport,
  lsn,
  member,
  NOW_MS,
  primary,
  replica,
  replicaView,
  self,
} from "./builders.ts";

const LIMIT_MS = 120_000;
const HISTORY = [{ timeline: 1, switchLsn: lsn(50), reason: "" }];
const ON_TIMELINE_2 = leaderReport("b", { timeline: 2, history: HISTORY });
const IDLE = replica({ streaming: false, timeline: 2, replayedLsn: lsn(100) });
const LEADER = [member("a"), member("b", { role: "primary", timeline: 2 })];
const SEEN = cluster({
  lock: "b",
  members: LEADER,
  status: { lsn: lsn(100), slots: { a: lsn(100) }, retainSlots: [] },
});

function idleView(overrides: Partial<NodeView> = {}): NodeView {
  return replicaView({ postgres: IDLE, leader: ON_TIMELINE_2, cluster: SEEN, ...overrides });
}

function stuckFor(ms: number, known: Partial<Memory> = {}): Memory {
  const stuck = { leader: "b", replayedLsn: lsn(100), sinceMs: NOW_MS - ms };
  return { ...initialMemory, appliedSettings: defaultSettings, stuck, ...known };
}

function orderOf(view: NodeView, memory: Memory): string {
  const [action] = decide(view, memory).actions;
  if (action === undefined) return "nothing";
  return action.kind === "start-task" ? action.task.kind : action.kind;
}

Deno.test("remember() counts a stuck replica from the first answer of the leader's server", () => {
  const fresh = remember(initialMemory, idleView());
  strictEqual(fresh.stuck?.sinceMs, NOW_MS);
  const later = { nowMs: NOW_MS + 10_000 };
  const kept = remember(fresh, idleView({ ...later, leader: "not asked" }));
  strictEqual(remember(kept, idleView(later)).stuck?.sinceMs, NOW_MS);
});

const ENDS: readonly (readonly [string, Partial<NodeView>])[] = [
  ["a stream", { postgres: replica({ timeline: 2, replayedLsn: lsn(100) }) }],
  ["a leader that does not answer", { leader: { kind: "failed", name: "b", why: "refused" } }],
  ["a silent store", { cluster: { kind: "unreachable", why: "", lastSeen: SEEN } }],
  ["a free lock", { cluster: { ...SEEN, lock: null } }],
  ["a primary", { postgres: primary() }],
];

for (const [name, overrides] of ENDS) {
  Deno.test(`remember() forgets a stuck replica at ${name}`, () => {
    strictEqual(remember(stuckFor(1000), idleView(overrides)).stuck, null);
  });
}

Deno.test("remember() begins anew when the replay goes on or another member leads", () => {
  const moved = { ...IDLE, replayedLsn: lsn(101) };
  strictEqual(remember(stuckFor(1000), idleView({ postgres: moved })).stuck?.sinceMs, NOW_MS);
  const known = stuckFor(1000, {
    stuck: { leader: "c", replayedLsn: lsn(100), sinceMs: NOW_MS - 1000 },
  });
  strictEqual(remember(known, idleView()).stuck?.sinceMs, NOW_MS);
});

Deno.test("follow replaces a replica that is stuck beside a leader that answers", () => {
  strictEqual(orderOf(idleView(), stuckFor(LIMIT_MS)), "stop");
  strictEqual(orderOf(idleView(), stuckFor(LIMIT_MS - 1)), "nothing");
});

Deno.test("follow replaces a replica whose WAL was removed on the first timeline, too", () => {
  const postgres = { ...IDLE, timeline: 1, replayedLsn: lsn(50) };
  const view = idleView({ postgres, leader: leaderReport("b") });
  const known = { ...stuckFor(LIMIT_MS) };
  const memory = { ...known, stuck: known.stuck && { ...known.stuck, replayedLsn: lsn(50) } };
  strictEqual(orderOf(view, memory), "stop");
});

const INNOCENT: readonly (readonly [string, Partial<NodeView>])[] = [
  ["restores from an archive", { postgres: { ...IDLE, restores: true } }],
  ["has its replay paused", { postgres: { ...IDLE, replayPaused: true } }],
  ["has told no timeline", { postgres: { ...IDLE, timeline: null } }],
  ["has no slot on the leader", {
    cluster: { ...SEEN, status: { ...SEEN.status, slots: {} } },
  }],
  ["is to follow another member", {
    self: self({ tags: readTags({ replicatefrom: "c" }) }),
    cluster: { ...SEEN, members: [...LEADER, member("c")] },
  }],
  ["may not be replaced", { self: self({ mayReclone: false }) }],
  ["has a leader that does not answer", { leader: { kind: "failed", name: "b", why: "" } }],
];

for (const [name, overrides] of INNOCENT) {
  Deno.test(`follow leaves a replica alone that does not stream and ${name}`, () => {
    strictEqual(orderOf(idleView(overrides), stuckFor(LIMIT_MS)) === "stop", false);
  });
}

Deno.test("recover-replica copies a replica that was stopped as stuck, with the reason", () => {
  const { actions: [stop] } = decide(idleView(), stuckFor(LIMIT_MS));
  if (stop?.kind !== "start-task" || stop.task.kind !== "stop") throw new TypeError("no stop");
  const ended = { kind: "ended", result: "done" } as const;
  const task = { ...ended, task: stop.task, reason: null, endedMs: NOW_MS };
  const view = idleView({ postgres: down(), task });
  const [copy] = decide(view, stuckFor(LIMIT_MS)).actions;
  const order = copy?.kind === "start-task" && copy.task.kind === "clone" ? copy.task : null;
  strictEqual(order?.old, "move-aside");
  strictEqual(order?.why, stop.task.why);
});

Deno.test("evolve() gives each further copy twice the time, until a stream", () => {
  const action = decide(idleView(), stuckFor(LIMIT_MS)).actions[0];
  if (action === undefined) throw new TypeError("Cannot find the stop");
  const once = evolve(stuckFor(LIMIT_MS), { action, result: "done", reason: null, atMs: NOW_MS });
  strictEqual(once.vainCopies, 1);
  strictEqual(
    orderOf(idleView(), { ...once, ...stuckFor(LIMIT_MS, { vainCopies: 1 }) }),
    "nothing",
  );
  const streaming = replica({ timeline: 2, replayedLsn: lsn(100) });
  strictEqual(remember(once, idleView({ postgres: streaming })).vainCopies, 0);
});

Deno.test("stuckLimitMs() is bounded and follows a long loop", () => {
  strictEqual(stuckLimitMs(defaultSettings, 0), LIMIT_MS);
  strictEqual(stuckLimitMs({ ...defaultSettings, loopWaitS: 60 }, 0), 720_000);
  strictEqual(stuckLimitMs(defaultSettings, 100), stuckLimitMs(defaultSettings, 6));
});
