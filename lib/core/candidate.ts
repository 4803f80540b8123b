import type { ClusterView, HandoverWish, HistoryLine } from "./cluster_view.ts";
import { whyUnlisted } from "./failsafe.ts";
import type { Lsn } from "./lsn.ts";
import { lagBytes, LSN_ZERO, maxLsn } from "./lsn.ts";
import type { PeerReport, ReplicaView } from "./node_view.ts";
import type { Tags } from "./tags.ts";

/** A peer that answered. */
export type AnsweredPeer = Extract<PeerReport, { kind: "answered" }>;

/** This node as a contender. */
export interface Contender {
  readonly lsn: Lsn;
  readonly timeline: number | null;
  readonly tags: Tags;
}

/** What a contender is measured with. */
export interface RaceFacts {
  readonly clusterTimeline: number;
  readonly checkTimeline: boolean;
  /** The former leader's priority does not count (case W6). */
  readonly lastLeader: string | null;
}

/** A replica as a contender: what it received counts, for it will be replayed before the promotion ends. */
export function contenderOf(replica: ReplicaView, tags: Tags): Contender {
  return {
    lsn: maxLsn(replica.receivedLsn, replica.replayedLsn) ?? LSN_ZERO,
    timeline: replica.timeline,
    tags,
  };
}

/** The timeline that `history` leads to; 0 when nothing is known, 1 for an empty history. */
export function clusterTimeline(history: readonly HistoryLine[] | null): number {
  if (history === null) return 0;
  return (history.at(-1)?.timeline ?? 0) + 1;
}

/**
 * True when the store has nothing to tell old data from new: it was emptied, and an operator has written at most the identity
 * of the cluster back. Whoever leads writes a WAL position.
 */
export function tellsNothing({ history, status, systemId }: ClusterView): boolean {
  if (systemId === null) return true;
  return systemId !== "" && history === null && status.lsn === null;
}

/** Peers that may take part in a race at all, sorted by name. */
export function answered(peers: readonly PeerReport[]): readonly AnsweredPeer[] {
  const found: AnsweredPeer[] = [];
  for (const peer of peers) if (peer.kind === "answered") found.push(peer);
  return found.sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** Why this node must stay out before anybody is asked, or null (cases W1, W2). */
export function ownObstacle(
  me: Contender,
  cluster: ClusterView,
  withLagLimit: boolean,
): string | null {
  const { checkTimeline, maximumLagOnFailover } = cluster.settings;
  const timeline = clusterTimeline(cluster.history);
  if (checkTimeline && timeline > 0 && (me.timeline === null || me.timeline < timeline)) {
    return `my timeline ${me.timeline ?? "unknown"} is behind the cluster's timeline ${timeline}`;
  }
  const lag = lagBytes(cluster.status.lsn ?? LSN_ZERO, me.lsn);
  if (withLagLimit && lag > BigInt(maximumLagOnFailover)) {
    return `my wal position is ${lag} bytes behind the last known position of the leader`;
  }
  return null;
}

/** Why this node must leave the race to a peer, or null when none is better (cases W4 to W6). */
export function betterPeer(
  me: Contender,
  peers: readonly AnsweredPeer[],
  facts: RaceFacts,
): string | null {
  const running = peers.find((peer) => peer.isPrimary);
  if (running !== undefined) return `${running.name} is still running as the primary`;
  for (const peer of peers) {
    const why = isLimited(peer) || isOutdated(peer, facts) ? null : advantage(me, peer, facts);
    if (why !== null) return why;
  }
  return null;
}

/** True when a peer may not lead: `nofailover`, or its watchdog does not work. */
export function isLimited(peer: AnsweredPeer): boolean {
  return peer.tags.nofailover || peer.watchdogFailed;
}

/** True when a peer's timeline is known to be behind the cluster's, and that matters. */
export function isOutdated(peer: AnsweredPeer, facts: RaceFacts): boolean {
  return facts.checkTimeline && peer.timeline > 0 && peer.timeline < facts.clusterTimeline;
}

/** Why the first peer that has more WAL than `me` has more; null when none of those that may lead has. */
export function moreWal(
  me: Contender,
  peers: readonly AnsweredPeer[],
  facts: RaceFacts,
): string | null {
  for (const peer of peers) {
    const why = isLimited(peer) || isOutdated(peer, facts) ? null : excess(me, peer, facts);
    if (why !== null) return why;
  }
  return null;
}

/** True when `me` has more WAL than the peer. */
export function hasMore(me: Contender, peer: AnsweredPeer, facts: RaceFacts): boolean {
  const mine = me.timeline ?? 0;
  return areApart(mine, peer, facts) ? mine > peer.timeline : me.lsn > peer.lsn;
}

function areApart(mine: number, peer: AnsweredPeer, { checkTimeline }: RaceFacts): boolean {
  return checkTimeline && mine > 0 && peer.timeline > 0 && mine !== peer.timeline;
}

function excess(me: Contender, peer: AnsweredPeer, facts: RaceFacts): string | null {
  const mine = me.timeline ?? 0;
  if (areApart(mine, peer, facts)) {
    return peer.timeline > mine ? `${peer.name} is on the newer timeline ${peer.timeline}` : null;
  }
  return peer.lsn > me.lsn ? `Wal position of ${peer.name} is ahead of my wal position` : null;
}

function advantage(me: Contender, peer: AnsweredPeer, facts: RaceFacts): string | null {
  const more = excess(me, peer, facts);
  if (more !== null || areApart(me.timeline ?? 0, peer, facts)) return more;
  const theirs = peer.tags.failoverPriority;
  const own = me.tags.failoverPriority;
  if (peer.lsn !== me.lsn || me.lsn === LSN_ZERO || theirs <= own) return null;
  if (peer.name === facts.lastLeader) return null;
  return `${peer.name} has equally tolerable WAL position and priority ${theirs}, while this node has priority ${own}`;
}

/** Members that a leader may hand over to now (case G), sorted by name; `except` is left out. */
export function successors(
  cluster: ClusterView,
  peers: readonly PeerReport[],
  choice: { readonly only: string | null; readonly except: string | null },
): readonly string[] {
  const timeline = clusterTimeline(cluster.history);
  const fits = (peer: AnsweredPeer): boolean => {
    if (choice.only !== null && peer.name !== choice.only) return false;
    if (peer.name === choice.except || peer.isPrimary || isLimited(peer)) return false;
    if (cluster.members.every((member) => member.name !== peer.name)) return false;
    if (whyUnlisted(cluster, peer.name) !== null) return false;
    if (cluster.settings.checkTimeline && peer.timeline < Math.max(timeline, 1)) return false;
    const lag = lagBytes(cluster.status.lsn ?? LSN_ZERO, peer.lsn);
    return lag <= BigInt(cluster.settings.maximumLagOnFailover);
  };
  return answered(peers).filter(fits).map((peer) => peer.name);
}

/** When a handover request is to be carried out: "later" carries the milliseconds until then. */
export type Due = { readonly kind: "now" | "stale" } | {
  readonly kind: "later";
  readonly inMs: number;
};

/** A scheduled request is due at its time and stale one and a half loops after it (cases M1 to M3). */
export function handoverDue(wish: HandoverWish, wallMs: number, loopWaitS: number): Due {
  if (wish.scheduledAtMs === null) return { kind: "now" };
  const inMs = wish.scheduledAtMs - wallMs;
  if (inMs > 0) return { kind: "later", inMs };
  return { kind: -inMs > Math.floor(1.5 * loopWaitS) * 1000 ? "stale" : "now" };
}
