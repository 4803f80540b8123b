import type { Source } from "../core/action.ts";
import type { Settings } from "../core/settings.ts";
import type { ConfWriter } from "./conf_writer.ts";
import { inspectDataDir, startsAsStandby } from "./data_dir.ts";
import type { PostgresOptions } from "./options.ts";
import { orderReload } from "./pg_ctl.ts";
import { readPostmaster } from "./postmaster.ts";
import { standbySettings, writeUpstreamPassfile } from "./standby_settings.ts";

/** What a change of the running server's files needs. */
export interface FileTools {
  readonly options: PostgresOptions;
  readonly conf: ConfWriter;
  /** Set by the job that makes the directory. */
  readonly ignoreMark?: boolean;
}

/**
 * Points a running standby at `upstream` and reloads. "restart": this version reads these settings at start only.
 * Throws an `Error` when there is no running server, and the file system's errors.
 */
export async function pointAt(
  tools: FileTools,
  upstream: Source | null,
  settings: Settings,
  signal: AbortSignal,
): Promise<"done" | "restart"> {
  const { options } = tools;
  const postmaster = await readPostmaster(options.dataDir);
  if (postmaster === null) throw new Error("Cannot follow: the server is down");
  const majorVersion = await readMajorVersion(options.dataDir);
  const isChanged = await writeStandbyFiles(tools, upstream, settings, signal);
  if (isChanged && majorVersion < 13) return "restart";
  if (isChanged) orderReload(postmaster.process.identity);
  return "done";
}

/** Writes the files of a standby of `upstream`; true when anything changed. Errors as `prepareRecovery`. */
export async function writeStandbyFiles(
  tools: FileTools,
  upstream: Source | null,
  settings: Settings,
  signal: AbortSignal,
): Promise<boolean> {
  const { options, conf } = tools;
  const majorVersion = await readMajorVersion(options.dataDir);
  const recovery = await prepareRecovery(tools, upstream, settings);
  return await conf.write({ settings, majorVersion, recovery }, signal);
}

/**
 * Writes the files for these settings and reloads a running server if they changed or it must. A standby stays with its
 * source, whose passfile and login are written anew (case I8).
 */
export async function applyToFiles(
  tools: FileTools,
  { settings, mustReload }: { readonly settings: Settings; readonly mustReload: boolean },
  signal: AbortSignal,
): Promise<void> {
  const { options, conf } = tools;
  const { dataDir } = options;
  const majorVersion = await readMajorVersion(dataDir);
  const recovery = await startsAsStandby(dataDir)
    ? await prepareRecovery(tools, await conf.source(), settings)
    : null;
  const isChanged = await conf.write({ settings, majorVersion, recovery }, signal);
  const postmaster = isChanged || mustReload ? await readPostmaster(dataDir) : null;
  if (postmaster !== null) orderReload(postmaster.process.identity);
}

/** The recovery settings for `upstream`, its passfile written. Throws when the data directory cannot be used. */
export async function prepareRecovery(
  { options, ignoreMark }: Pick<FileTools, "options" | "ignoreMark">,
  upstream: Source | null,
  settings: Settings,
): Promise<Readonly<Record<string, string>>> {
  const majorVersion = await readMajorVersion(options.dataDir, ignoreMark);
  if (upstream !== null) await writeUpstreamPassfile(options, upstream);
  return standbySettings(options, upstream, settings, majorVersion);
}

async function readMajorVersion(dataDir: string, ignoreMark?: boolean): Promise<number> {
  const dir = await inspectDataDir(dataDir, ignoreMark);
  if (dir.kind === "complete") return dir.majorVersion;
  throw new Error(`Cannot read the server's version: the data directory is ${dir.kind}`);
}
