import type { Action } from "../action.ts";
import {
  answered,
  betterPeer,
  clusterTimeline,
  contenderOf,
  handoverDue,
  hasMore,
  isLimited,
  isOutdated,
  moreWal,
  ownObstacle,
  successors,
  tellsNothing,
} from "../candidate.ts";
import type { AnsweredPeer, Contender, RaceFacts } from "../candidate.ts";
import type { ClusterView, HandoverWish } from "../cluster_view.ts";
import { whyUnlisted } from "../failsafe.ts";
import type { Memory } from "../memory.ts";
import { mayBePromoted } from "../memory.ts";
import type { NodeView, PeerReport, PrimaryView, ReplicaView } from "../node_view.ts";
import { watchdogObstacle } from "../watchdog.ts";
import { isLongEmpty, isPaused, leaseEnded, lockSide, timingOf } from "./facts.ts";
import { slotActions } from "./housekeeping.ts";
import { forgetPromise, promiseOf, whyListLost, whyPromised } from "./promised.ts";
import { act, actAndLook, earlier } from "./rule.ts";
import type { Answer, Rule } from "./rule.ts";
import { demote } from "./stopping.ts";

const RETRY_MS = 2000;

/** Nobody holds the lock: a running server reaches for it when nobody is better. */
export const race: Rule = {
  name: "race",
  when: "nobody holds the lock and the server runs",
  answer: (view, memory): Answer | null => {
    const { cluster, postgres } = view;
    if (cluster.kind !== "seen" || lockSide(view) !== "nobody") return null;
    if (postgres.kind === "primary") return raceOfPrimary(view, memory, cluster, postgres);
    if (postgres.kind !== "replica") return null;
    if (mayBePromoted(memory)) {
      const why = "a promotion may still happen without the lock";
      return act(why, [demote(view, memory, why)]);
    }
    return raceOfReplica(view, memory, { cluster, postgres });
  },
};

/** Case H5: a primary may take the free lock again, unless the cluster has moved on or its lease ended. */
function raceOfPrimary(
  view: NodeView,
  memory: Memory,
  cluster: ClusterView,
  postgres: PrimaryView,
): Answer {
  const isNew = cluster.systemId === null && memory.lastLeader === null;
  if (leaseEnded(view, memory) && !isNew) {
    const why = "the lease has ended: stopping before the race";
    return act(why, [demote(view, memory, why)]);
  }
  const mustStop = whyOutdated(view, cluster, postgres) ?? whyUnguarded(view) ??
    whyUnlisted(cluster, view.self.name) ?? whyPromisedAsPrimary(view, cluster);
  if (mustStop !== null) return act(mustStop, [demote(view, memory, mustStop)]);
  if (isNew && view.lease.kind !== "held" && !isLongEmpty(view, memory)) {
    return act("an empty store: waiting for members that may know more", []);
  }
  if (view.lease.kind === "none" && view.peers === "not asked") {
    return actAndLook("a primary without the lock: asking the others first", [
      { kind: "ask-peers" },
    ]);
  }
  return actAndLook("acquired session lock as a leader", takeLock(view, memory, cluster));
}

/** Before its start a primary has promised nothing to anybody; a promise of its own is from before somebody promoted it. */
function whyPromisedAsPrimary(view: NodeView, cluster: ClusterView): string | null {
  return promiseOf(view)?.to === null ? null : whyPromised(view, cluster);
}

function whyOutdated(view: NodeView, cluster: ClusterView, postgres: PrimaryView): string | null {
  const peers = view.peers === "not asked" ? [] : answered(view.peers);
  const newest = Math.max(
    clusterTimeline(cluster.history),
    ...peers.map((peer) => peer.timeline),
  );
  if (postgres.timeline >= newest) return null;
  return `my timeline ${postgres.timeline} is behind the cluster's timeline ${newest}`;
}

function whyUnguarded(view: NodeView): string | null {
  const obstacle = watchdogObstacle(view.watchdog);
  return obstacle === null ? null : `the watchdog is required and cannot be used: ${obstacle}`;
}

interface Runner {
  readonly cluster: ClusterView;
  readonly postgres: ReplicaView;
}

