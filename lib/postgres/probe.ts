import { within } from "../base/deadline.ts";
import { PostgresUnreachable, Refused } from "../base/errors.ts";
import type { PostgresView } from "../core/node_view.ts";
import type { ProcessIdentity } from "../host/port.ts";
import { isAlive, startedAtMs } from "../host/processes.ts";
import type { FullControlData } from "./controldata.ts";
import { endedCleanly } from "./controldata.ts";
import { inspectDataDir, startsAsStandby } from "./data_dir.ts";
import type { DirState } from "./data_dir.ts";
import { viewOfHalfMade } from "./half_made.ts";
import { completeView } from "./replica_look.ts";
import { nextDeathLook } from "./death_look.ts";
import type { PostgresOptions } from "./options.ts";
import { readControlData } from "./pg_ctl.ts";
import type { ControlFault } from "./pg_ctl.ts";
import type { RunningPostmaster } from "./postmaster.ts";
import { killOrphansOf, localTarget, readPostmaster, serverProcesses } from "./postmaster.ts";
import { PROBE_SQL, viewOfRow } from "./probe_sql.ts";
import type { Row } from "./session.ts";
import { Session } from "./session.ts";

const LOOK_MS = 10_000;
const CONTROL_MS = 5000;

type Silent = Extract<PostgresView, { kind: "silent" }>;

