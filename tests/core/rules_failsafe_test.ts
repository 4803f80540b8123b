import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { Action } from "../../lib/core/action.ts";
import type { ClusterView, FailsafeList } from "../../lib/core/cluster_view.ts";
import { decide } from "../../lib/core/decide.ts";
import { evolve, initialMemory, remember } from "../../lib/core/memory.ts";
import type { Memory } from "../../lib/core/memory.ts";
import type { NodeView } from "../../lib/core/node_view.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import {
  cluster,
  handover,
  held,
  lsn,
  member,
  nodeView,
  NOW_MS,
  peer,
  primary,
  raceView,
  replica,
  replicaView,
  silentPeer,
  slot,
  SYSTEM_ID,
  unreachable,
} from "./builders.ts";

const ON = { ...defaultSettings, failsafeMode: true };

/** Addresses as the builders give them. */
function addresses(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, member(name).apiUrl ?? ""]));
}

function listOf(...names: readonly string[]): FailsafeList {
  return { members: addresses(...names), revision: 40n };
}

/** A cluster of a, b and c in failsafe mode. */
function safe(overrides: Parameters<typeof cluster>[0] = {}): ClusterView {
  return cluster({ settings: ON, failsafe: listOf("a", "b", "c"), ...overrides });
}

/** Leader "a" that the store does not answer. */
function cutOff(overrides: Partial<NodeView> = {}, lastSeen: ClusterView = safe()): NodeView {
  return nodeView({ cluster: unreachable(lastSeen), ...overrides });
}

function kinds(view: NodeView, memory: Memory = initialMemory): readonly string[] {
  return decide(view, memory).actions.map((action) => {
    return action.kind === "start-task" ? action.task.kind : action.kind;
  });
}

function asked(view: NodeView, memory: Memory = initialMemory): readonly string[] | null {
  const action = decide(view, memory).actions.find(({ kind }) => kind === "ask-consents");
  return action?.kind === "ask-consents" ? Object.keys(action.members) : null;
}

Deno.test("C1 failsafe asks all other listed members and holds the lock", () => {
  const { rule, wakeAtMs } = decide(cutOff(), initialMemory);
  strictEqual(rule, "failsafe");
  deepStrictEqual(kinds(cutOff()), ["hold-lock", "ask-consents"]);
  deepStrictEqual(asked(cutOff()), ["b", "c"]);
  ok((wakeAtMs ?? Infinity) <= NOW_MS + 6000);
});

Deno.test("C6 failsafe asks nobody in a cluster of one, which is consent", () => {
  const view = cutOff({}, safe({ members: [member("a")], failsafe: listOf("a") }));
  deepStrictEqual(asked(view), []);
});

const NOT_HELPED: readonly (readonly [string, NodeView, readonly string[]])[] = [
  ["mode off", cutOff({}, safe({ settings: defaultSettings })), ["hold-lock"]],
  ["no list", cutOff({}, safe({ failsafe: null })), ["hold-lock"]],
  ["a list without this node", cutOff({}, safe({ failsafe: listOf("b", "c") })), ["hold-lock"]],
  ["the stop time has come", cutOff({ lease: held(5000) }), ["stop"]],
  ["the lease is lost", cutOff({ lease: { kind: "lost", why: "refused" } }), ["stop"]],
  ["a replica that holds the lock", cutOff({ postgres: replica() }), ["hold-lock"]],
  ["another holder was seen last", cutOff({}, safe({ lock: "b" })), ["hold-lock"]],
  ["maintenance mode", cutOff({}, safe({ settings: { ...ON, paused: true } })), ["hold-lock"]],
];

for (const [title, view, expected] of NOT_HELPED) {
  Deno.test(`failsafe leaves the case to dcs-lost: ${title}`, () => {
    strictEqual(decide(view, initialMemory).rule, "dcs-lost");
    deepStrictEqual(kinds(view), expected);
  });
}

Deno.test("failsafe gives a definite refusal no second chance: another member holds the lock", () => {
  const view = nodeView({ cluster: safe({ lock: "b" }) });
  strictEqual(decide(view, initialMemory).rule, "follow");
  deepStrictEqual(kinds(view), ["stop"]);
});

Deno.test("failsafe asks also for a primary that does not answer for a moment", () => {
  const silent = {
    kind: "silent",
    systemId: SYSTEM_ID,
    lastRole: "primary",
    why: "slow",
  } as const;
  deepStrictEqual(asked(cutOff({ postgres: silent })), ["b", "c"]);
  strictEqual(asked(cutOff({ postgres: { ...silent, lastRole: "replica" } })), null);
});

