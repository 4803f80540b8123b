import type { ClusterView, MemberState } from "./cluster_view.ts";
import { errandOf } from "./action.ts";
import type { Outcome } from "./action.ts";
import { answered, clusterTimeline, tellsNothing } from "./candidate.ts";
import { isSameList, openWrites } from "./failsafe.ts";
import type { FailsafeWrite } from "./failsafe.ts";
import { watchGuarded } from "./guarded_replica.ts";
import type { GuardedReplica } from "./guarded_replica.ts";
import type { NodeView, TaskView } from "./node_view.ts";
import type { ServerRole } from "./role_content.ts";
import type { Settings } from "./settings.ts";
import { slotNameOf } from "./slot_name.ts";
import type { StuckReplica } from "./stuck_replica.ts";
import { watchStuck } from "./stuck_replica.ts";
import type { JsonObject } from "../base/json.ts";

/** What this node must remember between ticks, and nothing that it could look up again. */
export interface Memory {
  /** A promotion was ordered at this time and is not known to have ended: it may still happen. Unobservable until the server has left recovery. */
  readonly promoteAskedMs: number | null;
  /**
   * A replica was found under a switch that a process before this one had armed: that process may have ordered a promotion,
   * which may still happen. null: no server was seen yet that tells.
   */
  readonly promotionFound: boolean | null;
  /** Members of the last view that had a leader: their keys may expire together with the leader's (A27). */
  readonly lastHealthyMembers: readonly MemberState[];
  /** Who led in that view; a former leader's priority does not count in the race (W6). */
  readonly lastLeader: string | null;
  /** The last `config` content that could be read: the store may lose it, only we can restore it (A21). */
  readonly lastConfig: JsonObject | null;
  /** Settings of the last readable `config`: they stay in force when the key is lost or turns invalid (I4). */
  readonly lastSettings: Settings | null;
  /** When we released the lock because the server would not start; we stay out of the race for ttl (no flapping). */
  readonly gaveUpMs: number | null;
  /** Since when our server is down under our lock: bounds primary_start_timeout. */
  readonly downSinceMs: number | null;
  /** Boot time at which each member (by slot name) was last seen: member_slots_ttl; expires with the key, so it cannot be looked up. */
  readonly memberSeenMs: Readonly<Record<string, number>>;
  /** Failed attempts of the same job kind in a row, and the time of the last: for pauses between tries. */
  readonly failedTask:
    | { readonly kind: string; readonly times: number; readonly lastMs: number }
    | null;
  /** System id of a server that this process bootstrapped and that never became a cluster: it may be thrown away. */
  readonly unfoundedId: string | null;
  /** When the lock was last asked for and not refused: what was bootstrapped before may have led, and others may have copied it. */
  readonly lockAskedMs: number | null;
  /** Since when the store has shown no leader and nothing of what there was (`tellsNothing`), without a break in which somebody may have led: the owner of a wiped tree gets time to come back first. */
  readonly emptySinceMs: number | null;
  /** Newest timeline of the cluster that was ever seen, or told by a member when the store had lost it: an emptied store has lost its history, and data from before it must not lead. */
  readonly newestTimeline: number;
  /** Settings that the local server was last given; the files they were rendered to are not read back. */
  readonly appliedSettings: Settings | null;
  /** The role they were rendered for, where the files of roles differ; absent: they did not. */
  readonly appliedRole?: ServerRole;
  /** Since when the replica is stuck: nothing tells how long a stream has been missing. */
  readonly stuck: StuckReplica | null;
  /** A replica under the switch of the process before us: when that has stopped it, it comes back also in maintenance mode. */
  readonly guardedReplica: GuardedReplica | null;
  /** The operation of the last job that an operator ordered: when the slot holds another job by now, it came to nothing. */
  readonly begunErrand: string | null;
  /** Stops for a new copy in a row without a stream since: each further one waits longer. */
  readonly vainCopies: number;
  /** Own writes of `failsafe` that no view has shown yet: their members must be asked too. */
  readonly failsafeWrites: readonly FailsafeWrite[];
  /** Since when the store answers without a break; null: it does not. Keys of members that expired in an outage come back a little later. */
  readonly seenSinceMs: number | null;
}