function raceOfReplica(view: NodeView, memory: Memory, runner: Runner): Answer {
  const refusal = whyRefuse(view, memory, runner.cluster);
  if (refusal !== null) return stay(view, memory, runner, refusal);
  const wish = dueWish(view, memory, runner.cluster);
  const me = contenderOf(runner.postgres, view.self.tags);
  const obstacle = ownObstacle(me, runner.cluster, wish === null);
  if (obstacle !== null) return stay(view, memory, runner, obstacle);
  if (runner.cluster.systemId === null && (me.timeline ?? 0) < memory.newestTimeline) {
    const why = `my timeline is behind timeline ${memory.newestTimeline} of the emptied cluster`;
    return stay(view, memory, runner, why);
  }
  // In an emptied store the history is gone, so that only the others can tell whether this node's data is old.
  const isNamed = wish?.candidate === view.self.name && runner.cluster.systemId !== null;
  if (!isNamed && tellsNothing(runner.cluster) && !isLongEmpty(view, memory)) {
    const why = "the store was emptied: waiting for members that may know more";
    return stay(view, memory, runner, why);
  }
  const isFenced = !isPaused(view, memory);
  if (isNamed && isFenced && isTrusted(wish, runner.cluster) && promiseOf(view) === null) {
    return actAndLook("taking over as the operator wishes", takeLock(view, memory, runner.cluster));
  }
  if (view.peers === "not asked") {
    return actAndLook("nobody holds the lock: asking the others", [{ kind: "ask-peers" }]);
  }
  const bound = whyPromised(view, runner.cluster) ?? whyListLost(view, memory, runner.cluster);
  if (bound !== null) return stay(view, memory, runner, bound);
  const why = isNamed
    ? whyNotNamed(view.peers, { ...runner, me, wish }, memory, isFenced)
    : whyLeaveToOthers(view, memory, { ...runner, me, wish }) ??
      unfencedLeader(view, memory, runner.cluster);
  if (why !== null) return stay(view, memory, runner, why);
  return actAndLook(
    "taking the free lock: nobody is a better candidate",
    takeLock(view, memory, runner.cluster),
  );
}

/** A failover takes its candidate as it is; that of a switchover has everything when the leader said so as it released the lock. */
function isTrusted({ leader, revision }: HandoverWish, { status }: ClusterView): boolean {
  return leader === null || status.handoverRevision === revision;
}

/**
 * What a named candidate waits for. A failover is told to take this member as it is: nobody is asked, and what only others
 * have is lost by the operator's wish. A switchover is not: when its leader ended before it could say that the candidate has
 * everything, a member with more WAL leads in its place. The former leader itself does not count (F8).
 */
function whyNotNamed(
  reports: readonly PeerReport[],
  { cluster, me, wish }: Race,
  memory: Memory,
  isFenced: boolean,
): string | null {
  const running = isFenced ? null : runningPrimary(reports);
  const former = wish?.leader ?? null;
  if (running !== null || former === null) return running;
  const others = runners(reports, cluster).filter((peer) => peer.name !== former);
  return moreWal(me, others, raceFacts(cluster, memory));
}

/** In maintenance mode nothing fences a primary that has lost the lock: while one answers, also a named candidate waits. */
function runningPrimary(peers: readonly PeerReport[]): string | null {
  const running = answered(peers).find((peer) => peer.isPrimary);
  return running === undefined ? null : `${running.name} is still running as the primary`;
}

/**
 * A leader that went silent in maintenance mode had no switch and no lease that stops its server, and does not know that
 * the mode has ended: it may go on writing. Only an operator can say that it does not, by naming a candidate.
 */
function unfencedLeader(view: NodeView, memory: Memory, cluster: ClusterView): string | null {
  const name = memory.lastLeader;
  const newest = [...cluster.members, ...memory.lastHealthyMembers].find((one) =>
    one.name === name
  );
  if (newest === undefined || name === view.self.name) return null;
  const peers = view.peers === "not asked" ? [] : answered(view.peers);
  if (!newest.pause || newest.role !== "primary") return null;
  if (peers.some((peer) => peer.name === name)) return null;
  return `${name} was the primary in maintenance mode and is silent, so nothing fences it: ` +
    "make sure that it is down, then name a member (agent failover --member)";
}

