import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { serverEnvironment } from "../base/child_environment.ts";
import type { CommandResult, ProcessIdentity } from "../host/port.ts";
import { findProcess, sendSignal } from "../host/processes.ts";
import { run } from "../host/spawn.ts";
import type { FullControlData } from "./controldata.ts";
import { parseControlData } from "./controldata.ts";
import type { PostgresOptions } from "./options.ts";
import { programPath } from "./options.ts";

type Programs = Pick<PostgresOptions, "binDir" | "binName" | "dataDir">;

const CONTROLDATA_MS = 10_000;
const PROMOTE_MS = 10_000;
const LOG_TAIL_BYTES = 8192;
/** A larger log is set aside at the next start; one older log is kept. */
const LOG_MAX_BYTES = 16 << 20;

/** Where the server's own output goes until (or unless) its logging collector takes over. */
export function serverLogPath(dataDir: string): string {
  return `${dataDir}/log/agent-startup.log`;
}

/** A started postmaster, or why none could be started. */
export type SpawnResult =
  | { readonly kind: "spawned"; readonly identity: ProcessIdentity }
  | { readonly kind: "failed"; readonly why: string };

/**
 * Makes room for the server's log; returns its size in bytes: what follows belongs to the next start. Throws the file
 * system's errors.
 */
export async function prepareLog(dataDir: string): Promise<number> {
  const log = serverLogPath(dataDir);
  await Deno.mkdir(log.slice(0, log.lastIndexOf("/")), { recursive: true, mode: 0o700 });
  const info = await Deno.stat(log).catch(() => null);
  const size = info?.size ?? 0;
  if (size <= LOG_MAX_BYTES) return size;
  await Deno.rename(log, `${log}.1`);
  return 0;
}

/**
 * Starts the postmaster in a session of its own with its output in a file, so that neither the agent's end nor its
 * terminal reaches it. It may still fail: watch the process. The process is made within the call itself, whose caller has
 * just looked whether the right to it has ended. `stalePid`: a pid that the server must not take for a rival's.
 */
export async function spawnPostmaster(
  programs: Programs,
  words: readonly string[],
  stalePid: number | null,
): Promise<SpawnResult> {
  const { dataDir } = programs;
  const output = openLog(serverLogPath(dataDir));
  try {
    const child = spawn(programPath(programs, "postgres"), ["-D", dataDir, ...words], {
      cwd: dataDir,
      detached: true,
      env: {
        ...serverEnvironment(),
        ...(stalePid === null ? {} : { PG_GRANDPARENT_PID: String(stalePid) }),
      },
      stdio: ["ignore", output, output],
    });
    return await identityOf(child);
  } finally {
    closeSync(output);
  }
}

/** `pg_ctl promote` without waiting: the order is given when it ends with 0. */
export function orderPromotion(programs: Programs, signal: AbortSignal): Promise<CommandResult> {
  const args = ["promote", "-W", "-D", programs.dataDir];
  return run({ program: programPath(programs, "pg_ctl"), args, timeoutMs: PROMOTE_MS }, signal);
}

/** Makes the server read its configuration files again. False: it is gone. */
export function orderReload(postmaster: ProcessIdentity): boolean {
  return sendSignal(postmaster, "SIGHUP");
}

/** Why pg_controldata gave no values; `unproven` when it did not say itself that the file is at fault. */
export interface ControlFault {
  readonly fault: string;
  readonly unproven?: true;
}

const FILE_AT_FAULT = 1;

/** What pg_controldata says, or why it could not be read. */
export async function readControlData(
  programs: Programs,
  signal: AbortSignal,
): Promise<FullControlData | ControlFault> {
  const program = programPath(programs, "pg_controldata");
  const command = { program, args: ["-D", programs.dataDir], timeoutMs: CONTROLDATA_MS };
  const result = await run(command, signal);
  const control = result.exitCode === 0 ? parseControlData(result.stdout) : null;
  if (control !== null) return control;
  const said = result.stderrTail === "" ? `exit code ${result.exitCode}` : result.stderrTail;
  const fault = `Cannot read the control file: ${said}`;
  return result.exitCode === FILE_AT_FAULT ? { fault } : { fault, unproven: true };
}

/** What the server wrote since `from`, FATAL and ERROR lines alone when there are any, as one line. */
export async function logTail(dataDir: string, from: number): Promise<string> {
  const own = await readFrom(serverLogPath(dataDir), from);
  const text = /logging collector/.test(own) ? await collectedLog(dataDir) || own : own;
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const faults = lines.filter((line) => /\b(FATAL|PANIC|ERROR):/.test(line));
  const hints = lines.filter((line) => /\bLOG:\s+could not\b/.test(line));
  const told = faults.length > 0 ? [...hints.slice(-2), ...faults.slice(-2)] : lines.slice(-3);
  return told.map((line) => line.trim()).join("; ");
}

/** With a logging collector the reason is in its file, which `current_logfiles` names. */
async function collectedLog(dataDir: string): Promise<string> {
  const names = await readFrom(`${dataDir}/current_logfiles`, 0);
  const [, path] = /^\w+ (.+)$/m.exec(names) ?? [];
  if (path === undefined) return "";
  return await readFrom(path.startsWith("/") ? path : `${dataDir}/${path}`, 0);
}

async function readFrom(path: string, from: number): Promise<string> {
  try {
    using file = await Deno.open(path);
    const { size } = await file.stat();
    await file.seek(Math.max(from, size - LOG_TAIL_BYTES), Deno.SeekMode.Start);
    const buffer = new Uint8Array(LOG_TAIL_BYTES);
    const count = await file.read(buffer);
    return new TextDecoder().decode(buffer.subarray(0, count ?? 0));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

function openLog(path: string): number {
  return openSync(path, "a", 0o600);
}

function identityOf(child: ReturnType<typeof spawn>): Promise<SpawnResult> {
  return new Promise((resolve) => {
    child.once("error", (error) => {
      resolve({ kind: "failed", why: `Cannot start the server: ${error.message}` });
    });
    child.once("spawn", () => {
      child.unref();
      const found = child.pid === undefined ? null : findProcess(child.pid);
      if (found !== null) return resolve({ kind: "spawned", identity: found.identity });
      resolve({ kind: "failed", why: "Cannot start the server: it ended at once" });
    });
  });
}