/** Nothing remembered: the state of a fresh process. */
export const initialMemory: Memory = {
  promoteAskedMs: null,
  promotionFound: null,
  lastHealthyMembers: [],
  lastLeader: null,
  lastConfig: null,
  lastSettings: null,
  gaveUpMs: null,
  downSinceMs: null,
  memberSeenMs: {},
  failedTask: null,
  unfoundedId: null,
  lockAskedMs: null,
  newestTimeline: 0,
  emptySinceMs: null,
  appliedSettings: null,
  stuck: null,
  guardedReplica: null,
  begunErrand: null,
  vainCopies: 0,
  failsafeWrites: [],
  seenSinceMs: null,
};

/** True while a promotion may still happen that nobody has seen to end: ordered by this process, or by one before it. */
export function mayBePromoted({ promoteAskedMs, promotionFound }: Memory): boolean {
  return promoteAskedMs !== null || promotionFound === true;
}

/** Folds in how an action ended. `unknown` is taken as "may still happen" wherever that is the dangerous side. */
export function evolve(memory: Memory, outcome: Outcome): Memory {
  const { action, atMs } = outcome;
  if (outcome.result === "refused") return memory;
  const errand = action.kind === "start-task" ? errandOf(action.task) : null;
  if (errand !== null) return { ...memory, begunErrand: errand.id };
  if (action.kind === "start-task" && action.task.kind === "promote") {
    return { ...memory, promoteAskedMs: atMs };
  }
  if (action.kind === "start-task" && action.task.kind === "stop" && action.task.forked) {
    return { ...memory, vainCopies: memory.vainCopies + 1 };
  }
  if (action.kind === "take-lock") return { ...memory, lockAskedMs: atMs, unfoundedId: null };
  if (action.kind === "release-lock" && action.lastLsn === null) {
    return { ...memory, gaveUpMs: atMs };
  }
  if (action.kind === "write-failsafe") {
    const { members, revision } = action;
    const others = memory.failsafeWrites.filter((write) => !isSameList(write.members, members));
    return { ...memory, failsafeWrites: [...others, { members, revision }] };
  }
  if (action.kind === "apply-settings" && outcome.result === "done") {
    const { settings: appliedSettings, role } = action;
    const { appliedRole: _before, ...rest } = memory;
    return { ...rest, appliedSettings, ...(role === undefined ? {} : { appliedRole: role }) };
  }
  return memory;
}

/** Folds in what a new view shows; called once before each `decide`, with the view that is decided on. */
export function remember(memory: Memory, view: NodeView): Memory {
  const next = view.cluster.kind === "seen"
    ? rememberCluster(memory, view.cluster, view)
    : { ...memory, emptySinceMs: null };
  return {
    ...next,
    seenSinceMs: view.cluster.kind === "seen" ? memory.seenSinceMs ?? view.nowMs : null,
    promoteAskedMs: pendingPromotion(next.promoteAskedMs, view),
    promotionFound: findsPromotion(next.promotionFound, view),
    downSinceMs: downSince(next.downSinceMs, view),
    failedTask: failures(next.failedTask, view.task),
    unfoundedId: unfounded(next, view),
    stuck: watchStuck(next.stuck, view),
    guardedReplica: watchGuarded(next.guardedReplica, view),
    vainCopies: streams(view) ? 0 : next.vainCopies,
  };
}

function streams({ postgres }: NodeView): boolean {
  return postgres.kind === "replica" && postgres.streaming;
}

function rememberCluster(memory: Memory, cluster: ClusterView, view: NodeView): Memory {
  const isLed = cluster.lock !== null;
  const isEmpty = !isLed && tellsNothing(cluster);
  return {
    ...memory,
    emptySinceMs: isEmpty ? memory.emptySinceMs ?? view.nowMs : null,
    lastHealthyMembers: isLed ? cluster.members : memory.lastHealthyMembers,
    lastLeader: cluster.lock?.holder ?? memory.lastLeader,
    lastConfig: cluster.config?.raw ?? memory.lastConfig,
    lastSettings: cluster.settings,
    failsafeWrites: openWrites(memory.failsafeWrites, cluster),
    newestTimeline: Math.max(memory.newestTimeline, ...timelinesOf(cluster, view)),
    memberSeenMs: seenMembers(memory, cluster, view),
  };
}

