import assert from "node:assert/strict";
import type { ClusterView } from "../../lib/core/cluster_view.ts";
import { decide } from "../../lib/core/decide.ts";
import { initialMemory, remember } from "../../lib/core/memory.ts";
import type { Memory } from "../../lib/core/memory.ts";
import type { LeaseView, NodeView, TaskView } from "../../lib/core/node_view.ts";
import { memberRecord } from "../../lib/core/publish.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import {
  cluster,
  down,
  handover,
  leaderReport,
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
  unreachable,
} from "./builders.ts";

const PAUSED = { ...defaultSettings, paused: true };
const LOST: LeaseView = { kind: "lost", why: "the lease ran out" };
const ARMED = { armed: { endsMs: NOW_MS + 5000, inherited: false } };
const NAMED = handover({ candidate: "a" });

/** A cluster in maintenance mode. */
function inPause(overrides: Parameters<typeof cluster>[0] = {}): ClusterView {
  return cluster({ settings: PAUSED, ...overrides });
}

/** The actions, tasks by their kind. */
function ordered(view: NodeView, memory: Memory = initialMemory): readonly string[] {
  const { actions } = decide(view, memory);
  return actions.map((action) => action.kind === "start-task" ? action.task.kind : action.kind);
}

function stopped(): TaskView {
  const escalation = { immediateAtMs: null, killAtMs: null };
  const task = { kind: "stop", how: "fast", checkpointFirst: true, escalation, why: "" } as const;
  return { kind: "ended", task, result: "done", reason: null, endedMs: NOW_MS };
}

Deno.test("A2 paused: a primary runs on when the store is gone and its lease ends", () => {
  const cut = { cluster: unreachable(inPause()), lease: LOST };
  assert.deepEqual(ordered(nodeView(cut)), []);
});

Deno.test("paused: an armed switch shows that the mode has ended, so a primary without the store stops", () => {
  const cut = { cluster: unreachable(inPause()), lease: LOST, ...ARMED };
  assert.deepEqual(ordered(nodeView(cut)), ["stop"]);
});

Deno.test("paused: a file that asks for the mode before there is a cluster pauses nothing", () => {
  const fresh = inPause({ systemId: null, lock: null, config: null, members: [] });
  const view = nodeView({ cluster: fresh, postgres: { kind: "no-data" }, lease: { kind: "none" } });
  assert.deepEqual(ordered(view), ["claim-bootstrap", "bootstrap"]);
});

Deno.test("A21 paused: an emptied store does not end the mode", () => {
  const emptied = inPause({ systemId: null, lock: null, config: null, members: [] });
  const memory = { ...initialMemory, lastConfig: { pause: true }, lastSettings: PAUSED };
  assert.deepEqual(ordered(nodeView({ cluster: emptied, lease: LOST }), memory), ["take-lock"]);
  const replicaOfIt = replicaView({ cluster: emptied });
  assert.deepEqual(ordered(replicaOfIt, memory), []);
});

Deno.test("paused: a leader keeps house, and keeps its lock while a renewal is late", () => {
  assert.ok(ordered(nodeView({ cluster: inPause() })).includes("hold-lock"));
  assert.deepEqual(ordered(nodeView({ cluster: inPause(), lease: LOST })), []);
});

Deno.test("F12 paused: the first primary takes the free lock, another one runs on without it", () => {
  const free = nodeView({ cluster: inPause({ lock: null }), lease: { kind: "none" } });
  assert.deepEqual(ordered(free), ["take-lock"]);
  const second = nodeView({ cluster: inPause({ lock: "b" }), lease: { kind: "none" } });
  assert.deepEqual(ordered(second), []);
  assert.deepEqual(ordered({ ...second, cluster: cluster({ lock: "b" }) }), ["stop"]);
});

Deno.test("paused: a primary of an older timeline leaves the free lock alone", () => {
  const line = { timeline: 1, lsn: lsn(900), reason: "", at: null, newLeader: null };
  const view = nodeView({
    cluster: inPause({ lock: null, history: [line] }),
    lease: { kind: "none" },
  });
  assert.deepEqual(ordered(view), []);
});

