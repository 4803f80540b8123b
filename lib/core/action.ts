import type { HistoryLine } from "./cluster_view.ts";
import type { Addresses } from "./failsafe.ts";
import type { Lsn } from "./lsn.ts";
import type { ServerRole } from "./role_content.ts";
import type { Settings } from "./settings.ts";
import type { JsonObject } from "../base/json.ts";

/** A member to copy or stream from. */
export interface Source {
  readonly name: string;
  /** `postgres://host:port/database` as published. */
  readonly connUrl: string;
  /** What its server must call its system before anything is given up for a copy of it; absent: that is not known. */
  readonly systemId?: string;
}

/**
 * What a copy does with a directory that has data, once its source is known to be usable: keep it as `<dir>.diverged`,
 * remove it, or refuse.
 */
export type OldData = "move-aside" | "remove" | "refuse";

/** An operator's order that a job is a part of; `id` is that of its operation. */
export interface Errand {
  readonly kind: "restart" | "reinitialize";
  readonly id: string;
}

/** The moments (boot clock) at which a stop turns harsher; null: never. */
export interface StopEscalation {
  readonly immediateAtMs: number | null;
  readonly killAtMs: number | null;
}

/** One exclusive job: whatever changes the server or its data directory. A plain description; the shell carries it out. */
export type TaskSpec =
  /** initdb, first start, roles; ends with a running primary. Only under the bootstrap claim. */
  | { readonly kind: "bootstrap" }
  /**
   * pg_basebackup from `source`, then start as its replica.
   */
  | {
    readonly kind: "clone";
    readonly source: Source;
    readonly old: OldData;
    readonly why: string;
    readonly errand?: Errand;
  }
  /** pg_rewind of the stopped directory to `source`, the leader, then start as its replica. */
  | { readonly kind: "rewind"; readonly source: Source; readonly why: string }
  /** Start as a replica of `upstream` (null: of nobody). */
  | { readonly kind: "start-replica"; readonly upstream: Source | null; readonly errand?: Errand }
  /** Start out of recovery (crash recovery under the lock, or a restart); not started after `notAfterMs`. */
  | {
    readonly kind: "start-primary";
    readonly notAfterMs: number;
    readonly timeoutMs: number;
    readonly errand?: Errand;
  }
  /** Rewrite the recovery settings of a running replica and reload, or restart where the version demands it. */
  | { readonly kind: "follow"; readonly upstream: Source | null }
  /** Run `pre_promote` before the promotion under the lock of this revision; a failure gives the lock up. */
  | { readonly kind: "pre-promote"; readonly lockRevision: bigint }
  /** Leave recovery; the clock is checked again right before the irreversible call. */
  | { readonly kind: "promote"; readonly notAfterMs: number }
  /**
   * Stop for certain. `checkpointFirst`: CHECKPOINT while still serving, so that the outage is short. `forked`: the
   * running replica is to be replaced by a copy: it has forked or is stuck, which its control data need not show.
   */
  | {
    readonly kind: "stop";
    readonly forked?: true;
    readonly how: "fast" | "immediate";
    readonly checkpointFirst: boolean;
    readonly escalation: StopEscalation;
    readonly why: string;
    readonly errand?: Errand;
  };

/** The operator's order that a job is a part of, null when it is nobody's. */
export function errandOf(task: TaskSpec): Errand | null {
  return "errand" in task ? task.errand ?? null : null;
}

/** What operators call a task (spec 4.16): by their order where it is a part of one. */
export function taskName(task: TaskSpec): string {
  return errandOf(task)?.kind ?? task.kind;
}

/** Changes of replication slots on the local server. */
export interface SlotChanges {
  readonly create: readonly string[];
  readonly drop: readonly string[];
  readonly advance: readonly { readonly name: string; readonly to: Lsn }[];
}

