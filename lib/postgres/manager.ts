import { within } from "../base/deadline.ts";
import type { SlotChanges, Source, StopEscalation } from "../core/action.ts";
import type { LeaderReport, PostgresView } from "../core/node_view.ts";
import type { Settings } from "../core/settings.ts";
import { stopServer } from "../host/fence.ts";
import type { ProcessIdentity } from "../host/port.ts";
import { isAlive } from "../host/processes.ts";
import { bootstrapServer } from "./bootstrap.ts";
import { cloneFrom } from "./clone.ts";
import { ConfWriter } from "./conf_writer.ts";
import { inspectDataDir, startsAsStandby } from "./data_dir.ts";
import { inspectLeader } from "./leader_history.ts";
import type { PostgresOptions } from "./options.ts";
import { programPath } from "./options.ts";
import { controlledSettings } from "./parameters.ts";
import { orderPromotion, orderReload } from "./pg_ctl.ts";
import type { JobContext, JobResult, PostgresControl, SqlResult } from "./port.ts";
import { localTarget, readPostmaster } from "./postmaster.ts";
import { Probe } from "./probe.ts";
import { asResult, changeSlots } from "./replication_sql.ts";
import type { StartTools } from "./server_start.ts";
import { askRole, startServer } from "./server_start.ts";
import type { Session } from "./session.ts";
import { withSession } from "./session.ts";
import { standbySettings, writeUpstreamPassfile } from "./standby_settings.ts";

const WATCH_MS = 200;
const POLL_MS = 50;
/** A checkpoint before a stop only shortens the outage; past this the stop is the better choice. */
const CHECKPOINT_FIRST_MS = 300_000;
const SQL_MS = 10_000;

/** The local server through its own programs, files and SQL. */
export class PostgresManager implements PostgresControl {
  readonly #options: PostgresOptions;
  readonly #probe: Probe;
  readonly #tools: StartTools;
  /** Those of the last order: what the server should run with. Empty until the first. */
  #wanted: Readonly<Record<string, string>> = {};