Deno.test("D24 paused: a server that is down stays down, and its lock is given up", () => {
  const leader = nodeView({ cluster: inPause(), postgres: down() });
  assert.deepEqual(decide(leader, initialMemory).actions, [
    { kind: "release-lock", lastLsn: lsn(1000) },
  ]);
  assert.deepEqual(ordered(replicaView({ cluster: inPause({ lock: "b" }), postgres: down() })), []);
});

Deno.test("paused: a server that this agent stopped itself is started again", () => {
  const view = replicaView({
    cluster: inPause({ lock: "b" }),
    postgres: down(),
    task: stopped(),
    leader: leaderReport("b"),
  });
  assert.deepEqual(ordered(view), ["start-replica"]);
});

/** What a process knows that first saw this server under the switch of the one before, and then the down one. */
function fencedMemory(seen: Partial<NodeView>, downMs: number): Memory {
  const settings = { lastSettings: PAUSED };
  const armed = { endsMs: NOW_MS + 5000, inherited: true };
  const before = replicaView({ cluster: inPause({ lock: "b" }), armed, nowMs: NOW_MS - 20_000 });
  const first = remember({ ...initialMemory, ...settings }, { ...before, ...seen });
  const fenced = { ...before, postgres: down(), nowMs: downMs };
  return remember(first, fenced);
}

const OWN_ARM = { armed: { endsMs: NOW_MS + 5000, inherited: false } };
/** The stop begins 5 s before the end, that is at NOW_MS. */
const FENCED: readonly (readonly [string, Partial<NodeView>, number, readonly string[]])[] = [
  ["a replica", {}, NOW_MS, ["start-replica"]],
  ["a replica, a little later", {}, NOW_MS + 900, ["start-replica"]],
  ["a replica that was down before the switch was due", {}, NOW_MS - 1, []],
  ["a replica under no switch", { armed: null }, NOW_MS, []],
  ["a replica under the switch of this process", OWN_ARM, NOW_MS, []],
  ["a primary", { postgres: primary() }, NOW_MS, []],
];

for (const [what, seen, downMs, expected] of FENCED) {
  Deno.test(`paused: what the switch of the process before stopped comes back if it was a replica: ${what}`, () => {
    const memory = fencedMemory(seen, downMs);
    const view = replicaView({ cluster: inPause({ lock: "b" }), postgres: down(), armed: null });
    assert.deepEqual(ordered(view, memory), expected);
    const armed = { endsMs: NOW_MS + 5000, inherited: true };
    assert.deepEqual(ordered({ ...view, armed }, memory), ["disarm-switch", ...expected]);
  });
}

Deno.test("paused: a replica that runs again after the fence is left to operators", () => {
  const memory = fencedMemory({}, NOW_MS);
  const back = remember(memory, replicaView({ cluster: inPause({ lock: "b" }), armed: null }));
  assert.deepEqual(
    ordered(replicaView({ cluster: inPause({ lock: "b" }), postgres: down() }), back),
    [],
  );
});

Deno.test("paused: nothing is founded or copied into an empty directory", () => {
  const empty = { postgres: { kind: "no-data" }, lease: { kind: "none" } } as const;
  assert.deepEqual(ordered(nodeView({ ...empty, cluster: inPause({ lock: "b" }) })), []);
  assert.deepEqual(ordered(nodeView({ ...empty, cluster: inPause({ lock: "a" }) })), [
    "release-lock",
  ]);
});

Deno.test("paused: nobody races, and a leader whose server is a replica gives the lock up", () => {
  assert.deepEqual(ordered(raceView({ cluster: inPause({ lock: null }) })), []);
  const leader = nodeView({ cluster: inPause(), postgres: replica() });
  assert.deepEqual(ordered(leader), ["release-lock"]);
});

Deno.test("paused: the named candidate takes the free lock and promotes, unless a primary answers", () => {
  const race = raceView({ cluster: inPause({ lock: null, handover: NAMED }) });
  assert.deepEqual(ordered(race), ["ask-peers"]);
  const alone = { ...race, peers: [silentPeer("b"), peer("c", { lsn: lsn(2000) })] };
  assert.deepEqual(ordered(alone), ["take-lock"]);
  assert.deepEqual(ordered({ ...race, peers: [peer("b", { isPrimary: true })] }), []);
  const won = nodeView({ cluster: inPause({ handover: NAMED }), postgres: replica() });
  assert.deepEqual(ordered(won), ["hold-lock", "promote"]);
});