/** An emptied store tells none; what a member said stays known when it is silent for a moment. */
function timelinesOf({ history, systemId }: ClusterView, { peers }: NodeView): readonly number[] {
  const known = clusterTimeline(history);
  if (systemId !== null || peers === "not asked") return [known];
  return [known, ...answered(peers).map(({ timeline }) => timeline)];
}

/** Clocks of vanished members restart on a node that takes over (it knows them from `retain_slots`), and end on a leader. */
function seenMembers(
  memory: Memory,
  cluster: ClusterView,
  view: NodeView,
): Readonly<Record<string, number>> {
  const seen: Record<string, number> = {};
  const oldestMs = view.nowMs - cluster.settings.memberSlotsTtlS * 1000;
  for (const [slot, seenMs] of Object.entries(memory.memberSeenMs)) {
    if (seenMs > oldestMs) seen[slot] = seenMs;
  }
  const isFresh = memory.lastSettings === null;
  const trusted = isFresh || cluster.lock?.holder !== view.self.name;
  for (const slot of trusted ? cluster.status.retainSlots : []) seen[slot] ??= view.nowMs;
  for (const member of cluster.members) {
    const slot = slotNameOf(member.name);
    if (member.tags.nostream) delete seen[slot];
    else seen[slot] = view.nowMs;
  }
  return Object.fromEntries(Object.entries(seen).sort(([a], [b]) => a < b ? -1 : 1));
}

/** An asked promotion is over when the server is out of recovery or gone, or when the job never reached its call. */
function pendingPromotion(askedMs: number | null, view: NodeView): number | null {
  const kind = view.postgres.kind;
  if (kind === "primary" || kind === "down" || kind === "no-data") return null;
  const { task } = view;
  const isCancelled = task.kind === "ended" && task.task.kind === "promote" &&
    task.result === "cancelled";
  return isCancelled ? null : askedMs;
}

/** Judged once, by the first server that tells: one that went down or left recovery meanwhile is promoted by nobody else. */
function findsPromotion(
  found: boolean | null,
  { armed, postgres }: NodeView,
): boolean | null {
  if (postgres.kind === "starting") return found;
  const mayWait = postgres.kind === "replica" ||
    postgres.kind === "silent" && postgres.lastRole === "replica";
  return mayWait ? found ?? armed?.inherited === true : false;
}

function downSince(sinceMs: number | null, view: NodeView): number | null {
  const { cluster, postgres, self } = view;
  if (cluster.kind !== "seen") return sinceMs;
  const isMine = cluster.lock?.holder === self.name;
  const isUp = postgres.kind === "primary" || postgres.kind === "replica" ||
    postgres.kind === "silent";
  return isMine && !isUp ? sinceMs ?? view.nowMs : null;
}

function failures(failed: Memory["failedTask"], task: TaskView): Memory["failedTask"] {
  if (task.kind !== "ended") return failed;
  const kind = task.task.kind;
  const isSame = failed?.kind === kind;
  if (task.result !== "failed") return isSame ? null : failed;
  if (isSame && failed.lastMs === task.endedMs) return failed;
  return { kind, times: isSame ? failed.times + 1 : 1, lastMs: task.endedMs };
}

function unfounded({ unfoundedId: known, lockAskedMs }: Memory, view: NodeView): string | null {
  const { cluster, task } = view;
  const isBootstrapped = task.kind === "ended" && task.task.kind === "bootstrap" &&
    task.result === "done" && task.endedMs > (lockAskedMs ?? -Infinity);
  const id = (isBootstrapped ? systemIdOf(view) : null) ?? known;
  return cluster.kind === "seen" && cluster.systemId === id ? null : id;
}

/** A server that does not answer right after its bootstrap, or was stopped for that, is still the one that was made. */
function systemIdOf({ postgres }: NodeView): string | null {
  if (postgres.kind === "no-data" || postgres.kind === "unreadable") return null;
  const id = postgres.kind === "down" ? postgres.control.systemId : postgres.systemId;
  return id === "" ? null : id;
}
