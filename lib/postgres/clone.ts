import type { OldData, Source } from "../core/action.ts";
import type { CommandResult } from "../host/port.ts";
import { majorVersionOf, outerPlaces, runBasebackup, sourceConninfo } from "./basebackup.ts";
import { inspectSource, isKept, KEPT_SUFFIX, lackOfSpace, replacedBy } from "./clone_checks.ts";
import type { DirState } from "./data_dir.ts";
import {
  inspectDataDir,
  isMountPoint,
  moveAside,
  putMark,
  removeIfThere,
  removeMark,
  setStandbySignal,
  wipe,
} from "./data_dir.ts";
import { runFilling, saidOrCode } from "./filling.ts";
import { occupantOf, whyNotOurs } from "./outer_places.ts";
import type { CopyMethod, PostgresOptions } from "./options.ts";
import { serverLogPath } from "./pg_ctl.ts";
import type { JobContext, JobResult } from "./port.ts";
import { readPostmaster } from "./postmaster.ts";
import { clearForFilling, clearLeftovers } from "./server_stop.ts";
import { meanwhile, renouncesSync, syncDataDir } from "./sync_data.ts";
import { writeUpstreamPassfile } from "./standby_settings.ts";

const TRIES = 2;
const PAUSE_MS = 5000;

/** Whom to copy, what to do with a directory that has data, and how to start what was copied, under its marker. */
export interface CloneOrder {
  readonly source: Source;
  readonly old: OldData;
  readonly start: () => Promise<JobResult>;
}

/**
 * Copies `source` into the data directory by the first of `create_replica_methods` that succeeds, and starts it. Source,
 * login and space are checked before an old directory is given up as `old` says. Until the copy is complete and on disk a
 * marker lies beside the directory; a failed or cancelled one is wiped, unless a method with `keep_data` wants to go on
 * with it.
 */
export async function cloneFrom(
  options: PostgresOptions,
  order: CloneOrder,
  job: JobContext,
): Promise<JobResult> {
  const { dataDir } = options;
  const dir = await inspectDataDir(dataDir);
  const obstacle = await findObstacle(options, dir, order.old);
  if (obstacle !== null) return failed(`Cannot clone: ${obstacle}`);

  const [source, majorVersion] = await Promise.all([
    inspectSource(options, order.source, job.signal),
    majorVersionOf(options, job.signal),
  ]);
  if (source.kind === "unusable") return failed(`Cannot clone: ${source.why}`);
  const occupant = await findOccupant(options, source.tablespaces);
  if (occupant !== null) return failed(`Cannot clone: ${occupant}`);
  const size = source.sizeBytes;
  const replaced = await replacedBy(dataDir, dir, order.old);
  const lack = size === null ? null : await lackOfSpace(dataDir, { size, replaced }, job.signal);
  if (lack !== null) return failed(`Cannot clone: ${lack}`);
  if (size === null) job.report("the source's size is unknown, free space was not checked");
  if (job.signal.aborted) return { kind: "cancelled" };

  await clearDirectory(options, { dir, old: order.old }, job);
  await writeUpstreamPassfile(options, order.source);
  const copy = { source: order.source, slot: source.slot, majorVersion };
  const result = await copyByMethods(options, copy, job);
  if (result.kind === "done") return await startCopied(options, order, job);
  if (methodsOf(options).some(keepsData)) return result;
  await wipe(dataDir);
  await removeMark(dataDir);
  return result;
}

/** Starts the copy while it is forced to disk; the marker goes when it is there, and one that cannot get there is wiped. */
async function startCopied(
  options: PostgresOptions,
  { start }: CloneOrder,
  job: JobContext,
): Promise<JobResult> {
  const { dataDir } = options;
  await setStandbySignal(dataDir, true);
  job.report("the copy starts, and is forced to disk");
  const { result, fault } = await meanwhile(settle(options, job.signal), start);
  if (fault === null) return result;
  await clearLeftovers(options);
  if (!methodsOf(options).some(keepsData)) {
    await wipe(dataDir);
    await removeMark(dataDir);
  }
  return job.signal.aborted ? { kind: "cancelled" } : failed(fault);
}

/** Forces the copy to disk, unless the operator renounces that, and removes the marker then. */
async function settle(options: PostgresOptions, signal: AbortSignal): Promise<string | null> {
  const fault = renouncesSync(options.basebackup) ? null : await syncDataDir(options, signal);
  if (fault === null) await removeMark(options.dataDir);
  return fault;
}

async function findObstacle(
  options: PostgresOptions,
  dir: DirState,
  old: OldData,
): Promise<string | null> {
  if (dir.kind === "empty") return null;
  if (dir.kind === "half-made") {
    return dir.mark === "move-aside" ? await whyNotOurs(options.dataDir, null) : null;
  }
  if (old === "refuse") return "the data directory is not empty";
  if (old === "move-aside" && await isMountPoint(options.dataDir)) {
    return "a mount point cannot be renamed to keep it aside";
  }
  if (await readPostmaster(options.dataDir) !== null) return "the server still runs";
  return await whyNotOurs(options.dataDir, dir.kind === "complete" ? dir.majorVersion : null);
}

