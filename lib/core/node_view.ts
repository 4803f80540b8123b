import type { JsonObject } from "../base/json.ts";
import type { TaskSpec } from "./action.ts";
import type { ClusterUnreachable, ClusterView } from "./cluster_view.ts";
import type { ConsentPositions, PromiseView } from "./failsafe.ts";
import type { LocalChoices } from "./local_choices.ts";
import type { Lsn } from "./lsn.ts";
import type { SettingChanges } from "./setting_changes.ts";
import type { SwitchFiring, SwitchView } from "./switch_status.ts";
import type { Tags } from "./tags.ts";
import type { TimelineSwitch } from "./timeline.ts";
import type { WatchdogView } from "./watchdog.ts";

/** The whole input of `decide`. JSON can carry it (core/codec.ts), so every tick can be replayed. */
export interface NodeView {
  readonly self: SelfView;
  /** Boot clock, read after everything else was observed. */
  readonly nowMs: number;
  /** For schedules only. */
  readonly wallMs: number;
  readonly cluster: ClusterView | ClusterUnreachable;
  readonly postgres: PostgresView;
  readonly task: TaskView;
  readonly lease: LeaseView;
  /** The armed dead-man's switch; null: not armed. Absent: there is none. */
  readonly armed?: SwitchView | null;
  /** The last signal that the switch sent because nobody renewed; absent or null: none is known. */
  readonly firing?: SwitchFiring | null;
  /** The host's watchdog; absent: off. */
  readonly watchdog?: WatchdogView;
  /** Reports of the members that were asked, all others as a rule; filled by the action `ask-peers` of the same tick. */
  readonly peers: "not asked" | readonly PeerReport[];
  /** The lock holder's history; filled by the action `inspect-leader` of the same tick. */
  readonly leader: "not asked" | LeaderReport;
  readonly wishes: readonly OperatorWish[];
  /** The promise to a leader without the store (failsafe mode) that binds this node; absent or null: none. */
  readonly promise?: PromiseView | null;
  /** What the members told in the last round that extended the own lease by consents; absent: there was none. */
  readonly consents?: ConsentPositions;
}

/** Facts of this node that come from its configuration. */
export interface SelfView extends LocalChoices {
  readonly name: string;
  readonly apiUrl: string;
  readonly connUrl: string;
  readonly proxyUrl: string | null;
  readonly tags: Tags;
  /** The file has a `bootstrap` section, so this node may found a new cluster. */
  readonly mayBootstrap: boolean;
  /** `postgresql.remove_data_directory_on_diverged_timelines` or the default of re-cloning. */
  readonly mayReclone: boolean;
  /** Slot name of this member on its source. */
  readonly slotName: string;
}

/** What pg_controldata says, as far as rules need it. */
export interface ControlData {
  readonly systemId: string;
  /** "in production", "shut down", "shut down in recovery", "in archive recovery", "in crash recovery", "shutting down", "starting up". */
  readonly state: string;
  readonly timeline: number;
  readonly checkpointLsn: Lsn;
  /** Minimum recovery ending location and its timeline; null when zero. */
  readonly minRecovery: { readonly lsn: Lsn; readonly timeline: number } | null;
  /** Checksums or `wal_log_hints` were on: pg_rewind can tell which pages changed. Absent: no. */
  readonly rewindable?: true;
}

/** One replication slot of the local server. */
export interface SlotView {
  readonly name: string;
  readonly kind: "physical" | "logical";
  readonly active: boolean;
  readonly temporary: boolean;
  readonly restartLsn: Lsn | null;
  readonly xmin: boolean;
  readonly walStatus: string | null;
}

/** One WAL sender: a standby that streams from this server. */
export interface SenderView {
  readonly applicationName: string;
  readonly username: string;
  readonly clientAddress: string | null;
  readonly state: string;
  readonly syncState: string;
  readonly syncPriority: number;
  readonly sentLsn: Lsn | null;
  readonly replayLsn: Lsn | null;
}

/** What holds for a running server in either role. */
export interface RunningServer {
  readonly systemId: string;
  /** e.g. 150020. */
  readonly serverVersion: number;
  /** `2026-01-01 10:00:00.123456+00:00`. */
  readonly startTime: string;
  readonly slots: readonly SlotView[];
  readonly senders: readonly SenderView[];
  /** Changed settings that need a restart. */
  readonly pendingRestart: SettingChanges;
}

/** The local server as the probe found it. */
export type PostgresView =
  /** No data directory, an empty one, or what a bootstrap or a copy left when its agent ended (a marker says so). */
  | { readonly kind: "no-data" }
  /** There is something, but it must not be started: not readable, no PG_VERSION. */
  | {
    readonly kind: "unreadable";
    readonly why: string;
    /** Set when the look failed, not the data: the directory may be whole, so no copy takes its place. */
    readonly unproven?: true;
  }
  /** A data directory that no process holds. */
  | { readonly kind: "down"; readonly control: ControlData; readonly crashed: boolean }
  /** A postmaster that does not accept connections yet. */
  | {
    readonly kind: "starting";
    readonly systemId: string;
    readonly asReplica: boolean;
    readonly sinceMs: number;
  }
  /** A postmaster runs, but the probe got no answer; the role is the last one seen ("primary" when never seen and no standby.signal). */
  | {
    readonly kind: "silent";
    readonly systemId: string;
    readonly lastRole: "primary" | "replica";
    readonly why: string;
    /** The control file of a server on its way down; absent: it is not stopping, or could not be read. */
    readonly stopping?: ControlData;
  }
  | PrimaryView
  | ReplicaView;