/** What `decide` can order. Everything is data; `lib/runtime/act.ts` has one line for each kind. */
export type Action =
  /**
   * GET every other member's api_url, in parallel, 2 s; fills NodeView.peers. Use with `again`. `only` leaves out all
   * but one, so that a silent member costs nothing where no other answer counts.
   */
  | { readonly kind: "ask-peers"; readonly only?: string }
  /** Ask the lock holder's server for its timeline history; fills NodeView.leader. Use with `again`. */
  | { readonly kind: "inspect-leader"; readonly leader: Source }
  /** Create `initialize` = "" under this member's lease; refused when it exists. */
  | { readonly kind: "claim-bootstrap" }
  /** Delete `initialize` if it is still our own claim. */
  | { readonly kind: "abandon-bootstrap" }
  /** Write `initialize` (over our own claim) and `config` (must not exist). */
  | { readonly kind: "found-cluster"; readonly systemId: string }
  /** Create the leader key with this member's lease; refused when it exists. */
  | { readonly kind: "take-lock" }
  /**
   * POST `failsafe` to all these members, in parallel; when every one of them consents, the lease is extended by ttl from
   * before the question. Refused when one does not, or when the answers come too late.
   */
  | {
    readonly kind: "ask-consents";
    readonly members: Addresses;
    readonly slots: Readonly<Record<string, Lsn>>;
  }
  /** Leader only: `failsafe` (null: deletes it), when the key is unchanged since `revision` (0n: absent). */
  | {
    readonly kind: "write-failsafe";
    readonly members: Addresses | null;
    readonly revision: bigint;
  }
  /** Forgets the promise with this end: no leader may rely on it any more. */
  | { readonly kind: "forget-promise"; readonly untilMs: number }
  /** The keeper's order to go on renewing; lapses when no decision repeats it. */
  | { readonly kind: "hold-lock" }
  /**
   * Authority ends before the request is sent, whatever comes back. `lastLsn`: published in `status` first, with
   * `handoverRevision`: the candidate of the wish with this revision has everything.
   */
  | {
    readonly kind: "release-lock";
    readonly lastLsn: Lsn | null;
    readonly handoverRevision?: bigint;
  }
  /** Put `{}` into `failover` if its revision is still this one. */
  | { readonly kind: "clear-handover"; readonly revision: bigint }
  /** Leader only: `status` (position and slots) when it changed. */
  | {
    readonly kind: "write-status";
    readonly lsn: Lsn;
    readonly slots: Readonly<Record<string, Lsn>>;
    readonly retainSlots: readonly string[];
  }
  /** Leader only: `history`, when it lacks the line of the last promotion. */
  | { readonly kind: "write-history"; readonly lines: readonly HistoryLine[] }
  /**
   * Leader only, after the key tree was wiped: `initialize` and `config` again, both "must not exist". `config`: null where
   * none was ever seen, then it is that of a new cluster.
   */
  | { readonly kind: "restore-keys"; readonly systemId: string; readonly config: JsonObject | null }
  | { readonly kind: "sync-slots"; readonly changes: SlotChanges }
  /**
   * Render configuration files for these settings and reload the server when they changed; with `reload` in any case.
   * `role`: that of the server, where the files differ by it.
   */
  | {
    readonly kind: "apply-settings";
    readonly settings: Settings;
    readonly role?: ServerRole;
    readonly reload?: true;
  }
  /** CHECKPOINT in the background, once. */
  | { readonly kind: "checkpoint" }
  | { readonly kind: "start-task"; readonly task: TaskSpec }
  /** Ends the guard over a server that cannot write any more; refused while the lock is held in time. */
  | { readonly kind: "disarm-switch" }
  /** Starts the host's watchdog with the timeout of these settings; the next look shows whether it runs. */
  | { readonly kind: "open-watchdog" }
  /** Ends the watchdog in order: the host is not reset. */
  | { readonly kind: "close-watchdog" }
  /** Asks the running job to end; refused after its point of no return. */
  | { readonly kind: "cancel-task" }
  /** Tells the operator how an order ended, with the status and text of spec 3.5, and takes its wish back. */
  | {
    readonly kind: "settle";
    readonly operation: string;
    readonly state: "done" | "failed" | "refused";
    readonly why: string;
    readonly reply: { readonly status: number; readonly text: string };
  }
  /** The agent process may end now (a shutdown wish was carried out). */
  | { readonly kind: "exit" };

/** How an action ended. `unknown`: it may or may not have happened; look again, assume nothing. */
export interface Outcome {
  readonly action: Action;
  readonly result: "done" | "refused" | "unknown";
  readonly reason: string | null;
  /** Boot clock when the action was begun. */
  readonly atMs: number;
}

/** The answer of the ladder for one view. */
export interface Decision {
  /** Which rung answered. */
  readonly rule: string;
  /** One sentence: the log line and the CLI's explanation. */
  readonly why: string;
  readonly actions: readonly Action[];
  /** Look and decide once more in this tick (at most 4 rounds). */
  readonly again: boolean;
  /** Boot clock: not later than this the loop must look again; null: the normal pace. */
  readonly wakeAtMs: number | null;
}
