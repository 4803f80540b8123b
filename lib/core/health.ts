import type { Addresses } from "./failsafe.ts";
import type { HealthQuery } from "./health_query.ts";
import type { LeaseView, NodeView } from "./node_view.ts";
import { maxLsn } from "./lsn.ts";
import type { Lsn } from "./lsn.ts";
import { replicationState } from "./publish.ts";
import { answering, roleOf, runStateOf } from "./server_texts.ts";
import type { Settings } from "./settings.ts";
import { isFailsafeActive } from "./status_document.ts";
import type { StatusFacts } from "./status_document.ts";
import { isSyncStandby, syncMode } from "./sync_duty.ts";

/** What a health check looks at; all times on the boot clock. */
export interface HealthFacts extends StatusFacts {
  /** When the loop means to look again. */
  readonly nextTickMs: number;
  /** In force at the last look, also when the store is gone by now. */
  readonly settings: Settings;
  /** The list of failsafe mode as last seen, also when the store is gone by now; absent: none was seen. */
  readonly listed?: Addresses;
}

/** One endpoint's question; true is 200, false 503. */
export type HealthCheck = (facts: HealthFacts, query: HealthQuery) => boolean;

/**
 * Whether the lock is held at this moment. It turns false by itself when the lease ends, also when the loop hangs.
 */
export function leadsAt(lease: LeaseView, nowMs: number): boolean {
  return lease.kind === "held" && nowMs < lease.endsMs;
}

/** The health endpoints by exact path without slashes ("" is the root); every other path is no health check. */
export const HEALTH_CHECKS: Readonly<Record<string, HealthCheck>> = {
  "": isPrimary,
  primary: isPrimary,
  master: isPrimary,
  "read-write": isPrimary,
  leader: isLeader,
  replica: isReplica,
  slave: isReplica,
  "read-only": (facts, query) => isTaggedPrimary(facts, query) || isReplica(facts, query),
  health: (facts, query) => isAnswering(facts.view) && hasTags(facts.view, query),
  liveness: isLive,
  readiness: isReady,
  sync: isSync,
  synchronous: isSync,
  quorum: isQuorum,
  async: isAsync,
  asynchronous: isAsync,
  "read-only-sync": (facts, query) => isTaggedPrimary(facts, query) || isSync(facts, query),
  "read-only-synchronous": (facts, query) => isTaggedPrimary(facts, query) || isSync(facts, query),
  "read-only-quorum": (facts, query) => isTaggedPrimary(facts, query) || isQuorum(facts, query),
  "standby-leader": neverInThisVersion,
  standby_leader: neverInThisVersion,
};

/**
 * Holds the lock, and the server runs as primary. Patroni asks for the lock alone; writes must not be sent to a server
 * that is not promoted yet, so here both count (decided difference).
 */
function isPrimary(facts: HealthFacts): boolean {
  return isLeader(facts) && isRunning(facts.view) && isPrimaryServer(facts.view);
}

function isLeader(facts: HealthFacts): boolean {
  return leadsAt(facts.lease, facts.nowMs) || leadsInPause(facts);
}

/** In maintenance mode a primary serves on without the store, unless the last view names another leader. */
function leadsInPause({ settings, deadMan, view, cluster, name }: HealthFacts): boolean {
  if (!settings.paused || deadMan?.armed === true || !isPrimaryServer(view)) return false;
  return cluster === null || cluster.lock?.holder === name;
}

function isTaggedPrimary(facts: HealthFacts, query: HealthQuery): boolean {
  return isPrimary(facts) && hasTags(facts.view, query);
}

function isReplica(facts: HealthFacts, query: HealthQuery): boolean {
  const { view } = facts;
  if (view === null || !isRunning(view) || view.postgres.kind !== "replica") return false;
  if (view.self.tags.noloadbalance || !hasTags(view, query)) return false;
  return !isLagging(facts, query.lagMax) && hasReplicationState(view, query);
}

function isSync(facts: HealthFacts, query: HealthQuery): boolean {
  return isReplica(facts, query) && syncDuty(facts) === "on";
}

