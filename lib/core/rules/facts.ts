import type { ClusterView, MemberState } from "../cluster_view.ts";
import { consenters } from "../failsafe.ts";
import type { Addresses } from "../failsafe.ts";
import { leaseTiming } from "../lease_timing.ts";
import type { LeaseTiming } from "../lease_timing.ts";
import type { Memory } from "../memory.ts";
import { mayBePromoted } from "../memory.ts";
import type { NodeView, PostgresView } from "../node_view.ts";
import { defaultSettings } from "../settings.ts";
import type { Settings } from "../settings.ts";
import { besideWatchdog } from "../watchdog.ts";

const TTL_MIN_S = 5;

/** The settings in force, also while the store is silent. */
export function settingsOf(view: NodeView, memory: Memory): Settings {
  const seen = lastCluster(view);
  return seen?.settings ?? memory.lastSettings ?? defaultSettings;
}

/** The lease budget in force, with a running watchdog in it; a ttl below the least counts as the least. */
export function timingOf(view: NodeView, memory: Memory): LeaseTiming {
  const settings = settingsOf(view, memory);
  const timing = leaseTiming(Math.max(TTL_MIN_S, settings.ttlS), settings.loopWaitS);
  return besideWatchdog(timing, view.watchdog ?? { kind: "off" });
}

/** The present picture of the store, or the last one. */
export function lastCluster(view: NodeView): ClusterView | null {
  return view.cluster.kind === "seen" ? view.cluster : view.cluster.lastSeen;
}

/**
 * True in maintenance mode. Without an answer of the store the last view counts, unless the dead-man's switch is armed: it
 * is so only when a later proof of the lock showed no pause. What a file says before there is a cluster does not count.
 */
export function isPaused(view: NodeView, memory: Memory): boolean {
  const seen = lastCluster(view);
  if (seen === null || !seen.settings.paused) return false;
  if (seen.config === null && memory.lastConfig === null) return false;
  return view.cluster.kind === "seen" || (view.armed ?? null) === null;
}

/** Who holds the lock: "me", "other", "nobody", or "unknown" while the store is silent. */
export function lockSide(view: NodeView): "me" | "other" | "nobody" | "unknown" {
  if (view.cluster.kind !== "seen") return "unknown";
  if (view.cluster.lock === null) return "nobody";
  return view.cluster.lock.holder === view.self.name ? "me" : "other";
}

/**
 * The boot-clock moment until which this node may act as the leader, null when it may not now: the lease is not
 * held, its stop time has come, or the store says that the lock is not ours.
 */
export function authorityEndsMs(view: NodeView, memory: Memory): number | null {
  if (view.lease.kind !== "held") return null;
  const side = lockSide(view);
  if (side === "other" || side === "nobody") return null;
  const stopAtMs = view.lease.endsMs - timingOf(view, memory).stopBeforeMs;
  return view.nowMs < stopAtMs ? stopAtMs : null;
}

/**
 * Whose consents this leader needs to go on without the store (failsafe mode); null: they cannot help. In maintenance mode
 * none are needed.
 */
export function consentersOf(view: NodeView, memory: Memory): Addresses | null {
  const seen = lastCluster(view);
  if (seen === null || isPaused(view, memory)) return null;
  return consenters(seen, memory.failsafeWrites, view.self.name);
}

const LOOK_MS = 500;

/**
 * When a leader in failsafe mode must look again, so that a store that hangs leaves time for a whole round of consents
 * before the stop (case C10); null: the usual pace is enough.
 */
export function lookForConsentsMs(view: NodeView, memory: Memory): number | null {
  const endsMs = authorityEndsMs(view, memory);
  if (endsMs === null || consentersOf(view, memory) === null) return null;
  const atMs = endsMs - timingOf(view, memory).consentMs - LOOK_MS;
  return atMs > view.nowMs ? atMs : null;
}