/** A running server out of recovery. */
export interface PrimaryView extends RunningServer {
  readonly kind: "primary";
  readonly timeline: number;
  /** Flush position. */
  readonly lsn: Lsn;
  /** False while pg_control still shows an older timeline than the server's (no checkpoint since the promotion). */
  readonly checkpointed: boolean;
}

/** A running server in recovery. */
export interface ReplicaView extends RunningServer {
  readonly kind: "replica";
  /** The receiver's timeline, else IDENTIFY_SYSTEM's. */
  readonly timeline: number | null;
  readonly receivedLsn: Lsn | null;
  readonly replayedLsn: Lsn | null;
  /** Text of pg_last_xact_replay_timestamp(), null when none. */
  readonly replayedAt: string | null;
  readonly replayPaused: boolean;
  /** Below what the WAL needs, so that replay has paused until a restart (PostgreSQL docs, "Hot Standby"); absent: none. */
  readonly tooSmall?: SettingChanges;
  /** A WAL receiver streams right now. */
  readonly streaming: boolean;
  /** A restore_command is set. */
  readonly restores: boolean;
  /** What the server is configured to follow; null: nothing. `name` is the member whose address it is, null when unknown. */
  readonly upstream: UpstreamView | null;
  /** latest_end_lsn of the WAL receiver: what the source said of its own end. */
  readonly sourceEndLsn: Lsn | null;
}

/** Where primary_conninfo and primary_slot_name point. */
export interface UpstreamView {
  readonly host: string;
  readonly port: number;
  readonly slotName: string | null;
}

/** How much of a copy is there. */
export interface CopiedBytes {
  readonly done: number;
  readonly total: number;
}

/** The exclusive job: at most one at a time. `ended` stays visible until the next one starts. */
export type TaskView =
  | { readonly kind: "idle" }
  | {
    readonly kind: "running";
    readonly task: TaskSpec;
    readonly sinceMs: number;
    readonly cancellable: boolean;
    /** For people, e.g. "copied 120 of 400 MB". */
    readonly progress: string | null;
    /** The same in figures; absent: not known. */
    readonly bytes?: CopiedBytes;
  }
  | {
    readonly kind: "ended";
    readonly task: TaskSpec;
    readonly result: "done" | "failed" | "cancelled";
    readonly reason: string | null;
    readonly endedMs: number;
  };

/** What the lease keeper reports: an observation, like the rest of the view. */
export type LeaseView =
  /** `neverManaged`: nothing on this host says that an agent ever led from this data directory. Absent: it may have. */
  | { readonly kind: "none"; readonly neverManaged?: boolean }
  /**
   * Confirmed by the last successful transaction; `endsMs` on the boot clock, from before that request. `consented`: no
   * longer by the store, but by all other members (failsafe mode).
   */
  | { readonly kind: "held"; readonly endsMs: number; readonly consented?: true }
  /** Refused, or past its stop time: no way back but a new race. */
  | { readonly kind: "lost"; readonly why: string };

/** What a peer answered to GET of its api_url (spec 3.3): the wire protocol of the race. */
export type PeerReport =
  | {
    readonly kind: "silent";
    readonly name: string;
    readonly why: string;
    /** Its agent says that its server is down, or starts as a replica, and that it holds no lease. Absent: it did not. */
    readonly idle?: true;
  }
  | {
    readonly kind: "answered";
    readonly name: string;
    /** Out of recovery: `xlog.location` non-zero or role primary/master. */
    readonly isPrimary: boolean;
    /** 0 when out of recovery; else max(received, replayed). */
    readonly lsn: Lsn;
    readonly timeline: number;
    readonly tags: Tags;
    readonly watchdogFailed: boolean;
  };

/** What the lock holder's server says over a replication connection. */
export type LeaderReport =
  | {
    readonly kind: "seen";
    readonly name: string;
    readonly systemId: string;
    readonly timeline: number;
    /** History file of that timeline; empty on timeline 1. */
    readonly history: readonly TimelineSwitch[];
  }
  | { readonly kind: "failed"; readonly name: string; readonly why: string };

/** What an operator or the system wants of this node now. */
export type OperatorWish =
  /** The agent was asked to end (SIGTERM): stop the server cleanly, hand the lock over. */
  | { readonly kind: "shutdown" }
  /** The agent was asked to end and to leave server, lock and switch to the next process. */
  | { readonly kind: "detach" }
  /** Reload files and configuration (SIGHUP). */
  | { readonly kind: "reload"; readonly localConfig: JsonObject | null }
  | RestartWish
  | ReinitializeWish;

/** What a restart must find when it is carried out (spec 4.11). */
export interface RestartConditions {
  /** The server's role; null: any. */
  readonly role: "primary" | "standby_leader" | "replica" | null;
  /** Only a server older than this, e.g. 150004; null: any. */
  readonly olderThan: number | null;
  /** Only when a setting waits for a restart. */
  readonly pendingOnly: boolean;
}

/** Restart the server as what it is, now or at a moment. There is at most one of each kind. */
export interface RestartWish {
  readonly kind: "restart" | "scheduled-restart";
  /** The operation. */
  readonly id: string;
  readonly conditions: RestartConditions;
  /** How long the start may take; null: `primary_start_timeout`. */
  readonly timeoutS: number | null;
  /** null: now. */
  readonly schedule: RestartSchedule | null;
}

/** When a restart is planned for. */
export interface RestartSchedule {
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** Start time of the server that is meant; another server is left alone. */
  readonly startTime: string;
  /** The request's fields as they are published. */
  readonly shown: JsonObject;
}

/** Replace this replica by a new copy. */
export interface ReinitializeWish {
  readonly kind: "reinitialize";
  /** The operation. */
  readonly id: string;
  /** Cancel the task that runs. */
  readonly force: boolean;
  /** Copy the leader, whichever member is tagged `clonefrom`. */
  readonly fromLeader: boolean;
}
