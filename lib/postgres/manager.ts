import type { OldData, SlotChanges, Source, StopEscalation } from "../core/action.ts";
import type { LeaderReport, PostgresView } from "../core/node_view.ts";
import type { Settings } from "../core/settings.ts";
import { bootstrapServer } from "./bootstrap.ts";
import { cloneFrom } from "./clone.ts";
import { applyToFiles, pointAt, prepareRecovery, writeStandbyFiles } from "./follow.ts";
import { inspectLeader } from "./leader_history.ts";
import { CHECKPOINT_MS, checkpointLocally, runLocally } from "./local_sql.ts";
import type { PostgresOptions, Reloadable } from "./options.ts";
import { controlledSettings } from "./parameters.ts";
import type { JobContext, JobResult, PostgresControl, SqlResult } from "./port.ts";
import { Probe } from "./probe.ts";
import { promoteServer, runPrePromote } from "./promote.ts";
import { changeSlots } from "./replication_sql.ts";
import { rewindTo } from "./rewind.ts";
import type { StartOrder, StartTools } from "./server_start.ts";
import { startServer, startTools } from "./server_start.ts";
import { checkpointBeforeStop, runBeforeStop, stopForCertain } from "./server_stop.ts";

const SQL_MS = 10_000;
const NO_ESCALATION: StopEscalation = { immediateAtMs: null, killAtMs: null };

/** The local server through its own programs, files and SQL. */
export class PostgresManager implements PostgresControl {
  readonly #options: PostgresOptions;
  readonly #probe: Probe;
  readonly #tools: StartTools;
  /** Controlled settings of the last order: what the server should run with. Empty until the first. */
  #wanted: Readonly<Record<string, string>> = {};

