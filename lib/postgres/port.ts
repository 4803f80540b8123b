import type { Settings } from "../core/settings.ts";
import type { OldData, SlotChanges, Source, StopEscalation } from "../core/action.ts";
import type { CopiedBytes, LeaderReport, PostgresView } from "../core/node_view.ts";

/** What a long job tells while it runs. */
export interface JobContext {
  /** Aborted by a cancel; ignored after the point of no return. */
  readonly signal: AbortSignal;
  /** For people: "copied 120 of 400 MB"; `bytes` the same in figures. */
  readonly report: (progress: string, bytes?: CopiedBytes) => void;
  /** Called right before the irreversible step: from here on a cancel is refused. Returns false when cancelled already: then stop. */
  readonly passPointOfNoReturn: () => boolean;
}

/** How a job ended; `note`: what an operator should know of it. */
export type JobResult =
  | { readonly kind: "done"; readonly note?: string }
  | { readonly kind: "failed"; readonly why: string }
  | { readonly kind: "cancelled" };

/**
 * The local server. Expected failures are values; a method throws only `TypeError` for a broken promise of its caller.
 * Jobs (everything with a `JobContext`) are run one at a time by the task slot.
 */
export interface PostgresControl {
  /** One look: files, process identity, one query. Never throws; what it could not learn is in the view. */
  probe(signal: AbortSignal): Promise<PostgresView>;
  /** initdb (options of `bootstrap.initdb`), configuration files, start, roles; the server runs as primary at the end. */
  bootstrap(settings: Settings, job: JobContext): Promise<JobResult>;
  /**
   * pg_basebackup with `-X stream` from `source`, then start as replica. A directory with data is dealt with as `old` says.
   */
  clone(
    source: Source,
    old: OldData,
    settings: Settings,
    job: JobContext,
  ): Promise<JobResult>;
  /**
   * pg_rewind of the stopped directory to `source`, then start as its replica. Fails with the directory as it was, or,
   * once it was touched, with one that counts as none.
   */
  rewind(source: Source, settings: Settings, job: JobContext): Promise<JobResult>;
  startReplica(upstream: Source | null, settings: Settings, job: JobContext): Promise<JobResult>;
  /** Refuses (failed) when the boot clock is past `notAfterMs` right before the postmaster is spawned; waits until it accepts writes or `timeoutMs`. */
  startPrimary(
    notAfterMs: number,
    timeoutMs: number,
    settings: Settings,
    job: JobContext,
  ): Promise<JobResult>;
  /** Recovery settings of a running replica, reload; restart only where the version needs it. */
  follow(upstream: Source | null, settings: Settings, job: JobContext): Promise<JobResult>;
  /** `pre_promote` of the configuration, until it ends or the job is cancelled; done only for exit code 0 or without one. */
  prePromote(job: JobContext): Promise<JobResult>;
  /** `pg_ctl promote`, and waits until the server is out of recovery. The clock is read again right before. */
  promote(notAfterMs: number, job: JobContext): Promise<JobResult>;
  /** `before_stop`, then stops for certain, with all children and orphans; done only when no process holds the directory. */
  stop(
    how: "fast" | "immediate",
    checkpointFirst: boolean,
    escalation: StopEscalation,
    job: JobContext,
  ): Promise<JobResult>;
  /** Configuration files for these settings and role; reload when they changed, with `mustReload` in any case. */
  applySettings(settings: Settings, signal: AbortSignal, mustReload?: boolean): Promise<SqlResult>;
  syncSlots(changes: SlotChanges, signal: AbortSignal): Promise<SqlResult>;
  /** CHECKPOINT on the local server. */
  checkpoint(signal: AbortSignal): Promise<SqlResult>;
  /** IDENTIFY_SYSTEM and TIMELINE_HISTORY over a replication connection to another member. */
  inspectLeader(leader: Source, signal: AbortSignal): Promise<LeaderReport>;
  /** Calls `onDeath` once each time the postmaster that the last probe saw disappears; returns when `signal` aborts. */
  watchPostmaster(onDeath: () => void, signal: AbortSignal): Promise<void>;
  /** Closes SQL sessions. */
  close(): Promise<void>;
}

/** How a short statement ended. */
export type SqlResult =
  | { readonly kind: "done" }
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "unknown"; readonly why: string };