/** Looks at the local server; keeps one SQL session, the last role, and the postmaster it saw last. */
export class Probe {
  readonly #options: PostgresOptions;
  #session: Session | null = null;
  #lastRole: "primary" | "replica" | null = null;
  #postmaster: ProcessIdentity | null = null;
  #lastSystemId: string | null = null;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: PostgresOptions) {
    this.#options = options;
  }

  /** The postmaster that the last look saw or a start made; it may be gone by now. */
  get postmaster(): ProcessIdentity | null {
    return this.#postmaster;
  }

  /** A start tells which process it made and as what, before any pid file exists. */
  noteStart(identity: ProcessIdentity, role: "primary" | "replica"): void {
    this.#postmaster = identity;
    this.#lastRole = role;
  }

  /** A promotion was ordered: from now on a server that does not answer may be a primary. */
  notePromotion(): void {
    this.#lastRole = "primary";
  }

  /**
   * One look, after the one that is under way; `wanted` are the controlled settings. Never throws for a server's or
   * file system's fault.
   */
  async look(wanted: Readonly<Record<string, string>>, signal: AbortSignal): Promise<PostgresView> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const previous = this.#looking;
    this.#looking = promise;
    if (await outlastsSignal(previous, signal)) {
      void previous.then(resolve);
      return await this.#silent("an earlier look has not ended yet");
    }
    try {
      using deadline = within(LOOK_MS, signal);
      return await this.#look(wanted, deadline.signal);
    } finally {
      resolve();
    }
  }

  async #look(
    wanted: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<PostgresView> {
    const { dataDir } = this.#options;
    const dir = await inspectDataDir(dataDir);
    if (dir.kind === "half-made" || dir.kind === "empty") this.#forgetData();
    if (dir.kind === "half-made") return viewOfHalfMade(dir.mark, this.#options);
    if (dir.kind !== "complete") return await this.#withoutData(dir);

    const postmaster = await readPostmaster(dataDir);
    if (postmaster === null) return await this.#notRunning(signal);
    this.#postmaster = postmaster.process.identity;
    if (postmaster.file.singleUser) return await this.#silent("single-user mode");
    return await this.#ask(postmaster, wanted, signal);
  }

  /** Calls `onDeath` once for each postmaster that was seen or started and is gone; returns when `signal` aborts. */
  async watch(onDeath: () => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const postmaster = this.#postmaster;
      if (postmaster !== null && !isAlive(postmaster)) {
        this.#postmaster = null;
        onDeath();
      }
      await nextDeathLook(this.#options.clock, this.#session, signal);
    }
  }

  /** Ends the session; the next look opens another. */
  async close(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.close();
  }

  async #withoutData(
    dir: Extract<DirState, { readonly kind: "empty" | "unreadable" }>,
  ): Promise<PostgresView> {
    await this.close();
    if (this.#isServing()) {
      const lastRole = this.#lastRole ?? "primary";
      const why = "the server runs, but its data directory is gone";
      return { kind: "silent", systemId: this.#lastSystemId ?? "", lastRole, why };
    }
    return dir.kind === "empty" ? { kind: "no-data" } : dir;
  }

  /**
   * A process that was started anew has seen no postmaster, and no pid file names one any more; the one that still works
   * in the removed directory takes writes, so that it must not pass for "no data".
   */
  #isServing(): boolean {
    if (this.#postmaster !== null && isAlive(this.#postmaster)) return true;
    const found = serverProcesses(this.#options).find((one) => one.isMain);
    if (found === undefined) return false;
    this.#postmaster = found.identity;
    return true;
  }

  /**
   * No postmaster: what is left of one is killed here, since "down" promises that no process holds the directory.
   * A server process that is nobody's child is a postmaster on its way to its pid file.
   */
  async #notRunning(signal: AbortSignal): Promise<PostgresView> {
    await this.close();
    if (killOrphansOf(this.#options) > 0) await this.#options.clock.sleep(50, signal);
    const [holder] = serverProcesses(this.#options);
    if (holder?.isMain) return await this.#starting(holder.identity);
    if (holder !== undefined) {
      return await this.#silent(`process ${holder.identity.pid} outlived its server`);
    }
    const control = await this.#controlData();
    if ("fault" in control) {
      const { fault: why, ...proof } = control;
      return { kind: "unreadable", why, ...proof };
    }
    return { kind: "down", control, crashed: !endedCleanly(control) };
  }

  async #ask(
    postmaster: RunningPostmaster,
    wanted: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<PostgresView> {
    try {
      const row = await this.#query(postmaster, Object.keys(wanted), signal);
      const view = await completeView(
        viewOfRow(row, wanted),
        {
          options: this.#options,
          row,
          file: postmaster.file,
          readControl: () => this.#controlData(),
        },
        signal,
      );
      this.#lastRole = view.kind;
      this.#lastSystemId = view.systemId;
      return view;
    } catch (error) {
      const isKnown = error instanceof PostgresUnreachable || error instanceof Refused;
      if (!isKnown) throw error;
      if (isStarting(error.code, postmaster.file.status)) {
        return await this.#starting(postmaster.process.identity);
      }
      const silent = await this.#silent(error.message);
      return postmaster.file.status === "stopping" ? await this.#onItsWayDown(silent) : silent;
    }
  }

  /** A fast stop may wait for the archiver long after its last checkpoint; the control file tells. */
  async #onItsWayDown(silent: Silent): Promise<PostgresView> {
    const control = await this.#controlData();
    return "fault" in control ? silent : { ...silent, stopping: control };
  }

  /** Repeated once, and only when the session was an older one that turned out to be broken. */
  async #query(
    postmaster: RunningPostmaster,
    controlled: readonly string[],
    signal: AbortSignal,
  ): Promise<Row> {
    const isOld = this.#session?.isOpen === true;
    try {
      return await this.#queryOnce(postmaster, controlled, signal);
    } catch (error) {
      const mayRepeat = isOld && error instanceof PostgresUnreachable && !signal.aborted;
      if (!mayRepeat) throw error;
      return await this.#queryOnce(postmaster, controlled, signal);
    }
  }

  async #queryOnce(
    postmaster: RunningPostmaster,
    controlled: readonly string[],
    signal: AbortSignal,
  ): Promise<Row> {
    if (this.#session?.isOpen !== true) {
      const login = this.#options.authentication.superuser;
      this.#session = await Session.open(
        localTarget(this.#options, postmaster.file, login),
        signal,
      );
    }
    const [row] = await this.#session.query(PROBE_SQL, [controlled], signal);
    return row ?? {};
  }

  async #starting(identity: ProcessIdentity): Promise<PostgresView> {
    this.#postmaster = identity;
    return {
      kind: "starting",
      systemId: await this.#systemId(),
      asReplica: await startsAsStandby(this.#options.dataDir),
      sinceMs: startedAtMs(identity),
    };
  }

  async #silent(why: string): Promise<Silent> {
    const isStandby = await startsAsStandby(this.#options.dataDir);
    const lastRole = this.#lastRole ?? (isStandby ? "replica" : "primary");
    return { kind: "silent", systemId: await this.#systemId(), lastRole, why };
  }

  async #systemId(): Promise<string> {
    if (this.#lastSystemId !== null) return this.#lastSystemId;
    const control = await this.#controlData();
    if ("fault" in control) return "";
    this.#lastSystemId = control.systemId;
    return control.systemId;
  }

  /** With a deadline of its own: a look whose time ran out on a silent server still tells whose data it is. */
  async #controlData(): Promise<FullControlData | ControlFault> {
    using deadline = within(CONTROL_MS);
    return await readControlData(this.#options, deadline.signal);
  }

  #forgetData(): void {
    const isServing = this.#postmaster !== null && isAlive(this.#postmaster);
    if (!isServing) this.#lastSystemId = null;
  }
}

/** True when `signal` aborts before `work` ends. */
async function outlastsSignal(work: Promise<void>, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return true;
  const aborted = Promise.withResolvers<boolean>();
  const abort = (): void => aborted.resolve(true);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work.then(() => false), aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** 57P03 is also the answer while shutting down, and a server opens its port a moment after its pid file. */
function isStarting(code: string | null, status: string): boolean {
  if (status === "stopping") return false;
  if (code === "57P03") return true;
  return (status === "starting" || status === "") && (code === "ECONNREFUSED" || code === "ENOENT");
}
