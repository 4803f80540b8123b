import type { JsonObject } from "../base/json.ts";
import type { Lsn } from "./lsn.ts";
import type { Settings } from "./settings.ts";
import type { Tags } from "./tags.ts";

/** What a member says of its server; Patroni 4's texts (`creating replica` and so on), kept on the wire. */
export type MemberRunState =
  | "initializing new cluster"
  | "initdb failed"
  | "running custom bootstrap script"
  | "custom bootstrap failed"
  | "creating replica"
  | "running"
  | "starting"
  | "starting after custom bootstrap"
  | "start failed"
  | "restarting"
  | "restart failed"
  | "stopping"
  | "stopped"
  | "stop failed"
  | "crashed"
  | "unknown";

/** What a member says of its role; `master` is read as `primary`. */
export type MemberRole =
  | "primary"
  | "standby_leader"
  | "replica"
  | "demoted"
  | "uninitialized"
  | "promoted"
  | "unknown";

/** A signal that a dead-man's switch sent, as it is published. */
export interface SwitchNote {
  /** ISO time. */
  readonly at: string;
  readonly signal: string;
}

/** What one member publishes about itself (`members/<name>`). Always a claim, never a proof. */
export interface MemberState {
  readonly name: string;
  /** `postgres://host:port/database`, null when absent. */
  readonly connUrl: string | null;
  /** `http(s)://host:port/patroni`, null when absent. */
  readonly apiUrl: string | null;
  readonly state: MemberRunState;
  readonly role: MemberRole;
  /** Patroni's version digits, for mixed clusters. */
  readonly version: string | null;
  /** False only while a new primary has not checkpointed since its promotion. */
  readonly checkpointAfterPromote: boolean;
  readonly tags: Tags;
  readonly pendingRestart: boolean;
  readonly pendingRestartReason: JsonObject | null;
  readonly xlogLocation: Lsn | null;
  readonly receiveLsn: Lsn | null;
  readonly replayLsn: Lsn | null;
  /** `streaming` or `in archive recovery`. */
  readonly replicationState: string | null;
  readonly timeline: number | null;
  readonly scheduledRestart: JsonObject | null;
  readonly pause: boolean;
  /** The last signal of this member's dead-man's switch, while it is fresh; an addition to Patroni's record. */
  readonly switchFired: SwitchNote | null;
  readonly proxyUrl: string | null;
}

/** The leader key: who holds the lock, under which lease. */
export interface LockState {
  readonly holder: string;
  /** etcd lease id in decimal, "0" when the key has none. */
  readonly lease: string;
  readonly revision: bigint;
}

/** The `sync` key. */
export interface SyncState {
  readonly leader: string;
  readonly standbys: readonly string[];
  readonly quorum: number;
  readonly revision: bigint;
}

/** The `failover` key: an operator's request. With `leader` it is a switchover, else a failover. */
export interface HandoverWish {
  readonly leader: string | null;
  readonly candidate: string | null;
  /** Epoch milliseconds, null for now. */
  readonly scheduledAtMs: number | null;
  readonly revision: bigint;
}

/** The `status` key: where the leader was. */
export interface LeaderStatus {
  readonly lsn: Lsn | null;
  readonly slots: Readonly<Record<string, Lsn>>;
  readonly retainSlots: readonly string[];
  /**
   * Revision of the wish for which the last leader released the lock, when it had seen that the named candidate has everything
   * that was written. Absent: no leader says so. Patroni ignores it, and the next leader drops it.
   */
  readonly handoverRevision?: bigint;
}

/** One line of the `history` key: the timeline that ended, where, why, when, and who led next. */
export interface HistoryLine {
  readonly timeline: number;
  readonly lsn: Lsn;
  readonly reason: string;
  /** ISO time, null when unknown. */
  readonly at: string | null;
  readonly newLeader: string | null;
}

/** The `failsafe` key: all members that the last leader in failsafe mode knew, with their addresses. */
export interface FailsafeList {
  /** `api_url` by name. */
  readonly members: Readonly<Record<string, string>>;
  readonly revision: bigint;
}

/** What the store said at one moment. Decoded once, frozen, members sorted by name. */
export interface ClusterView {
  readonly kind: "seen";
  readonly revision: bigint;
  /** null: key absent; "": somebody bootstraps; else the system identifier. */
  readonly systemId: string | null;
  readonly lock: LockState | null;
  readonly members: readonly MemberState[];
  /** The `config` key as stored; null when absent or not an object. */
  readonly config: { readonly raw: JsonObject; readonly revision: bigint } | null;
  /** Effective settings: those of `config`, or the last valid ones, or the defaults. */
  readonly settings: Settings;
  readonly sync: SyncState | null;
  readonly handover: HandoverWish | null;
  /** null: key absent or garbage. */
  readonly failsafe: FailsafeList | null;
  readonly status: LeaderStatus;
  /** null: key absent or garbage. */
  readonly history: readonly HistoryLine[] | null;
  /** Keys whose content could not be read, with the reason; they count as absent. */
  readonly faults: readonly string[];
}

/** The store did not answer; the last view is for reports and addresses, not for authority. */
export interface ClusterUnreachable {
  readonly kind: "unreachable";
  readonly why: string;
  readonly lastSeen: ClusterView | null;
}