/** True when the lease ended under us: refused, or held beyond its stop time. */
export function leaseEnded(view: NodeView, memory: Memory): boolean {
  if (view.lease.kind === "lost") return true;
  if (view.lease.kind === "none") return false;
  return view.nowMs >= view.lease.endsMs - timingOf(view, memory).stopBeforeMs;
}

/** True for a server that accepts writes now or may do so without our doing. */
export function mayBePrimary(postgres: PostgresView, memory: Memory): boolean {
  switch (postgres.kind) {
    case "primary":
      return true;
    case "silent":
      if (postgres.stopping?.state === "shut down") return false; // it is past its shutdown checkpoint
      return postgres.lastRole === "primary" || mayBePromoted(memory);
    case "starting":
      return !postgres.asReplica || mayBePromoted(memory);
    case "replica":
      return mayBePromoted(memory);
    default:
      return false;
  }
}

/** True while a postmaster runs. */
export function isRunning(postgres: PostgresView): boolean {
  return ["primary", "replica", "starting", "silent"].includes(postgres.kind);
}

/** System identifier of the local data directory, null without one. */
export function localSystemId(postgres: PostgresView): string | null {
  if (postgres.kind === "no-data" || postgres.kind === "unreadable") return null;
  const id = postgres.kind === "down" ? postgres.control.systemId : postgres.systemId;
  return id === "" ? null : id;
}

/** True for a server that this process bootstrapped and that never became a cluster: it has no rival and no clients. */
export function isUnfounded(view: NodeView, memory: Memory): boolean {
  return memory.unfoundedId !== null && localSystemId(view.postgres) === memory.unfoundedId;
}

/**
 * True when the store has been empty for two leases. A wipe takes the lock from under a living leader, so its lease must
 * be over, and all members must have had time to show themselves, before anybody else may lead.
 */
export function isLongEmpty(view: NodeView, memory: Memory): boolean {
  if (memory.emptySinceMs === null) return false;
  return view.nowMs - memory.emptySinceMs >= 2 * timingOf(view, memory).ttlMs;
}

/**
 * True when another member says that it has a server with data, be it stopped: then no new cluster may begin here, and no
 * old one go on from here, for that data may be newer.
 */
export function hasDataElsewhere(cluster: ClusterView, me: string): boolean {
  return cluster.members.some((member) => member.name !== me && hasData(member));
}

function hasData({ role, state, timeline }: MemberState): boolean {
  if (role === "primary" || role === "demoted" || timeline !== null) return true;
  return role === "replica" && state !== "creating replica";
}

/** The member that holds the lock, when it is another one and has published itself. */
export function leaderMember(cluster: ClusterView, me: string): MemberState | null {
  const holder = cluster.lock?.holder ?? null;
  if (holder === null || holder === me) return null;
  return cluster.members.find((member) => member.name === holder) ?? null;
}

/** The kind of the last finished job with this result, for rules that go on after it. */
export function hasEnded(
  view: NodeView,
  kind: string,
  result: "done" | "failed" | "cancelled",
): boolean {
  return view.task.kind === "ended" && view.task.task.kind === kind && view.task.result === result;
}

const REPEAT_MAX_MS = 10_000;
const CLONE_REPEAT_MAX_MS = 60_000;

/** Until when a job that failed must not be tried again; null: now is fine. */
export function restUntilMs(view: NodeView, memory: Memory, kind: string): number | null {
  const failed = memory.failedTask;
  if (failed === null || failed.kind !== kind) return null;
  const loopMs = settingsOf(view, memory).loopWaitS * 1000;
  const pauseMs = kind === "clone"
    ? Math.min(CLONE_REPEAT_MAX_MS, REPEAT_MAX_MS * failed.times)
    : Math.min(REPEAT_MAX_MS, loopMs);
  const untilMs = failed.lastMs + pauseMs;
  return view.nowMs < untilMs ? untilMs : null;
}
