import type { Settings } from "../core/settings.ts";
import type { ProcessIdentity } from "../host/port.ts";
import { findProcess, isAlive, parsePostmasterPid } from "../host/processes.ts";
import { confPaths } from "./conf_paths.ts";
import { ConfWriter } from "./conf_writer.ts";
import type { FoundingConf } from "./conf_writer.ts";
import type { FullControlData } from "./controldata.ts";
import { inspectDataDir, readIfThere, setStandbySignal } from "./data_dir.ts";
import { LocalRole } from "./local_role.ts";
import type { PostgresOptions } from "./options.ts";
import { commandLineWords, controlledSettings, raisedForStandby } from "./parameters.ts";
import { logTail, prepareLog, readControlData, spawnPostmaster } from "./pg_ctl.ts";
import type { JobContext, JobResult } from "./port.ts";
import { readPostmaster } from "./postmaster.ts";
import { clearLeftovers, stopAtOnce } from "./server_stop.ts";

/** How to start: as what, with which recovery settings, until when, and how long to wait for it. */
export interface StartOrder {
  readonly settings: Settings;
  /** null: as a primary. */
  readonly recovery: Readonly<Record<string, string>> | null;
  /** Boot clock; no start after it. null: no limit. */
  readonly notAfterMs: number | null;
  readonly waitMs: number;
  /** The first start on a restored backup: it recovers, and the wait is for the end of the recovery. */
  readonly founding?: FoundingConf | undefined;
}

/** What a start needs of the manager. */
export interface StartTools {
  readonly options: PostgresOptions;
  readonly conf: ConfWriter;
  /** Told which process was made, right after it was. */
  readonly onStart: (identity: ProcessIdentity, role: "primary" | "replica") => void;
  /** Set by the job that makes the directory: its own marker does not forbid the first start. */
  readonly ignoreMark: boolean;
}

/** The tools of a server with these options; `onStart` as in them. */
export function startTools(
  options: PostgresOptions,
  onStart: StartTools["onStart"],
): StartTools {
  return { options, conf: new ConfWriter(options), onStart, ignoreMark: false };
}

/**
 * Clears what is left of a dead server, writes the files, starts the postmaster and waits for it. A standby that still
 * replays at the end of the wait counts as started; a primary that does not accept writes by then as failed. It may be
 * cancelled all the time: a server on its way up is stopped again, since the right to start it may be what ended.
 */
export async function startServer(
  tools: StartTools,
  order: StartOrder,
  job: JobContext,
): Promise<JobResult> {
  const { options } = tools;
  const { dataDir, clock } = options;
  const dir = await inspectDataDir(dataDir, tools.ignoreMark);
  if (dir.kind !== "complete") return failed(`Cannot start the server: data is ${dir.kind}`);
  if (await readPostmaster(dataDir) !== null) return failed("Cannot start the server: it runs");
  if (isPast(order.notAfterMs, clock.bootMs())) return tooLate();

  await clearLeftovers(options);
  await putSignalFiles(dataDir, order);
  const { settings, recovery, founding } = order;
  const { majorVersion } = dir;
  await tools.conf.write({ settings, majorVersion, recovery, founding }, job.signal);
  const control = await readControlData(options, job.signal);
  if ("fault" in control) return failed(control.fault);
  const words = serverWords(options, order, control);
  const stalePid = await readStalePid(dataDir);
  const logFrom = await prepareLog(dataDir);

  if (job.signal.aborted) return { kind: "cancelled" };
  if (isPast(order.notAfterMs, clock.bootMs())) return tooLate();
  const spawned = await spawnPostmaster(options, words, stalePid);
  if (spawned.kind === "failed") return failed(spawned.why);
  tools.onStart(spawned.identity, isForStandby(order) ? "replica" : "primary");
  const result = await waitForServer(options, spawned.identity, order, job.signal);
  if (result === "aborted") {
    await stopAtOnce(options, spawned.identity);
    return { kind: "cancelled" };
  }
  if (result !== "ended") return result;
  const reason = await logTail(dataDir, logFrom);
  return failed(`Cannot start the server: ${reason}`);
}

/** A restored backup recovers up to its target and then accepts writes; a program may have left its own signal files. */
async function putSignalFiles(dataDir: string, order: StartOrder): Promise<void> {
  if (order.founding?.keepRecovery === true) return;
  await setStandbySignal(dataDir, isForStandby(order));
  if (order.founding === undefined || order.recovery === null) return;
  await Deno.writeTextFile(`${dataDir}/recovery.signal`, "");
}

/** The command line: what recovers needs at least the shared memory that its data was written with. */
function serverWords(
  options: PostgresOptions,
  { settings, recovery, founding }: StartOrder,
  control: FullControlData,
): readonly string[] {
  const controlled = controlledSettings(options, settings);
  const isRecovering = recovery !== null || founding !== undefined;
  const wanted = isRecovering ? raisedForStandby(controlled, control.settings) : controlled;
  return [...confPaths(options).words, ...commandLineWords(wanted)];
}

function isForStandby({ recovery, founding }: StartOrder): boolean {
  return recovery !== null && founding === undefined;
}

/**
 * A leftover pid file whose number a zombie or another program has now would keep the server from starting; it
 * ignores the one that PG_GRANDPARENT_PID names (PostgreSQL source, miscinit.c). The file itself is the server's.
 */
async function readStalePid(dataDir: string): Promise<number | null> {
  const text = await readIfThere(`${dataDir}/postmaster.pid`);
  return (text === null ? null : parsePostmasterPid(text))?.pid ?? null;
}

async function waitForServer(
  options: PostgresOptions,
  identity: ProcessIdentity,
  order: StartOrder,
  signal: AbortSignal,
): Promise<JobResult | "ended" | "aborted"> {
  const { clock } = options;
  const untilMs = clock.bootMs() + order.waitMs;
  const isStandby = isForStandby(order);
  await using server = new LocalRole(options);
  while (findProcess(identity.pid) !== null && isAlive(identity)) {
    if (signal.aborted) return "aborted";
    const answer = await server.ask(signal);
    if (answer === "primary" || (answer === "replica" && isStandby)) return { kind: "done" };
    if (typeof answer === "object") return failed(answer.refused);
    if (clock.bootMs() >= untilMs) return isStandby ? { kind: "done" } : failed(slow(order));
    await server.pause(signal);
  }
  return "ended";
}

function slow(order: StartOrder): string {
  return `Cannot get the server out of recovery: not done after ${order.waitMs} ms`;
}

function tooLate(): JobResult {
  return failed("Cannot start as primary: the right to do so has ended");
}

function isPast(limitMs: number | null, nowMs: number): boolean {
  return limitMs !== null && nowMs > limitMs;
}

function failed(why: string): JobResult {
  return { kind: "failed", why };
}
