import type { Source } from "../core/action.ts";
import type { CommandResult } from "../host/port.ts";
import { run } from "../host/spawn.ts";
import { parseProgress } from "./basebackup.ts";
import { endedCleanly } from "./controldata.ts";
import {
  inspectDataDir,
  putMark,
  removeIfThere,
  removeMark,
  setStandbySignal,
} from "./data_dir.ts";
import type { PostgresOptions } from "./options.ts";
import { programPath } from "./options.ts";
import { readControlData, serverLogPath } from "./pg_ctl.ts";
import type { JobContext, JobResult } from "./port.ts";
import { readPostmaster } from "./postmaster.ts";
import { archiveWaiting } from "./rewind_archive.ts";
import { keepWhatIsLost } from "./rewind_loss.ts";
import { prepareRewind } from "./rewind_source.ts";
import { clearLeftovers } from "./server_stop.ts";

/** Days, as for a copy; a source that vanishes ends it within half a minute. */
const REWIND_MS = 7 * 24 * 3600 * 1000;

/**
 * Rewinds the stopped directory to `source` by pg_rewind and leaves it ready to start as a standby (spec 4.8). All that
 * can go wrong before the first change is tried first, up to a dry run: then the directory stays as it was. From the
 * first change to the end a marker lies beside it, so that what was cut short is never started.
 */
export async function rewindTo(
  options: PostgresOptions,
  source: Source,
  job: JobContext,
): Promise<JobResult> {
  const { dataDir } = options;
  const dir = await inspectDataDir(dataDir);
  if (dir.kind !== "complete") return failed(`the data directory is ${dir.kind}`);
  if (await readPostmaster(dataDir) !== null) return failed("the server still runs");
  await clearLeftovers(options);
  const control = await readControlData(options, job.signal);
  if ("fault" in control) return failed(control.fault);
  if (!endedCleanly(control)) return failed(`the server is ${control.state}`);
  const order = await prepareRewind(options, { source, ...control, ...dir }, job.signal);
  if ("fault" in order) return failed(order.fault);
  const unarchived = await archiveWaiting(options, job);
  if (unarchived !== null) return failed(unarchived);

  job.report(`comparing with ${source.name}`);
  const fork = await findFork(options, order.words, job.signal);
  if (job.signal.aborted) return { kind: "cancelled" };
  if ("fault" in fork) return failed(fork.fault);
  const note = await keepWhatIsLost(options, fork, control, job.signal);
  return await rewindForCertain(options, order.words, note, job);
}

async function rewindForCertain(
  options: PostgresOptions,
  words: readonly string[],
  note: string,
  job: JobContext,
): Promise<JobResult> {
  const { dataDir } = options;
  if (!job.passPointOfNoReturn()) return { kind: "cancelled" };
  await putMark(dataDir, "rewind");
  job.report("rewinding");
  const end = await runRewind(options, words, job.signal, (line) => {
    const progress = parseProgress(line);
    if (progress !== null) job.report(progress.text, progress.bytes);
  });
  if (end.exitCode !== 0) return failed(complaint(end));
  await removeIfThere(serverLogPath(dataDir)); // the source's
  await setStandbySignal(dataDir, true);
  const dir = await inspectDataDir(dataDir, true);
  if (dir.kind !== "complete") return failed(`it left a directory that is ${dir.kind}`);
  await removeMark(dataDir);
  return { kind: "done", note };
}

/**
 * A dry run up to the point where all is known and only the copying is left: that would fetch everything once more, for
 * nothing.
 */
async function findFork(
  options: PostgresOptions,
  words: readonly string[],
  signal: AbortSignal,
): Promise<ForkPoint | { readonly fault: string }> {
  const said: string[] = [];
  const known = new AbortController();
  const args = [...words, "--dry-run"];
  const end = await runRewind(options, args, AbortSignal.any([signal, known.signal]), (line) => {
    if (parseProgress(line) === null) said.push(line);
    if (/\bneed to copy \d+ MB/.test(line)) known.abort();
  });
  const fork = parseFork(said.join("\n"));
  const isTried = known.signal.aborted || end.exitCode === 0;
  if (!isTried) return { fault: complaint(end) };
  return fork ?? { fault: "pg_rewind sees nothing to rewind" };
}

function runRewind(
  options: PostgresOptions,
  args: readonly string[],
  signal: AbortSignal,
  onStderrLine: (line: string) => void,
): Promise<CommandResult> {
  return run({
    program: programPath(options, "pg_rewind"),
    args,
    env: { PGPASSFILE: options.pgpass, PGOPTIONS: "-c statement_timeout=0" },
    timeoutMs: REWIND_MS,
    onStderrLine,
  }, signal);
}

/** Where local WAL left that of the source. */
export interface ForkPoint {
  /** `0/5000060`. */
  readonly lsn: string;
  readonly timeline: number;
}

/** Reads pg_rewind's words of it (C locale); null where it sees no fork. */
export function parseFork(output: string): ForkPoint | null {
  const [, lsn, timeline] =
    /servers diverged at WAL location ([0-9A-F]+\/[0-9A-F]+) on timeline (\d+)/
      .exec(output) ?? [];
  const isNeeded = !/no rewind required/.test(output);
  return lsn === undefined || !isNeeded ? null : { lsn, timeline: Number(timeline) };
}

function complaint(end: CommandResult): string {
  const lines = end.stderrTail.split("\n").filter((line) =>
    /(error|fatal|detail|hint):/.test(line)
  );
  return lines.length === 0 ? end.stderrTail || `exit code ${end.exitCode}` : lines.join("; ");
}

function failed(why: string): JobResult {
  return { kind: "failed", why: `Cannot rewind: ${why}` };
}
