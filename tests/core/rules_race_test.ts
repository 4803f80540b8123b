import assert from "node:assert/strict";
import { decide } from "../../lib/core/decide.ts";
import { initialMemory } from "../../lib/core/memory.ts";
import type { Memory } from "../../lib/core/memory.ts";
import type { NodeView } from "../../lib/core/node_view.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import { readTags } from "../../lib/core/tags.ts";
import {
  cluster,
  handover,
  held,
  lsn,
  NOW_MS,
  peer,
  primary,
  raceView,
  self,
  silentPeer,
} from "./builders.ts";

function ordered(view: NodeView, memory: Memory = initialMemory): readonly string[] {
  const { actions } = decide(view, memory);
  return actions.map((action) => action.kind === "start-task" ? action.task.kind : action.kind);
}

const FREE = { lock: null } as const;

Deno.test("race clears a request that is due, and leaves one for later alone", () => {
  const view = raceView({ peers: [] });
  for (const [inMs, clears] of [[-1000, true], [60_000, false]] as const) {
    const wish = handover({ leader: "b", scheduledAtMs: view.wallMs + inMs });
    const seen = cluster({ lock: null, handover: wish });
    const kinds = decide({ ...view, cluster: seen }, initialMemory).actions.map(({ kind }) => kind);
    assert.equal(kinds.includes("clear-handover"), clears, kinds.join());
  }
});

Deno.test("race asks the others before it takes the lock", () => {
  assert.deepEqual(ordered(raceView()), ["ask-peers"]);
  assert.deepEqual(ordered(raceView({ peers: [silentPeer("b"), peer("c")] })), ["take-lock"]);
});

Deno.test("B1 race leaves the lock to a peer that is ahead or still a primary (W4, W5)", () => {
  const ahead = peer("c", { lsn: lsn(1001) });
  const alive = peer("c", { isPrimary: true, lsn: lsn(0) });
  for (const other of [ahead, alive]) assert.deepEqual(ordered(raceView({ peers: [other] })), []);
});

Deno.test("race never asks when this node may not lead", () => {
  const settings = { ...defaultSettings, unsupported: ["synchronous_mode"] };
  const history = [{ timeline: 1, lsn: lsn(900), reason: "", at: null, newLeader: null }];
  const far = { lsn: lsn(2_000_000), slots: {}, retainSlots: [] };
  const cases: readonly [string, Partial<NodeView>][] = [
    ["nofailover", { self: self({ tags: readTags({ nofailover: true }) }) }],
    ["unsupported setting", { cluster: cluster({ ...FREE, settings }) }],
    ["A22: wiped tree", { cluster: cluster({ ...FREE, systemId: null, members: [] }) }],
    ["B7: old timeline", { cluster: cluster({ ...FREE, history }) }],
    ["W1: too far behind", { cluster: cluster({ ...FREE, status: far }) }],
  ];
  for (const [name, overrides] of cases) {
    const { rule, actions } = decide(raceView(overrides), initialMemory);
    assert.deepEqual([rule, actions], ["race", []], name);
  }
});

Deno.test("race stays out for ttl after this node gave the lock up", () => {
  const memory = { ...initialMemory, gaveUpMs: NOW_MS - 29_999 };
  assert.deepEqual(ordered(raceView(), memory), []);
  assert.deepEqual(ordered(raceView(), { ...memory, gaveUpMs: NOW_MS - 30_000 }), ["ask-peers"]);
});

Deno.test("race lets the wished candidate take the lock at once and clears the wish (F1)", () => {
  const view = raceView({ cluster: cluster({ ...FREE, handover: handover({ candidate: "a" }) }) });
  assert.deepEqual(ordered(view), ["take-lock", "clear-handover"]);
});

Deno.test("race lets a candidate of a switchover lead only when no other has more, and of a failover as it is (F1)", () => {
  const ahead = peer("c", { lsn: lsn(1001) });
  const cases = [
    ["everything", "b", [peer("c")], ["take-lock", "clear-handover"]],
    ["not asked yet", "b", "not asked", ["ask-peers"]],
    ["less than another", "b", [ahead], []],
    ["less than one of a newer timeline", "b", [peer("c", { lsn: lsn(1), timeline: 2 })], []],
    ["less than one that may not lead", "b", [{ ...ahead, watchdogFailed: true }], [
      "take-lock",
      "clear-handover",
    ]],
    ["less than the former leader", "b", [peer("b", { lsn: lsn(1001) })], [
      "take-lock",
      "clear-handover",
    ]],
    ["less, ordered by a failover", null, [ahead], ["take-lock", "clear-handover"]],
  ] as const;
  for (const [what, leader, peers, wanted] of cases) {
    const seen = cluster({ ...FREE, handover: handover({ leader, candidate: "a" }) });
    assert.deepEqual(ordered(raceView({ cluster: seen, peers })), wanted, what);
  }
});

