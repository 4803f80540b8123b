import type { Settings } from "../core/settings.ts";
import type { PostmasterPid } from "../host/processes.ts";
import { run } from "../host/spawn.ts";
import { inspectDataDir } from "./data_dir.ts";
import { runFilling, saidOrCode } from "./filling.ts";
import type { FoundingProgram, PostgresOptions } from "./options.ts";
import { renderPassfile, writePrivateFile } from "./pgpass.ts";
import type { JobContext, JobResult } from "./port.ts";
import { localTarget, readPostmaster } from "./postmaster.ts";
import type { StartTools } from "./server_start.ts";
import { startServer } from "./server_start.ts";
import { stopForCertain } from "./server_stop.ts";

/** A recovery to a point in time, and what an operator loads after it, may take days. */
const LONG_MS = 7 * 24 * 3600 * 1000;

/** How a cluster is founded by a program; `finish` is called on the running primary. */
export interface FoundingOrder {
  readonly settings: Settings;
  readonly program: FoundingProgram;
  readonly finish: () => Promise<JobResult>;
}

/**
 * Founds a cluster from what the program of `bootstrap.method` restores: recovers up to its target, lets the superuser in
 * from this host alone while the passwords are unknown, archives nothing, and starts again with the usual files. The
 * directory stays under its marker all the time.
 */
export async function foundFromElsewhere(
  tools: StartTools,
  { settings, program, finish }: FoundingOrder,
  job: JobContext,
): Promise<JobResult> {
  const { options } = tools;
  const { dataDir, scope } = options;
  job.report(`bootstrap method ${program.name} is running`);
  const filled = await runFilling(options, program, { scope, datadir: dataDir }, job.signal);
  if (filled.cancelled || job.signal.aborted) return { kind: "cancelled" };
  if (filled.exitCode !== 0) {
    return failed(`Cannot found a cluster by ${program.name}: ${saidOrCode(filled)}`);
  }
  const dir = await inspectDataDir(dataDir, true);
  if (dir.kind !== "complete") {
    return failed(
      `Cannot found a cluster by ${program.name}: it left a directory that is ${dir.kind}`,
    );
  }
  await Deno.chmod(dataDir, 0o700);
  return await recoverAndFinish(tools, { settings, program, finish }, job);
}

async function recoverAndFinish(
  tools: StartTools,
  { settings, program, finish }: FoundingOrder,
  job: JobContext,
): Promise<JobResult> {
  const { options } = tools;
  const { keepRecovery } = program;
  job.report("recovery of the restored data");
  const founding = { hba: foundingHba(options), keepRecovery };
  const order = { settings, recovery: recoveryOf(program), notAfterMs: null, waitMs: LONG_MS };
  const recovered = await startServer(tools, { ...order, founding }, job);
  if (recovered.kind !== "done") return recovered;
  const finished = await finish();
  if (finished.kind !== "done") return finished;

  job.report("start with the usual files");
  const escalation = { immediateAtMs: null, killAtMs: null };
  const stop = { how: "fast", escalation } as const;
  if (await stopForCertain(options, null, stop, job.signal) === "left") {
    return { kind: "cancelled" };
  }
  const waitMs = options.pgCtlTimeoutS * 1000;
  return await startServer(tools, { ...order, recovery: null, waitMs }, job);
}

/** A target without an action would leave the server read-only for good. */
function recoveryOf({ recovery }: FoundingProgram): Readonly<Record<string, string>> | null {
  if (Object.keys(recovery).length === 0) return null;
  return { recovery_target_action: "promote", ...recovery };
}

function foundingHba({ authentication }: PostgresOptions): readonly string[] {
  const name = `"${authentication.superuser.username.replaceAll('"', '""')}"`;
  return [`local all ${name} trust`, `host all ${name} samehost trust`];
}

/**
 * Runs `post_bootstrap` with a connection string of the superuser behind its words; the password is in the passfile. No
 * standby is there yet, so its commits must not wait for one (spec 1.4).
 */
export async function runPostBootstrap(
  options: PostgresOptions,
  job: JobContext,
): Promise<JobResult> {
  const [program, ...args] = options.bootstrap?.postBootstrap ?? [];
  if (program === undefined) return { kind: "done" };
  job.report("post_bootstrap is running");
  const postmaster = await readPostmaster(options.dataDir);
  const url = await openToSuperuser(options, postmaster?.file ?? null);
  const ended = await run({
    program,
    args: [...args, url],
    env: {
      PGPASSFILE: options.pgpass,
      PGOPTIONS: "-c synchronous_commit=local -c statement_timeout=0",
    },
    timeoutMs: LONG_MS,
  }, job.signal);
  if (ended.cancelled || job.signal.aborted) return { kind: "cancelled" };
  return ended.exitCode === 0
    ? { kind: "done" }
    : failed(`Cannot end post_bootstrap: ${saidOrCode(ended)}`);
}

/** Writes the passfile for the local server; returns its address as a URL without the password. */
async function openToSuperuser(
  options: PostgresOptions,
  file: PostmasterPid | null,
): Promise<string> {
  const login = options.authentication.superuser;
  const { host, port } = localTarget(options, file, login);
  await writePrivateFile(options.pgpass, renderPassfile([{ host, port, login }]));
  const user = encodeURIComponent(login.username);
  const database = encodeURIComponent(options.database);
  if (host.startsWith("/")) {
    return `postgres://${user}@:${port}/${database}?host=${encodeURIComponent(host)}`;
  }
  return `postgres://${user}@${host.includes(":") ? `[${host}]` : host}:${port}/${database}`;
}

function failed(why: string): JobResult {
  return { kind: "failed", why };
}