/** Reasons that no other member has to be asked for. */
function whyRefuse(view: NodeView, memory: Memory, cluster: ClusterView): string | null {
  if (view.self.tags.nofailover) {
    return "following a different leader because I am not allowed to promote";
  }
  const unlisted = whyUnlisted(cluster, view.self.name);
  if (unlisted !== null) return `refusing to lead: ${unlisted}`;
  const unguarded = whyUnguarded(view);
  if (unguarded !== null) return `refusing to lead: ${unguarded}`;
  const [unsupported] = cluster.settings.unsupported;
  if (unsupported !== undefined) {
    return `refusing to lead: the setting ${unsupported} is not implemented`;
  }
  if (
    cluster.systemId === "" ||
    cluster.systemId === null && !(memory.lastLeader !== null && isLongEmpty(view, memory))
  ) {
    return "refusing to lead: the cluster has no identity, and its primary comes first to restore it";
  }
  const untilMs = outUntilMs(view, memory);
  return untilMs === null ? null : "staying out of the race after giving the lock up";
}

function outUntilMs(view: NodeView, memory: Memory): number | null {
  if (memory.gaveUpMs === null) return null;
  const untilMs = memory.gaveUpMs + timingOf(view, memory).ttlMs;
  return view.nowMs < untilMs ? untilMs : null;
}

/**
 * The request that counts now. One that moves the lock away from a member that was not the last leader is out of date: its
 * leader is a member like others, and what only that member has must not be lost by it.
 */
function dueWish(view: NodeView, memory: Memory, cluster: ClusterView): HandoverWish | null {
  const wish = cluster.handover;
  if (wish === null) return null;
  const isOld = wish.leader !== null && memory.lastLeader !== null &&
    wish.leader !== memory.lastLeader;
  const due = handoverDue(wish, view.wallMs, cluster.settings.loopWaitS);
  return due.kind === "now" && !isOld ? wish : null;
}

interface Race extends Runner {
  readonly me: Contender;
  readonly wish: HandoverWish | null;
}

/** Peers that count in the race. One that `failsafe` does not name never leads, so nobody waits for it; as a primary it does count. */
function runners(reports: readonly PeerReport[], cluster: ClusterView): readonly AnsweredPeer[] {
  return answered(reports).filter((peer) =>
    peer.isPrimary || whyUnlisted(cluster, peer.name) === null
  );
}

/** Rules F and W of the race, with the peers' answers. */
function whyLeaveToOthers(view: NodeView, memory: Memory, race: Race): string | null {
  const { cluster, wish } = race;
  const reports = view.peers === "not asked" ? [] : view.peers;
  const peers = runners(reports, cluster);
  const named = wish?.candidate ?? null;
  const candidate = peers.find((peer) => peer.name === named);
  const isMember = cluster.members.some((member) => member.name === named);
  const facts = raceFacts(cluster, memory);
  const isAble = candidate !== undefined && !isLimited(candidate) && !isOutdated(candidate, facts);
  const former = wish?.leader ?? null;
  const mayInsist = wish !== null && isTrusted(wish, cluster) || former === view.self.name;
  if (isAble && isMember && (mayInsist || !hasMore(race.me, candidate, facts))) {
    return `${candidate.name} is to take over as the operator wishes`;
  }
  if (former === view.self.name) {
    const others = successors(cluster, reports, { only: null, except: named });
    return others.length > 0 ? `handing over to ${others.join(" or ")}` : null;
  }
  const contenders = former === null
    ? peers
    : peers.filter((peer) => peer.name !== former || peer.isPrimary);
  return betterPeer(race.me, contenders, facts);
}

function raceFacts(cluster: ClusterView, memory: Memory): RaceFacts {
  return {
    clusterTimeline: clusterTimeline(cluster.history),
    checkTimeline: cluster.settings.checkTimeline,
    lastLeader: memory.lastLeader,
  };
}

function stay(view: NodeView, memory: Memory, runner: Runner, why: string): Answer {
  const facts = { self: view.self, cluster: runner.cluster, memory, nowMs: view.nowMs };
  const pauseMs = Math.min(RETRY_MS, runner.cluster.settings.loopWaitS * 1000);
  const againMs = earlier(view.nowMs + pauseMs, promiseOf(view)?.untilMs ?? null);
  return act(why, slotActions(runner.postgres, facts), againMs);
}

/**
 * Whatever was wished is done with once somebody won: a left-over request must not move the lock again. In maintenance
 * mode it is what lets the candidate promote, and is dropped after that.
 */
function takeLock(view: NodeView, memory: Memory, cluster: ClusterView): readonly Action[] {
  const wish = isPaused(view, memory) ? null : dueWish(view, memory, cluster);
  const take: readonly Action[] = [...forgetPromise(view), { kind: "take-lock" }];
  return wish === null ? take : [...take, { kind: "clear-handover", revision: wish.revision }];
}