Deno.test("race lets the candidate of a switchover lead at once when the leader said that it has everything", () => {
  const wish = handover({ leader: "b", candidate: "a" });
  const cases = [
    [wish.revision, ["take-lock", "clear-handover"]],
    [wish.revision - 1n, ["ask-peers"]],
    [undefined, ["ask-peers"]],
  ] as const;
  for (const [handoverRevision, wanted] of cases) {
    const told = handoverRevision === undefined ? {} : { handoverRevision };
    const status = { lsn: lsn(1000), slots: {}, retainSlots: [], ...told };
    const view = raceView({ cluster: cluster({ ...FREE, handover: wish, status }) });
    assert.deepEqual(ordered(view), wanted, String(handoverRevision));
  }
});

Deno.test("race does not wait for the candidate of a switchover that has less, except as the former leader", () => {
  const behind = peer("c", { lsn: lsn(999) });
  const older = peer("c", { timeline: 1, lsn: lsn(2000) });
  const me = raceView().postgres;
  const newer = me.kind === "replica" ? { ...me, timeline: 2 } : me;
  const cases = [
    ["as much", "b", peer("c"), me, []],
    ["less", "b", behind, me, ["take-lock", "clear-handover"]],
    ["an older timeline", "b", older, newer, ["take-lock", "clear-handover"]],
    ["less, ordered by a failover", null, behind, me, []],
    ["less than the former leader", "a", behind, me, []],
  ] as const;
  for (const [what, leader, candidate, postgres, wanted] of cases) {
    const seen = cluster({ ...FREE, handover: handover({ leader, candidate: "c" }) });
    const view = raceView({ cluster: seen, postgres, peers: [candidate, silentPeer("b")] });
    assert.deepEqual(ordered(view), wanted, what);
    const status = { ...seen.status, handoverRevision: 9n };
    assert.deepEqual(ordered({ ...view, cluster: { ...seen, status } }), [], `${what}, verified`);
  }
});

Deno.test("race bars a wished candidate on an old timeline, and nobody waits for it", () => {
  const history = [{ timeline: 1, lsn: lsn(900), reason: "", at: null, newLeader: null }];
  const mine = cluster({ ...FREE, history, handover: handover({ candidate: "a" }) });
  assert.deepEqual(ordered(raceView({ cluster: mine })), []);
  const other = cluster({ ...FREE, history, handover: handover({ candidate: "c" }) });
  const me = raceView().postgres;
  const postgres = me.kind === "replica" ? { ...me, timeline: 2 } : me;
  const view = raceView({ cluster: other, postgres, peers: [peer("c", { timeline: 1 })] });
  assert.deepEqual(ordered(view), ["take-lock", "clear-handover"]);
});

Deno.test("F6 race waits for a candidate that can take over and for no other (F4, F5)", () => {
  const seen = cluster({ ...FREE, handover: handover({ candidate: "c" }) });
  assert.deepEqual(ordered(raceView({ cluster: seen, peers: [peer("c")] })), []);
  const tags = readTags({ nofailover: true });
  for (const bad of [silentPeer("c"), peer("c", { tags })]) {
    const view = raceView({ cluster: seen, peers: [bad] });
    assert.deepEqual(ordered(view), ["take-lock", "clear-handover"]);
  }
});

Deno.test("race lets the former leader of a switchover win only when nobody else can (F7)", () => {
  const wish = handover({ leader: "a", candidate: "c" });
  const seen = cluster({ ...FREE, handover: wish });
  assert.deepEqual(
    ordered(raceView({ cluster: seen, peers: [peer("b"), silentPeer("c")] })),
    [],
  );
  assert.deepEqual(
    ordered(raceView({ cluster: seen, peers: [silentPeer("b"), silentPeer("c")] })),
    ["take-lock", "clear-handover"],
  );
});

Deno.test("race ignores the lag limit for a handover but not a peer that is ahead (F8)", () => {
  const status = { lsn: lsn(2_000_000), slots: {}, retainSlots: [] };
  const seen = cluster({ ...FREE, status, handover: handover({ leader: "b" }) });
  assert.deepEqual(ordered(raceView({ cluster: seen, peers: [peer("c")] })), [
    "take-lock",
    "clear-handover",
  ]);
  const ahead = peer("c", { lsn: lsn(1001) });
  assert.deepEqual(ordered(raceView({ cluster: seen, peers: [ahead] })), []);
});