Deno.test("failsafe asks also the members of a list that was written and not seen yet", () => {
  const write: Action = {
    kind: "write-failsafe",
    members: addresses("a", "d"),
    revision: 40n,
  };
  for (const result of ["done", "unknown"] as const) {
    const memory = evolve(initialMemory, { action: write, result, reason: null, atMs: 1 });
    deepStrictEqual(asked(cutOff(), memory), ["b", "c", "d"]);
    const late = remember(memory, nodeView({ cluster: safe() }));
    deepStrictEqual(asked(cutOff(), late), ["b", "c", "d"], "it may still happen");
    const seen = { ...listOf("a", "b", "c"), revision: 41n };
    const after = remember(memory, nodeView({ cluster: safe({ failsafe: seen }) }));
    deepStrictEqual(asked(cutOff(), after), ["b", "c"]);
  }
  const refused = { action: write, result: "refused", reason: null, atMs: 1 } as const;
  deepStrictEqual(asked(cutOff(), evolve(initialMemory, refused)), ["b", "c"]);
});

Deno.test("failsafe relies on no list that lacks this node or is deleted, be it without an answer", () => {
  for (const members of [addresses("b"), null]) {
    const action = { kind: "write-failsafe", members, revision: 40n } as const;
    const memory = evolve(initialMemory, { action, result: "unknown", reason: null, atMs: 1 });
    strictEqual(asked(cutOff(), memory), null);
    deepStrictEqual(remember(memory, nodeView({ cluster: safe() })).failsafeWrites.length, 1);
  }
});

Deno.test("C10 decide() wakes early enough that a hung store leaves time for a whole round", () => {
  for (const [ttlS, consentMs, stopBeforeMs] of [[30, 4400, 5000], [10, 2400, 2500]] as const) {
    const settings = { ...ON, ttlS };
    const view = nodeView({ cluster: safe({ settings }), lease: held(ttlS * 1000) });
    const { wakeAtMs } = decide(view, initialMemory);
    strictEqual(wakeAtMs, NOW_MS + ttlS * 1000 - stopBeforeMs - consentMs - 500);
  }
});

Deno.test("lead writes the list of members with an address, itself in any case", () => {
  const members = [member("a"), member("b"), member("c", { apiUrl: null })];
  const view = nodeView({ cluster: safe({ members, failsafe: null }) });
  const action = decide(view, initialMemory).actions.find(({ kind }) => kind === "write-failsafe");
  deepStrictEqual(action, {
    kind: "write-failsafe",
    members: addresses("a", "b"),
    revision: 0n,
  });
});

Deno.test("lead takes nobody off the list for a ttl after an outage, whose key may have expired in it", () => {
  const newcomer = safe({ members: [member("a"), member("d")] });
  const first = remember(initialMemory, cutOff());
  strictEqual(first.seenSinceMs, null);
  const listAfter = (passedMs: number): readonly string[] => {
    const back = remember(first, nodeView({ cluster: newcomer }));
    const view = nodeView({ cluster: newcomer, nowMs: NOW_MS + passedMs, lease: held(60_000) });
    const { actions } = decide(view, remember(back, view));
    const write = actions.find(({ kind }) => kind === "write-failsafe");
    return write?.kind === "write-failsafe" ? Object.keys(write.members ?? {}).sort() : [];
  };
  deepStrictEqual(listAfter(29_999), ["a", "b", "c", "d"]);
  deepStrictEqual(listAfter(30_000), ["a", "d"]);
});

Deno.test("lead leaves a list alone that is right, and deletes it when the mode is off", () => {
  ok(!kinds(nodeView({ cluster: safe() })).includes("write-failsafe"));
  const off = nodeView({ cluster: safe({ settings: defaultSettings }) });
  const action = decide(off, initialMemory).actions.find(({ kind }) => kind === "write-failsafe");
  deepStrictEqual(action, { kind: "write-failsafe", members: null, revision: 40n });
});

Deno.test("C5 race refuses a member that the list does not name, also when an operator does", () => {
  const free = { lock: null, failsafe: listOf("b", "c") };
  for (const settings of [ON, defaultSettings]) {
    const view = raceView({ cluster: safe({ ...free, settings }), peers: [peer("b"), peer("c")] });
    deepStrictEqual(kinds(view), []);
    match(decide(view, initialMemory).why, /does not name a:/);
    const wished = safe({ ...free, settings, handover: handover({ candidate: "a" }) });
    deepStrictEqual(kinds({ ...view, cluster: wished }), []);
  }
  const stray = nodeView({ cluster: safe(free), lease: { kind: "none" } });
  deepStrictEqual(kinds(stray), ["stop"]);
});

