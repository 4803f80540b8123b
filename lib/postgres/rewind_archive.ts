import { run } from "../host/spawn.ts";
import type { PostgresOptions } from "./options.ts";
import type { JobContext } from "./port.ts";
import { readOffline } from "./rewind_source.ts";

const ARCHIVE_MS = 600_000;
const READY = ".ready";

/**
 * Archives what the server had not archived when it stopped: pg_rewind removes it, and it may be the only copy of a
 * segment that is needed to restore an older backup (case E13). Null when nothing is left to archive; else why.
 */
export async function archiveWaiting(
  options: PostgresOptions,
  job: JobContext,
): Promise<string | null> {
  const waiting = await waitingSegments(options.dataDir);
  if (waiting.length === 0) return null;
  const mode = await readOffline(options, "archive_mode", job.signal);
  if (mode !== "on" && mode !== "always") return null;
  const command = await readOffline(options, "archive_command", job.signal);
  if (command.trim() === "") return `${waiting.length} WAL files wait to be archived`;
  for (const name of waiting) {
    if (job.signal.aborted) return "it was asked to end";
    job.report(`archiving ${name}`);
    const fault = await archive(options.dataDir, command, name, job.signal);
    if (fault !== null) return `${name} cannot be archived: ${fault}`;
  }
  return null;
}

async function waitingSegments(dataDir: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(`${dataDir}/pg_wal/archive_status`)) {
    if (name.endsWith(READY)) names.push(name.slice(0, -READY.length));
  }
  return names.sort();
}

/** By a shell, as the archiver runs it (case E14). */
async function archive(
  dataDir: string,
  command: string,
  name: string,
  signal: AbortSignal,
): Promise<string | null> {
  const args = ["-c", fillIn(command, name)];
  const order = { program: "/bin/sh", args, cwd: dataDir, timeoutMs: ARCHIVE_MS };
  const { exitCode, stderrTail } = await run(order, signal);
  if (exitCode !== 0) return stderrTail || `exit code ${exitCode}`;
  const status = `${dataDir}/pg_wal/archive_status/${name}`;
  await Deno.rename(`${status}${READY}`, `${status}.done`);
  return null;
}

/** `%p` is the path, `%f` the name, `%%` a percent sign (PostgreSQL docs, archive_command). */
export function fillIn(command: string, name: string): string {
  return command.replace(/%([pf%])/g, (_, what) => {
    if (what === "%") return "%";
    return what === "p" ? `pg_wal/${name}` : name;
  });
}