/** Where pg_basebackup would write outside of the data directory, and refuse when what is here is gone already. */
async function findOccupant(
  options: PostgresOptions,
  tablespaces: readonly string[],
): Promise<string | null> {
  if (!methodsOf(options).some(({ kind }) => kind === "basebackup")) return null;
  for (const place of outerPlaces(options.basebackup, tablespaces)) {
    const occupant = await occupantOf(place, options.dataDir);
    if (occupant !== null) {
      return `"${place}" is not free: ${occupant}; see tablespace-mapping and waldir of pg_basebackup`;
    }
  }
  return null;
}

async function clearDirectory(
  options: PostgresOptions,
  { dir, old }: { readonly dir: DirState; readonly old: OldData },
  { report }: JobContext,
): Promise<void> {
  const { dataDir } = options;
  await clearForFilling(options);
  if (isKept(dir, old)) {
    await putMark(dataDir, "move-aside");
    report(`the old data are kept as ${await moveAside(dataDir, KEPT_SUFFIX)}`);
  }
  await putMark(dataDir, "clone");
  const [first] = methodsOf(options);
  if (first === undefined || !keepsData(first)) await wipe(dataDir);
}

/** What is copied from where, by which slot. */
interface CopyOrder {
  readonly source: Source;
  readonly slot: string | null;
  /** Of the local programs. */
  readonly majorVersion: number;
}

function methodsOf({ replicaMethods }: PostgresOptions): readonly CopyMethod[] {
  return replicaMethods ?? [{ kind: "basebackup" }];
}

function keepsData(method: CopyMethod): boolean {
  return method.kind === "custom" && method.keepData;
}

async function copyByMethods(
  options: PostgresOptions,
  order: CopyOrder,
  job: JobContext,
): Promise<JobResult> {
  const faults: string[] = [];
  for (const [index, method] of methodsOf(options).entries()) {
    if (index > 0 && !keepsData(method)) await wipe(options.dataDir);
    const result = method.kind === "basebackup"
      ? await copyByBasebackup(options, order, job)
      : await copyByProgram(options, order, method, job);
    if (result.kind !== "failed") return result;
    faults.push(result.why);
    job.report(result.why);
  }
  return failed(`Cannot clone: ${faults.join("; ")}`);
}

async function copyByProgram(
  options: PostgresOptions,
  { source, majorVersion }: CopyOrder,
  method: CopyMethod & { readonly kind: "custom" },
  job: JobContext,
): Promise<JobResult> {
  const { scope, dataDir } = options;
  job.report(`${method.name} is running`);
  const parameters = {
    scope,
    role: "replica",
    datadir: dataDir,
    connstring: sourceConninfo(options, source, majorVersion),
  };
  const end = await runFilling(options, method, parameters, job.signal);
  if (end.cancelled || job.signal.aborted) return { kind: "cancelled" };
  if (end.exitCode !== 0) return failed(`${method.name}: ${saidOrCode(end)}`);
  const dir = await inspectDataDir(dataDir, true);
  if (dir.kind !== "complete") return failed(`${method.name} left a directory that is ${dir.kind}`);
  await Deno.chmod(dataDir, 0o700);
  return { kind: "done" };
}

async function copyByBasebackup(
  options: PostgresOptions,
  order: CopyOrder,
  job: JobContext,
): Promise<JobResult> {
  for (let attempt = 1;; attempt++) {
    const end = await runBasebackup(options, { ...order, report: job.report }, job.signal);
    if (end.cancelled || job.signal.aborted) return { kind: "cancelled" };
    if (end.exitCode === 0) {
      await makePrivate(options.dataDir);
      await removeIfThere(serverLogPath(options.dataDir));
      return { kind: "done" };
    }
    if (attempt === TRIES) return failed(complaint(end));
    await wipe(options.dataDir);
    await options.clock.sleep(PAUSE_MS, job.signal);
  }
}

/** The lines that are not progress. */
function complaint(end: CommandResult): string {
  const lines = end.stderrTail.split("\n").filter((line) => !/^\s*\d+\/\d+ kB/.test(line));
  return lines.length === 0 ? `exit code ${end.exitCode}` : lines.slice(-3).join("; ");
}

function failed(why: string): JobResult {
  return { kind: "failed", why };
}

/** A directory that was there before keeps its rights, and the server takes none but 0700 and 0750 (PostgreSQL 11). */
async function makePrivate(dataDir: string): Promise<void> {
  const { mode } = await Deno.stat(dataDir);
  if (((mode ?? 0) & 0o027) !== 0) await Deno.chmod(dataDir, 0o700);
}
