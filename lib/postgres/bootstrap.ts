import { within } from "../base/deadline.ts";
import { parsePostmasterPid } from "../host/processes.ts";
import type { Settings } from "../core/settings.ts";
import { inspectDataDir, moveAside, putMark, readIfThere, removeMark, wipe } from "./data_dir.ts";
import { runInitdb } from "./initdb.ts";
import type { PostgresOptions } from "./options.ts";
import type { JobContext, JobResult } from "./port.ts";
import { localTarget } from "./postmaster.ts";
import { createRoles } from "./roles.ts";
import type { StartTools } from "./server_start.ts";
import { startServer } from "./server_start.ts";
import { clearLeftovers } from "./server_stop.ts";
import { withSession } from "./session.ts";

const ROLES_MS = 60_000;

/**
 * Founds a cluster in an empty (or half-made) directory: initdb, files, start as primary, roles. The marker beside the
 * directory stays until all is done. A failure stops the server and keeps the directory as `.failed`; a cancel wipes it.
 */
export async function bootstrapServer(
  tools: StartTools,
  settings: Settings,
  job: JobContext,
): Promise<JobResult> {
  const { options } = tools;
  const { dataDir, bootstrap } = options;
  if (bootstrap === null) return failed("Cannot found a cluster: there is no bootstrap section");
  const dir = await inspectDataDir(dataDir);
  const isUsable = dir.kind === "empty" || (dir.kind === "half-made" && dir.mark !== "move-aside");
  if (!isUsable) return failed(`Cannot found a cluster: the data directory is ${dir.kind}`);

  await clearLeftovers(options);
  await putMark(dataDir, "bootstrap");
  await wipe(dataDir);
  const result = await fill(tools, settings, job);
  if (result.kind === "done") return result;
  await clearLeftovers(options);
  if (result.kind === "failed") await moveAside(dataDir, ".failed");
  else await wipe(dataDir);
  await removeMark(dataDir);
  return result;
}

async function fill(tools: StartTools, settings: Settings, job: JobContext): Promise<JobResult> {
  const { options } = tools;
  job.report("initdb");
  const made = await runInitdb(options, options.bootstrap?.initdb ?? [], job.signal);
  if (made.cancelled) return { kind: "cancelled" };
  if (made.exitCode !== 0) return failed(`Cannot run initdb: ${lastLines(made.stderrTail)}`);
  await appendHba(options);

  job.report("first start");
  const order = {
    settings,
    recovery: null,
    notAfterMs: null,
    waitMs: options.pgCtlTimeoutS * 1000,
  };
  const started = await startServer({ ...tools, ignoreMark: true }, order, job);
  if (started.kind !== "done") return started;
  if (job.signal.aborted) return { kind: "cancelled" };

  job.report("roles");
  await makeRoles(options, job.signal);
  await removeMark(options.dataDir);
  return { kind: "done" };
}

async function appendHba(options: PostgresOptions): Promise<void> {
  const lines = options.bootstrap?.pgHba ?? [];
  if (lines.length === 0) return;
  const text = `\n${lines.join("\n")}\n`;
  await Deno.writeTextFile(`${options.dataDir}/pg_hba.conf`, text, { append: true });
}

async function makeRoles(options: PostgresOptions, signal: AbortSignal): Promise<void> {
  const { dataDir, authentication } = options;
  const text = await readIfThere(`${dataDir}/postmaster.pid`);
  const file = text === null ? null : parsePostmasterPid(text);
  const target = localTarget(options, file, authentication.superuser);
  const maintenance = { ...target, database: "postgres" };
  using deadline = within(ROLES_MS, signal);
  await withSession(
    maintenance,
    (session) => createRoles(session, authentication, deadline.signal),
    deadline.signal,
  );
}

function lastLines(text: string): string {
  return text.split("\n").slice(-3).join("; ");
}

function failed(why: string): JobResult {
  return { kind: "failed", why };
}
