import type { Settings } from "../core/settings.ts";
import { confPaths } from "./conf_paths.ts";
import { exists, inspectDataDir, moveAside, putMark, removeMark, wipe } from "./data_dir.ts";
import { foundFromElsewhere, runPostBootstrap } from "./founding.ts";
import { runInitdb } from "./initdb.ts";
import { runLocally } from "./local_sql.ts";
import type { PostgresOptions } from "./options.ts";
import type { JobContext, JobResult, SqlResult } from "./port.ts";
import { createRoles } from "./roles.ts";
import type { StartTools } from "./server_start.ts";
import { startServer } from "./server_start.ts";
import { clearForFilling, clearLeftovers } from "./server_stop.ts";
import { meanwhile, renouncesSync, syncDataDir } from "./sync_data.ts";

const ROLES_MS = 60_000;

/**
 * Founds a cluster in an empty (or half-made) directory: initdb or the program of `bootstrap.method`, files, start as
 * primary, `post_bootstrap`, roles. The marker beside the directory stays until all is done. A failure stops the server
 * and keeps the directory as `.failed`; a cancel wipes it.
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
  const isUsable = dir.kind === "empty" ||
    (dir.kind === "half-made" && (dir.mark === "bootstrap" || dir.mark === "clone"));
  if (!isUsable) return failed(`Cannot found a cluster: the data directory is ${dir.kind}`);

  await clearForFilling(options);
  await putMark(dataDir, "bootstrap");
  await wipe(dataDir);
  const result = await fill({ ...tools, ignoreMark: true }, settings, job);
  if (result.kind === "done") return result;
  await clearLeftovers(options);
  if (result.kind === "failed") await moveAside(dataDir, ".failed");
  else await wipe(dataDir);
  await removeMark(dataDir);
  return result;
}

async function fill(tools: StartTools, settings: Settings, job: JobContext): Promise<JobResult> {
  const { options } = tools;
  const custom = options.bootstrap?.custom ?? null;
  const finish = (): Promise<JobResult> => finishFounding(options, job);
  const result = custom === null
    ? await foundByInitdb(tools, settings, job, finish)
    : await foundFromElsewhere(tools, { settings, program: custom, finish }, job);
  if (result.kind === "done") await removeMark(options.dataDir);
  return result;
}

async function foundByInitdb(
  tools: StartTools,
  settings: Settings,
  job: JobContext,
  finish: () => Promise<JobResult>,
): Promise<JobResult> {
  const { options } = tools;
  job.report("initdb");
  const made = await runInitdb(options, options.bootstrap?.initdb ?? [], job.signal);
  if (made.cancelled) return { kind: "cancelled" };
  if (made.exitCode !== 0) return failed(`Cannot run initdb: ${lastLines(made.stderrTail)}`);
  await appendHba(options);

  job.report("first start");
  const waitMs = options.pgCtlTimeoutS * 1000;
  const order = { settings, recovery: null, notAfterMs: null, waitMs };
  const { result, fault } = await meanwhile(syncOf(options, job.signal), async () => {
    const started = await startServer(tools, order, job);
    return started.kind === "done" ? await finish() : started;
  });
  if (result.kind !== "done" || fault === null) return result;
  return job.signal.aborted ? { kind: "cancelled" } : failed(fault);
}

/** While the marker is there nothing counts on the data, so it reaches the disk beside the first start. */
function syncOf(options: PostgresOptions, signal: AbortSignal): Promise<string | null> {
  const isRenounced = renouncesSync(options.bootstrap?.initdb ?? []);
  return isRenounced ? Promise.resolve(null) : syncDataDir(options, signal);
}

/** On the running server: the operator's program, then the agent's roles, so that their passwords are those of the file. */
async function finishFounding(options: PostgresOptions, job: JobContext): Promise<JobResult> {
  if (job.signal.aborted) return { kind: "cancelled" };
  const posted = await runPostBootstrap(options, job);
  if (posted.kind !== "done") return posted;
  job.report("roles");
  const made = await makeRoles(options, job.signal);
  return made.kind === "done" ? made : failed(`Cannot make the roles: ${made.why}`);
}

async function appendHba(options: PostgresOptions): Promise<void> {
  const lines = options.bootstrap?.pgHba ?? [];
  if (lines.length === 0) return;
  const text = `\n${lines.join("\n")}\n`;
  const { hba } = confPaths(options);
  const path = await exists(hba) ? hba : `${options.dataDir}/pg_hba.conf`;
  await Deno.writeTextFile(path, text, { append: true });
}

async function makeRoles(options: PostgresOptions, signal: AbortSignal): Promise<SqlResult> {
  const { authentication } = options;
  return await runLocally(
    { ...options, database: "postgres" },
    async (session, deadline) => {
      await createRoles(session, authentication, deadline);
      return { kind: "done" };
    },
    ROLES_MS,
    signal,
  );
}

function lastLines(text: string): string {
  return text.split("\n").slice(-3).join("; ");
}

function failed(why: string): JobResult {
  return { kind: "failed", why };
}