Deno.test("race waits for no member that the list of failsafe mode does not name, unless it is a primary", () => {
  const failsafe = { members: { a: "http://a", b: "http://b" }, revision: 4n };
  const wished = handover({ candidate: "c" });
  const former = handover({ leader: "a" });
  const take = ["take-lock"];
  const takeAndClear = ["take-lock", "clear-handover"];
  const cases = [
    ["is ahead", null, peer("c", { lsn: lsn(1001) }), take],
    ["is wished", wished, peer("c"), takeAndClear],
    ["is the successor of a former leader", former, peer("c"), takeAndClear],
    ["is a primary", null, peer("c", { isPrimary: true, lsn: lsn(0) }), []],
  ] as const;
  for (const [what, wish, other, wanted] of cases) {
    const seen = cluster({ ...FREE, failsafe, handover: wish });
    assert.deepEqual(ordered(raceView({ cluster: seen, peers: [other] })), wanted, what);
  }
});

Deno.test("race keeps a request for later when somebody wins before its time", () => {
  const view = raceView({ peers: [] });
  const wish = handover({ candidate: "c", scheduledAtMs: view.wallMs + 60_000 });
  assert.deepEqual(ordered({ ...view, cluster: cluster({ ...FREE, handover: wish }) }), [
    "take-lock",
  ]);
});

Deno.test("B22 race lets a primary under its lease take the free lock again", () => {
  assert.deepEqual(ordered(raceView({ postgres: primary(), lease: held() })), ["take-lock"]);
});

Deno.test("race makes a primary without a lease ask first, and stop when the cluster moved on", () => {
  const view = raceView({ postgres: primary() });
  assert.deepEqual(ordered(view), ["ask-peers"]);
  assert.deepEqual(ordered({ ...view, peers: [peer("b")] }), ["take-lock"]);
  assert.deepEqual(ordered({ ...view, peers: [peer("b", { timeline: 2 })] }), ["stop"]);
});

Deno.test("B3 race stops a primary that is behind the history or whose lease ended", () => {
  const history = [{ timeline: 1, lsn: lsn(900), reason: "", at: null, newLeader: null }];
  const stale = raceView({ postgres: primary(), cluster: cluster({ ...FREE, history }) });
  assert.deepEqual(ordered({ ...stale, lease: held() }), ["stop"]);
  const lost = raceView({ postgres: primary(), lease: { kind: "lost", why: "late" } });
  assert.deepEqual(ordered(lost), ["stop"]);
});

Deno.test("race stops a server whose promotion may still happen", () => {
  assert.deepEqual(ordered(raceView(), { ...initialMemory, promoteAskedMs: 1 }), ["stop"]);
});

Deno.test("race of an emptied store is not won by data from before the newest timeline ever seen", () => {
  const emptied = cluster({ ...FREE, systemId: null, members: [], history: null });
  const view = raceView({ cluster: emptied, peers: [silentPeer("b"), silentPeer("c")] });
  const memory = { ...initialMemory, lastLeader: "b", emptySinceMs: NOW_MS - 3_600_000 };
  assert.deepEqual(ordered(view, { ...memory, newestTimeline: 1 }), ["take-lock"]);
  assert.deepEqual(ordered(view, { ...memory, newestTimeline: 22 }), []);
});

Deno.test("race of a store that has nothing but its identity back waits for members that may know more", () => {
  const status = { lsn: null, slots: {}, retainSlots: [] };
  const bare = { ...FREE, status, members: [] };
  const view = raceView({ cluster: cluster(bare), peers: [] });
  const since = (emptySinceMs: number | null): Memory => ({ ...initialMemory, emptySinceMs });
  assert.deepEqual(ordered(view, since(null)), []);
  assert.deepEqual(ordered(view, since(NOW_MS - 59_000)), []);
  assert.deepEqual(ordered(view, since(NOW_MS - 60_000)), ["take-lock"]);
  const wish = handover({ leader: null, candidate: "a" });
  const named = raceView({ cluster: cluster({ ...bare, handover: wish }) });
  assert.deepEqual(ordered(named, since(null)), ["take-lock", "clear-handover"]);
});

Deno.test("race leads an emptied tree in failsafe mode only when all members say that they do not lead", () => {
  const seen = cluster();
  const wiped = cluster({ ...FREE, systemId: null, config: null, members: [] });
  const failsafe = { ...defaultSettings, failsafeMode: true };
  const memory = {
    ...initialMemory,
    lastLeader: "b",
    lastHealthyMembers: seen.members,
    emptySinceMs: NOW_MS - 60_000,
  };
  const idle = { ...silentPeer("b"), idle: true } as const;
  const cases = [
    [failsafe, [silentPeer("b"), peer("c")], []],
    [failsafe, [peer("c")], []],
    [failsafe, [peer("b"), peer("c")], ["take-lock"]],
    [failsafe, [idle, peer("c")], ["take-lock"]],
    [defaultSettings, [silentPeer("b"), peer("c")], ["take-lock"]],
  ] as const;
  for (const [lastSettings, peers, wanted] of cases) {
    const view = raceView({ cluster: wiped, peers });
    assert.deepEqual(
      ordered(view, { ...memory, lastSettings }),
      wanted,
      JSON.stringify(peers.map(({ name }) => name)),
    );
  }
});