  constructor(given: PostgresOptions) {
    const options = { ...given };
    this.#options = options;
    this.#probe = new Probe(options);
    this.#tools = startTools(
      options,
      (identity, role) => this.#probe.noteStart(identity, role),
    );
  }

  /**
   * Takes over what a reload of the local file may change; in force with the next order and the next look. Every part
   * works with this one record, so none can go on with the old one. Passwords count for new connections only.
   */
  reconfigure(next: Reloadable): void {
    const { authentication, krbsrvname, parameters, pgHba, pgIdent, byRole } = next;
    const { recoveryConf, pgCtlTimeoutS, customConf, hooks } = next;
    const { basebackup, replicaMethods, rewind, keepsHalfRewound } = next;
    const content = { parameters, pgHba, pgIdent, byRole, recoveryConf, customConf };
    const copies = { basebackup, replicaMethods, rewind, keepsHalfRewound };
    const rest = { authentication, krbsrvname, pgCtlTimeoutS, hooks };
    Object.assign(this.#options, content, copies, rest);
  }

  probe(signal: AbortSignal): Promise<PostgresView> {
    return this.#probe.look(this.#wanted, signal);
  }

  bootstrap(settings: Settings, job: JobContext): Promise<JobResult> {
    this.#want(settings);
    return asJob(async () => {
      await this.#probe.close();
      return await bootstrapServer(this.#tools, settings, job);
    });
  }

  clone(
    source: Source,
    old: OldData,
    settings: Settings,
    job: JobContext,
  ): Promise<JobResult> {
    return asJob(async () => {
      await this.#probe.close();
      const tools = { ...this.#tools, ignoreMark: true };
      const start = (): Promise<JobResult> => this.#startReplica(tools, source, settings, job);
      return await cloneFrom(this.#options, { source, old, start }, job);
    });
  }

  rewind(source: Source, settings: Settings, job: JobContext): Promise<JobResult> {
    return asJob(async () => {
      await this.#probe.close();
      await writeStandbyFiles(this.#tools, source, settings, job.signal);
      const rewound = await rewindTo(this.#options, source, job);
      if (rewound.kind !== "done") return rewound;
      const started = await this.startReplica(source, settings, job);
      if (started.kind !== "failed") return rewound;
      return { kind: "failed", why: `${started.why}; ${rewound.note ?? ""}` };
    });
  }

  startReplica(upstream: Source | null, settings: Settings, job: JobContext): Promise<JobResult> {
    return asJob(() => this.#startReplica(this.#tools, upstream, settings, job));
  }

  startPrimary(
    notAfterMs: number,
    timeoutMs: number,
    settings: Settings,
    job: JobContext,
  ): Promise<JobResult> {
    const order = { settings, recovery: null, notAfterMs, waitMs: timeoutMs };
    return asJob(() => this.#start(this.#tools, order, job));
  }

  follow(upstream: Source | null, settings: Settings, job: JobContext): Promise<JobResult> {
    this.#want(settings);
    return asJob(async () => {
      if (await pointAt(this.#tools, upstream, settings, job.signal) === "done") {
        return { kind: "done" };
      }
      await runBeforeStop(this.#options, NO_ESCALATION, job);
      await this.#probe.close();
      const order = { how: "fast", escalation: NO_ESCALATION } as const;
      const { postmaster } = this.#probe;
      const end = await stopForCertain(this.#options, postmaster, order, job.signal);
      if (end === "left") return { kind: "cancelled" };
      return await this.startReplica(upstream, settings, job);
    });
  }

  prePromote(job: JobContext): Promise<JobResult> {
    return runPrePromote(this.#options, job);
  }

  promote(notAfterMs: number, job: JobContext): Promise<JobResult> {
    const onOrder = (): void => this.#probe.notePromotion();
    return asJob(() => promoteServer(this.#options, notAfterMs, onOrder, job));
  }

  stop(
    how: "fast" | "immediate",
    checkpointFirst: boolean,
    escalation: StopEscalation,
    job: JobContext,
  ): Promise<JobResult> {
    return asJob(async () => {
      if (checkpointFirst) await checkpointBeforeStop(this.#options, escalation, job);
      await runBeforeStop(this.#options, escalation, job);
      if (!job.passPointOfNoReturn()) return { kind: "cancelled" };
      await this.#probe.close();
      const { postmaster } = this.#probe;
      const order = { how, escalation };
      const end = await stopForCertain(this.#options, postmaster, order, job.signal);
      return { kind: end === "gone" ? "done" : "cancelled" };
    });
  }

  async applySettings(
    settings: Settings,
    signal: AbortSignal,
    mustReload = false,
  ): Promise<SqlResult> {
    this.#want(settings);
    const applied = await asJob(async () => {
      await applyToFiles(this.#tools, { settings, mustReload }, signal);
      return { kind: "done" };
    });
    return applied.kind === "failed" ? { kind: "refused", why: applied.why } : { kind: "done" };
  }

  syncSlots(changes: SlotChanges, signal: AbortSignal): Promise<SqlResult> {
    return runLocally(
      this.#options,
      (session, deadline) => changeSlots(session, changes, deadline),
      SQL_MS,
      signal,
    );
  }

  checkpoint(signal: AbortSignal): Promise<SqlResult> {
    return checkpointLocally(this.#options, CHECKPOINT_MS, signal);
  }

  inspectLeader(leader: Source, signal: AbortSignal): Promise<LeaderReport> {
    return inspectLeader(leader, this.#options.authentication.replication, signal);
  }

  watchPostmaster(onDeath: () => void, signal: AbortSignal): Promise<void> {
    return this.#probe.watch(onDeath, signal);
  }

  close(): Promise<void> {
    return this.#probe.close();
  }

  async #startReplica(
    tools: StartTools,
    upstream: Source | null,
    settings: Settings,
    job: JobContext,
  ): Promise<JobResult> {
    const recovery = await prepareRecovery(tools, upstream, settings);
    const waitMs = this.#options.pgCtlTimeoutS * 1000;
    return await this.#start(tools, { settings, recovery, notAfterMs: null, waitMs }, job);
  }

  async #start(tools: StartTools, order: StartOrder, job: JobContext): Promise<JobResult> {
    this.#want(order.settings);
    await this.#probe.close();
    return await startServer(tools, order, job);
  }

  #want(settings: Settings): void {
    this.#wanted = controlledSettings(this.#options, settings);
  }
}

/** Jobs end with a value: faults of files, programs and the server are reasons, not exceptions. */
async function asJob(work: () => Promise<JobResult>): Promise<JobResult> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TypeError || !(error instanceof Error)) throw error;
    return { kind: "failed", why: error.message };
  }
}