/** Node "a" without a leader, bound by a promise to "b". */
function bound(overrides: Partial<NodeView> = {}, to: string | null = "b"): NodeView {
  const promise = { to, untilMs: NOW_MS + 700, slots: {} };
  return raceView({ cluster: safe({ lock: null }), promise, ...overrides });
}

Deno.test("C3 race waits for the end of a promise while its leader is silent or a primary", () => {
  const primaryPeer = peer("b", { isPrimary: true, lsn: lsn(0) });
  deepStrictEqual(kinds(bound()), ["ask-peers"]);
  for (const other of [silentPeer("b"), primaryPeer]) {
    const { actions, why, wakeAtMs } = decide(bound({ peers: [other, peer("c")] }), initialMemory);
    deepStrictEqual([actions, wakeAtMs], [[], NOW_MS + 700]);
    match(why, /b may lead without the store/);
  }
  const over = bound({ peers: [silentPeer("b"), peer("c")], nowMs: NOW_MS + 700 });
  deepStrictEqual(kinds(over), ["take-lock"]);
});

Deno.test("C3 race lets a promise bind also the candidate that an operator names", () => {
  const wished = safe({ lock: null, handover: handover({ candidate: "a" }) });
  deepStrictEqual(kinds(bound({ cluster: wished })), ["ask-peers"]);
  deepStrictEqual(kinds(bound({ cluster: wished, peers: [silentPeer("b"), peer("c")] })), []);
  const follows = [peer("b"), peer("c")];
  const free = ["forget-promise", "take-lock", "clear-handover"];
  deepStrictEqual(kinds(bound({ cluster: wished, peers: follows })), free);
});

Deno.test("C4 race forgets the promise to a former leader that answers as a replica, or idle", () => {
  const idle = { ...silentPeer("b"), kind: "silent", why: "down", idle: true } as const;
  for (const former of [peer("b"), idle]) {
    const view = bound({ peers: [former, peer("c")] });
    deepStrictEqual(decide(view, initialMemory).actions, [
      { kind: "forget-promise", untilMs: NOW_MS + 700 },
      { kind: "take-lock" },
    ]);
  }
});

Deno.test("race after an agent's start waits for all listed members that may have a promise", () => {
  deepStrictEqual(kinds(bound({ peers: [peer("b"), silentPeer("c")] }, null)), []);
  const all = bound({ peers: [peer("b"), peer("c")] }, null);
  deepStrictEqual(kinds(all), ["forget-promise", "take-lock"]);
});

Deno.test("race of a primary ignores what it cannot have promised, and obeys what it has", () => {
  const lone = { postgres: primary(), peers: [silentPeer("b"), silentPeer("c")] };
  deepStrictEqual(kinds(bound(lone, null)), ["forget-promise", "take-lock"]);
  deepStrictEqual(kinds(bound(lone)), ["stop"]);
  const settings = { ...ON, paused: true };
  const resting = { ...lone, cluster: safe({ lock: null, settings }) };
  deepStrictEqual(kinds(bound(resting)), []);
  deepStrictEqual(kinds(bound(resting, null)), ["forget-promise", "take-lock"]);
});

Deno.test("C8 failsafe tells its positions and advances the slot of a cascading member", () => {
  const tags = { ...member("c").tags, replicatefrom: "b" };
  const members = [member("a", { role: "primary" }), member("b"), member("c", { tags })];
  const slots = [slot("b", { active: true }), slot("c")];
  const postgres = primary({ lsn: lsn(3000), slots });
  const view = cutOff({ postgres, consents: { c: lsn(2500) } }, safe({ members }));
  const [, question, sync] = decide(view, initialMemory).actions;
  deepStrictEqual(question?.kind === "ask-consents" ? question.slots : null, {
    a: lsn(3000),
    b: lsn(500),
    c: lsn(500),
  });
  const advance = [{ name: "c", to: lsn(2500) }];
  deepStrictEqual(sync, { kind: "sync-slots", changes: { create: [], drop: [], advance } });
});

Deno.test("C8 a replica advances its slots by what the leader sent, never beyond its replay", () => {
  const promise = { to: "b", untilMs: NOW_MS + 700, slots: { c: lsn(2500), x: lsn(9) } };
  const postgres = replica({ replayedLsn: lsn(2000), slots: [slot("c"), slot("old")] });
  const view = replicaView({ cluster: unreachable(safe({ lock: "b" })), postgres, promise });
  const advance = [{ name: "c", to: lsn(2000) }];
  deepStrictEqual(decide(view, initialMemory).actions, [
    { kind: "sync-slots", changes: { create: [], drop: [], advance } },
  ]);
  deepStrictEqual(kinds({ ...view, promise: null }), []);
});