function isQuorum(facts: HealthFacts, query: HealthQuery): boolean {
  return isReplica(facts, query) && syncDuty(facts) === "quorum";
}

function isAsync(facts: HealthFacts, query: HealthQuery): boolean {
  return isReplica(facts, query) && syncDuty(facts) === "off";
}

/** A node with an active `standby_cluster` setting refuses to lead, so none of ours can pass. */
function neverInThisVersion(): boolean {
  return false;
}

/** The loop is not stuck: the next look is not overdue by ttl on a primary, 2 * ttl elsewhere. */
function isLive({ settings, view, nextTickMs, nowMs }: HealthFacts): boolean {
  if (settings.paused) return true;
  const ttlMs = settings.ttlS * 1000;
  const isRunningPrimary = isRunning(view) && isPrimaryServer(view);
  return nextTickMs + (isRunningPrimary ? ttlMs : 2 * ttlMs) > nowMs;
}

/**
 * Leads, or replicates and is not further behind than allowed. Patroni lets only streaming replicas pass, so that one
 * that restores from an archive is never ready; here it is, when its lag is known and small. In failsafe mode nobody
 * publishes a position, so a replica that has given its consent passes without one.
 */
function isReady(facts: HealthFacts, query: HealthQuery): boolean {
  const { view, settings } = facts;
  if (isLeader(facts)) return true;
  if (!isRunning(view) || view?.postgres.kind !== "replica") return false;
  const leaderLsn = leaderPosition(facts);
  if (replicationState(view.postgres) === null) return false;
  if (leaderLsn === null) return isFailsafeActive(facts) && facts.cluster === null;
  const { receivedLsn, replayedLsn } = view.postgres;
  const own = query.mode === "write" ? maxLsn(receivedLsn, replayedLsn) : replayedLsn;
  const limit = query.lagMax ?? settings.maximumLagOnFailover;
  return !isBehind(own, leaderLsn, limit);
}

function isRunning(view: NodeView | null): boolean {
  return view !== null && runStateOf(view) === "running";
}

/** Also a primary that did not answer the last probe: one slow query must not move the traffic. */
function isPrimaryServer(view: NodeView | null): boolean {
  return view !== null && roleOf(view) === "primary";
}

function isAnswering(view: NodeView | null): boolean {
  return view !== null && isRunning(view) && answering(view.postgres) !== null;
}

function hasTags(view: NodeView | null, { tags }: HealthQuery): boolean {
  const published = view?.self.tags.published ?? {};
  return tags.every(({ key, value }) => {
    const own = Object.hasOwn(published, key) ? published[key] : undefined;
    if (own === undefined) return false;
    return typeof own === "string" ? own === value : JSON.stringify(own) === value.toLowerCase();
  });
}

function hasReplicationState(view: NodeView, { replicationState: wanted }: HealthQuery): boolean {
  if (wanted === null) return true;
  return view.postgres.kind === "replica" && replicationState(view.postgres) === wanted;
}

function isLagging(facts: HealthFacts, lagMax: number | null): boolean {
  const { view } = facts;
  const leaderLsn = leaderPosition(facts);
  if (lagMax === null || leaderLsn === null || view?.postgres.kind !== "replica") return false;
  return isBehind(view.postgres.replayedLsn, leaderLsn, lagMax);
}

/** The furthest position known of the leader: published in `status`, or told by the source; null when unknown. */
function leaderPosition({ cluster, view }: HealthFacts): Lsn | null {
  const told = view?.postgres.kind === "replica" ? view.postgres.sourceEndLsn : null;
  const best = maxLsn(cluster?.status.lsn ?? null, told);
  return best === 0n ? null : best;
}

function isBehind(own: Lsn | null, leader: Lsn, lagMax: number): boolean {
  return Number(leader - (own ?? 0n)) > lagMax;
}

function syncDuty({ cluster, name }: HealthFacts): "on" | "quorum" | "off" | "unknown" {
  if (cluster === null) return "unknown";
  return isSyncStandby(cluster, name) ? syncMode(cluster) : "off";
}