  constructor(options: PostgresOptions) {
    this.#options = options;
    this.#probe = new Probe(options);
    this.#tools = {
      options,
      conf: new ConfWriter(options),
      onStart: (identity, role) => this.#probe.noteStart(identity, role),
      ignoreMark: false,
    };
  }

  probe(signal: AbortSignal): Promise<PostgresView> {
    return this.#probe.look(this.#wanted, signal);
  }

  async bootstrap(settings: Settings, job: JobContext): Promise<JobResult> {
    this.#want(settings);
    await this.#probe.close();
    return await asJob(() => bootstrapServer(this.#tools, settings, job));
  }

  async clone(
    source: Source,
    moveAside: boolean,
    settings: Settings,
    job: JobContext,
  ): Promise<JobResult> {
    await this.#probe.close();
    const order = { source, keepOld: moveAside };
    const copied = await asJob(() => cloneFrom(this.#options, order, job));
    return copied.kind === "done" ? await this.startReplica(source, settings, job) : copied;
  }

  async startReplica(
    upstream: Source | null,
    settings: Settings,
    job: JobContext,
  ): Promise<JobResult> {
    this.#want(settings);
    await this.#probe.close();
    return await asJob(async () => {
      const recovery = await this.#recoverySettings(upstream, settings);
      const waitMs = this.#options.pgCtlTimeoutS * 1000;
      const order = { settings, recovery, notAfterMs: null, waitMs };
      return await startServer(this.#tools, order, job);
    });
  }

  async startPrimary(
    notAfterMs: number,
    timeoutMs: number,
    settings: Settings,
    job: JobContext,
  ): Promise<JobResult> {
    this.#want(settings);
    await this.#probe.close();
    const order = { settings, recovery: null, notAfterMs, waitMs: timeoutMs };
    return await asJob(() => startServer(this.#tools, order, job));
  }

  async follow(upstream: Source | null, settings: Settings, job: JobContext): Promise<JobResult> {
    this.#want(settings);
    return await asJob(async () => {
      const postmaster = await readPostmaster(this.#options.dataDir);
      if (postmaster === null) return failed("Cannot follow: the server is down");
      const majorVersion = await this.#majorVersion();
      const recovery = await this.#recoverySettings(upstream, settings);
      const order = { settings, majorVersion, recovery };
      const changed = await this.#tools.conf.write(order, job.signal);
      // Before 13 the receiver's settings are read at start only.
      if (changed && majorVersion < 13) return await this.#restartReplica(upstream, settings, job);
      if (changed) orderReload(postmaster.process.identity);
      return { kind: "done" };
    });
  }

  async promote(notAfterMs: number, job: JobContext): Promise<JobResult> {
    const { clock, pgCtlTimeoutS } = this.#options;
    return await asJob(async () => {
      if (!job.passPointOfNoReturn()) return { kind: "cancelled" };
      if (clock.bootMs() > notAfterMs) {
        return failed("Cannot promote: the right to do so has ended");
      }
      this.#probe.notePromotion();
      const ordered = await orderPromotion(this.#options, new AbortController().signal);
      if (ordered.exitCode !== 0) return failed(`Cannot promote: ${ordered.stderrTail}`);
      return await this.#waitForPromotion(clock.bootMs() + pgCtlTimeoutS * 1000);
    });
  }

  async stop(
    how: "fast" | "immediate",
    checkpointFirst: boolean,
    escalation: StopEscalation,
    job: JobContext,
  ): Promise<JobResult> {
    return await asJob(async () => {
      if (checkpointFirst) await this.#checkpointWithin(escalation, job);
      if (!job.passPointOfNoReturn()) return { kind: "cancelled" };
      await this.#probe.close();
      await this.#stop(how, escalation);
      return { kind: "done" };
    });
  }

  async applySettings(settings: Settings, signal: AbortSignal): Promise<SqlResult> {
    this.#want(settings);
    const { dataDir } = this.#options;
    return await asSqlResult(async () => {
      const postmaster = await readPostmaster(dataDir);
      const majorVersion = await this.#majorVersion();
      const recovery = await startsAsStandby(dataDir) ? "keep" as const : null;
      const changed = await this.#tools.conf.write({ settings, majorVersion, recovery }, signal);
      if (changed && postmaster !== null) orderReload(postmaster.process.identity);
    });
  }

  syncSlots(changes: SlotChanges, signal: AbortSignal): Promise<SqlResult> {
    return this.#sql(
      (session, deadline) => changeSlots(session, changes, deadline),
      SQL_MS,
      signal,
    );
  }

  checkpoint(signal: AbortSignal): Promise<SqlResult> {
    return this.#sql(
      async (session, deadline) => {
        await session.query("CHECKPOINT", [], deadline);
        return { kind: "done" };
      },
      CHECKPOINT_FIRST_MS,
      signal,
    );
  }

  inspectLeader(leader: Source, signal: AbortSignal): Promise<LeaderReport> {
    return inspectLeader(leader, this.#options.authentication.replication, signal);
  }

  async watchPostmaster(onDeath: () => void, signal: AbortSignal): Promise<void> {
    let reported: ProcessIdentity | null = null;
    while (!signal.aborted) {
      const { postmaster } = this.#probe;
      if (postmaster !== null && postmaster !== reported && !isAlive(postmaster)) {
        reported = postmaster;
        onDeath();
      }
      await this.#options.clock.sleep(WATCH_MS, signal);
    }
  }

  close(): Promise<void> {
    return this.#probe.close();
  }

  #want(settings: Settings): void {
    this.#wanted = controlledSettings(this.#options, settings);
  }

  async #recoverySettings(
    upstream: Source | null,
    settings: Settings,
  ): Promise<Readonly<Record<string, string>>> {
    if (upstream !== null) await writeUpstreamPassfile(this.#options, upstream);
    return standbySettings(this.#options, upstream, settings, await this.#majorVersion());
  }

  async #majorVersion(): Promise<number> {
    const dir = await inspectDataDir(this.#options.dataDir);
    if (dir.kind === "complete") return dir.majorVersion;
    throw new Error(`Cannot read the server's version: the data directory is ${dir.kind}`);
  }

  async #restartReplica(
    upstream: Source | null,
    settings: Settings,
    job: JobContext,
  ): Promise<JobResult> {
    await this.#probe.close();
    await this.#stop("fast", { immediateAtMs: null, killAtMs: null });
    return await this.startReplica(upstream, settings, job);
  }

  async #waitForPromotion(untilMs: number): Promise<JobResult> {
    const { clock } = this.#options;
    for (;;) {
      const role = await askRole(this.#options);
      if (role === "primary") return { kind: "done" };
      if (typeof role === "object") return failed(role.refused);
      if (clock.bootMs() >= untilMs) return failed("Cannot promote: still in recovery");
      await clock.sleep(POLL_MS);
    }
  }

  async #checkpointWithin(escalation: StopEscalation, job: JobContext): Promise<void> {
    const limitMs = escalation.immediateAtMs ?? escalation.killAtMs ?? Infinity;
    const leftMs = limitMs - this.#options.clock.bootMs();
    using deadline = within(Math.min(leftMs, CHECKPOINT_FIRST_MS), job.signal);
    job.report("checkpoint before the stop");
    await this.checkpoint(deadline.signal);
  }

  /** The pid file names the postmaster, unless the directory was removed under it. */
  async #stop(how: "fast" | "immediate", escalation: StopEscalation): Promise<void> {
    const { dataDir, clock } = this.#options;
    const serverProgram = programPath(this.#options, "postgres");
    const found = await readPostmaster(dataDir);
    const postmaster = found?.process.identity ?? this.#probe.postmaster;
    await stopServer({ dataDir, serverProgram, postmaster, clock }, how, escalation);
  }

  /** A session of its own: a long statement must not keep the probe from looking. */
  async #sql(
    work: (session: Session, signal: AbortSignal) => Promise<SqlResult>,
    limitMs: number,
    signal: AbortSignal,
  ): Promise<SqlResult> {
    using deadline = within(limitMs, signal);
    let answer: SqlResult = { kind: "done" };
    const ran = await asResult(async () => {
      const postmaster = await readPostmaster(this.#options.dataDir);
      const login = this.#options.authentication.superuser;
      const target = localTarget(this.#options, postmaster?.file ?? null, login);
      answer = await withSession(target, (one) => work(one, deadline.signal), deadline.signal);
    });
    return ran.kind === "done" ? answer : ran;
  }
}

/** Jobs end with a value: faults of files, programs and the server are reasons, not exceptions. */
async function asJob(work: () => Promise<JobResult>): Promise<JobResult> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TypeError || !(error instanceof Error)) throw error;
    return failed(error.message);
  }
}

async function asSqlResult(work: () => Promise<void>): Promise<SqlResult> {
  try {
    await work();
    return { kind: "done" };
  } catch (error) {
    if (error instanceof TypeError || !(error instanceof Error)) throw error;
    return { kind: "refused", why: error.message };
  }
}

function failed(why: string): JobResult {
  return { kind: "failed", why };
}