Deno.test("paused: a leader hands over to a named member only, and at no set time", () => {
  const wish = { leader: "a", candidate: "b" };
  const asked = (given: Parameters<typeof handover>[0]): readonly string[] =>
    ordered(nodeView({ cluster: inPause({ handover: handover(given) }) }));
  assert.deepEqual(asked(wish), ["hold-lock", "ask-peers"]);
  assert.deepEqual(asked({ leader: "a" }), ["hold-lock", "clear-handover"]);
  const dueMs = nodeView().wallMs;
  assert.ok(!asked({ ...wish, scheduledAtMs: dueMs }).includes("ask-peers"));
});

Deno.test("paused: a replica is pointed to the leader, and a forked one is left as it is", () => {
  const off = { streaming: false, upstream: null };
  const view = replicaView({ cluster: inPause({ lock: "b" }), postgres: replica(off) });
  assert.deepEqual(ordered(view).at(-1), "follow");
  const history = [{ timeline: 1, switchLsn: lsn(10), reason: "" }];
  const forked = leaderReport("b", { timeline: 2, history });
  const apart = replicaView({
    cluster: inPause({ lock: "b" }),
    postgres: replica({ streaming: false }),
    leader: forked,
  });
  assert.ok(!ordered(apart).includes("stop"));
  assert.ok(ordered({ ...apart, cluster: cluster({ lock: "b" }) }).includes("stop"));
});

Deno.test("paused: an agent that is told to end leaves server and lock as they are", () => {
  const end = { wishes: [{ kind: "shutdown" }] } as const;
  assert.deepEqual(ordered(nodeView({ ...end, cluster: inPause() })), ["exit"]);
  assert.deepEqual(ordered(replicaView({ ...end, cluster: inPause({ lock: "b" }) })), ["exit"]);
});

Deno.test("H9 paused: a slot that nobody knows stays", () => {
  const postgres = primary({ slots: [slot("b"), slot("c"), slot("by_hand")] });
  assert.ok(!ordered(nodeView({ cluster: inPause(), postgres })).includes("sync-slots"));
  assert.ok(ordered(nodeView({ postgres })).includes("sync-slots"));
});

Deno.test("paused: the watchdog is closed, and not opened for a leader", () => {
  const active = { kind: "active", timeoutS: 25 } as const;
  assert.equal(ordered(nodeView({ cluster: inPause(), watchdog: active }))[0], "close-watchdog");
  const ready = { kind: "ready" } as const;
  const actions = ordered(nodeView({ cluster: inPause(), watchdog: ready }));
  assert.ok(!actions.includes("open-watchdog"));
});

Deno.test("paused: the member record says so", () => {
  const { pause } = memberRecord(nodeView({ cluster: inPause() }), initialMemory);
  assert.equal(pause, true);
  assert.ok(!("pause" in memberRecord(nodeView(), initialMemory)));
});

Deno.test("race: a leader that went silent in maintenance mode is replaced only when an operator names a member", () => {
  const former = member("b", { role: "primary", pause: true });
  const memory: Memory = {
    ...initialMemory,
    lastLeader: "b",
    lastHealthyMembers: [former, member("c")],
  };
  const members = [member("a"), member("c")];
  const view = raceView({
    cluster: cluster({ lock: null, members }),
    peers: [silentPeer("b"), peer("c", { lsn: lsn(10) })],
  });
  assert.deepEqual(ordered(view, memory), []);
  const answering = [peer("b"), peer("c", { lsn: lsn(10) })];
  assert.deepEqual(ordered({ ...view, peers: answering }, memory), ["take-lock"]);
  const wished = { ...view, cluster: cluster({ lock: null, members, handover: NAMED }) };
  assert.deepEqual(ordered(wished, memory), ["take-lock", "clear-handover"]);
  const fenced = { ...memory, lastHealthyMembers: [{ ...former, pause: false }] };
  assert.deepEqual(ordered(view, fenced), ["take-lock"]);
});

Deno.test("dcs-lost: a fresh process without a store leaves a primary alone that no switch guards", () => {
  const view = nodeView({ cluster: unreachable(null), lease: { kind: "none" }, armed: null });
  assert.deepEqual(ordered(view), []);
  assert.deepEqual(ordered({ ...view, ...ARMED }), ["stop"]);
  assert.deepEqual(ordered({ ...view, lease: LOST }), ["stop"]);
});
