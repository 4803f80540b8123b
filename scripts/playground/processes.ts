import { LOOPBACK } from "./site.ts";
import { waitFor } from "./wait.ts";

/** Below what the kernel gives to connections: a server that starts again must not find one of them on its port. */
const PORTS = { first: 11_000, last: 32_000 };

let nextPort = PORTS.first + Math.floor(Math.random() * (PORTS.last - PORTS.first));

/** `count` ports of loopback that are free now; none comes again while others are left. */
export function freePorts(count: number): readonly number[] {
  const ports: number[] = [];
  while (ports.length < count) {
    if (isFree(nextPort)) ports.push(nextPort);
    nextPort = nextPort < PORTS.last ? nextPort + 1 : PORTS.first;
  }
  return ports;
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: LOOPBACK.host, port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}

/** What to run, where its output goes. */
export interface LoggedProgram {
  readonly program: string;
  readonly args: readonly string[];
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Starts a program in a session of its own, output appended to its log file. The pid is the program's own: the
 * shell that opens the file replaces itself.
 */
export function spawnLogged(what: LoggedProgram): Deno.ChildProcess {
  return new Deno.Command("sh", {
    args: ["-c", 'exec "$@" >>"$0" 2>&1', what.logFile, what.program, ...what.args],
    env: what.env ?? {},
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
}

/** True while the process runs; a zombie does not. */
export async function isAlive(pid: number): Promise<boolean> {
  const stat = await readOrNull(`/proc/${pid}/stat`);
  return stat !== null && stat.slice(stat.lastIndexOf(")")).charAt(2) !== "Z";
}

/** Sends a signal; a process that is gone is no error. 0 and less would mean whole groups of processes. */
export function signalPid(pid: number, signal: Deno.Signal): void {
  if (!(pid > 1)) throw new TypeError(`Cannot send ${signal} to process ${pid}`);
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Running processes whose working directory is `folder` or below: servers and their children. */
export async function processesIn(folder: string): Promise<readonly number[]> {
  const pids = (await Array.fromAsync(Deno.readDir("/proc"), ({ name }) => Number(name)))
    .filter((pid) => pid > 1 && pid !== Deno.pid);
  const inside = await Promise.all(pids.map((pid) => worksIn(pid, folder)));
  return pids.filter((_, index) => inside[index]);
}

/** True while the process runs with `folder`, or one below it, as its working directory. */
export async function worksIn(pid: number, folder: string): Promise<boolean> {
  try {
    const cwd = await Deno.readLink(`/proc/${pid}/cwd`);
    return `${cwd}/`.startsWith(`${folder}/`) && await isAlive(pid);
  } catch {
    return false; // gone meanwhile, or of another user
  }
}

/** Kills everything that works in `folder` and waits until it is gone. */
export async function endProcessesIn(folder: string): Promise<void> {
  await waitFor(`the end of all processes in ${folder}`, 20_000, async () => {
    const pids = await processesIn(folder);
    for (const pid of pids) signalPid(pid, "SIGKILL");
    return { met: pids.length === 0 ? true : null, seen: `pids ${pids.join(", ")}` };
  });
}

/** The file's text, or null when it cannot be read. */
export async function readOrNull(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return null;
  }
}
