import assert from "node:assert/strict";
import {
  answered,
  betterPeer,
  clusterTimeline,
  contenderOf,
  handoverDue,
  ownObstacle,
  successors,
} from "../../lib/core/candidate.ts";
import type { Contender, RaceFacts } from "../../lib/core/candidate.ts";
import type { HistoryLine } from "../../lib/core/cluster_view.ts";
import type { PeerReport } from "../../lib/core/node_view.ts";
import { readTags } from "../../lib/core/tags.ts";
import { cluster, handover, lsn, peer, replica, silentPeer } from "./builders.ts";

const ME: Contender = { lsn: lsn(1000), timeline: 1, tags: readTags({}) };
const FACTS: RaceFacts = { clusterTimeline: 1, checkTimeline: true, lastLeader: "z" };
const ONE_SWITCH: readonly HistoryLine[] = [
  { timeline: 1, lsn: lsn(900), reason: "", at: null, newLeader: null },
];

interface Meeting {
  readonly name: string;
  readonly peer: PeerReport;
  readonly isBetter: boolean;
  readonly lastLeader?: string;
}

const PRIORITY_TWO = readTags({ failover_priority: 2 });

const MEETINGS: readonly Meeting[] = [
  { name: "silent", peer: silentPeer("b"), isBetter: false },
  { name: "equal", peer: peer("b"), isBetter: false },
  {
    name: "W4: still a primary",
    peer: peer("b", { isPrimary: true, lsn: lsn(0) }),
    isBetter: true,
  },
  { name: "W5: ahead", peer: peer("b", { lsn: lsn(1001) }), isBetter: true },
  {
    name: "W3: ahead but nofailover",
    peer: peer("b", { lsn: lsn(1001), tags: readTags({ nofailover: true }) }),
    isBetter: false,
  },
  {
    name: "W3: ahead but without a watchdog",
    peer: peer("b", { lsn: lsn(1001), watchdogFailed: true }),
    isBetter: false,
  },
  { name: "B8: higher priority", peer: peer("b", { tags: PRIORITY_TWO }), isBetter: true },
  {
    name: "B9: higher priority, less WAL",
    peer: peer("b", { lsn: lsn(999), tags: PRIORITY_TWO }),
    isBetter: false,
  },
  {
    name: "B10: higher priority of the former leader",
    peer: peer("b", { tags: PRIORITY_TWO }),
    isBetter: false,
    lastLeader: "b",
  },
  {
    name: "on a newer timeline",
    peer: peer("b", { timeline: 2, lsn: lsn(900) }),
    isBetter: true,
  },
];

Deno.test("betterPeer() finds whoever must win before this node", () => {
  for (const { name, peer, isBetter, lastLeader = "z" } of MEETINGS) {
    const why = betterPeer(ME, answered([peer]), { ...FACTS, lastLeader });
    assert.equal(why !== null, isBetter, name);
  }
});

Deno.test("betterPeer() passes over a peer that is ahead on an outdated timeline", () => {
  const me = { ...ME, timeline: 2 };
  const ahead = answered([peer("b", { lsn: lsn(5000) })]);
  assert.equal(betterPeer(me, ahead, { ...FACTS, clusterTimeline: 2 }), null);
});

Deno.test("ownObstacle() refuses a replica that is too far behind the published position", () => {
  const status = { lsn: lsn(1000 + 1048577), slots: {}, retainSlots: [] };
  const seen = cluster({ lock: null, status });
  assert.notEqual(ownObstacle(ME, seen, true), null);
  assert.equal(ownObstacle(ME, seen, false), null);
});

Deno.test("B7 ownObstacle() refuses a timeline that is old or unknown", () => {
  const seen = cluster({ lock: null, history: ONE_SWITCH });
  assert.notEqual(ownObstacle(ME, seen, true), null);
  assert.notEqual(ownObstacle({ ...ME, timeline: null }, seen, true), null);
  assert.equal(ownObstacle({ ...ME, timeline: 2 }, seen, true), null);
});

Deno.test("clusterTimeline() tells unknown, first and later timelines apart", () => {
  assert.deepEqual([null, [], ONE_SWITCH].map(clusterTimeline), [0, 1, 2]);
});

Deno.test("contenderOf() counts what was received and not only what was replayed", () => {
  const server = replica({ receivedLsn: lsn(1500), replayedLsn: lsn(1400) });
  assert.equal(contenderOf(server, readTags({})).lsn, lsn(1500));
});

Deno.test("successors() leaves out peers that cannot take over", () => {
  const peers = [
    peer("c"),
    peer("b"),
    peer("d"),
    silentPeer("e"),
  ];
  assert.deepEqual(successors(cluster(), peers, { only: null, except: null }), ["b", "c"]);
  assert.deepEqual(successors(cluster(), peers, { only: "c", except: null }), ["c"]);
  assert.deepEqual(successors(cluster(), peers, { only: null, except: "c" }), ["b"]);
});

Deno.test("successors() leaves out a peer that the list of failsafe mode does not name", () => {
  const failsafe = { members: { a: "http://a", b: "http://b" }, revision: 4n };
  const choice = { only: null, except: null };
  const peers = [peer("b"), peer("c")];
  assert.deepEqual(successors(cluster({ failsafe }), peers, choice), ["b"]);
  const none = { ...failsafe, members: {} };
  assert.deepEqual(successors(cluster({ failsafe: none }), peers, choice), ["b", "c"]);
});

Deno.test("successors() needs the cluster's timeline", () => {
  const seen = cluster({ history: ONE_SWITCH });
  assert.deepEqual(successors(seen, [peer("b")], { only: null, except: null }), []);
});

Deno.test("handoverDue() tells later, now and stale apart", () => {
  const wish = handover({ scheduledAtMs: 100_000 });
  assert.deepEqual(handoverDue(wish, 99_000, 10), { kind: "later", inMs: 1000 });
  assert.deepEqual(handoverDue(wish, 115_000, 10), { kind: "now" });
  assert.deepEqual(handoverDue(wish, 115_001, 10), { kind: "stale" });
  assert.deepEqual(handoverDue(handover(), 0, 10), { kind: "now" });
});
