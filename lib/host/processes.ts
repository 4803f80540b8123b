import type { ProcessIdentity } from "./port.ts";

/** Ticks per second of /proc times: USER_HZ, which is 100 on every Linux port that runs PostgreSQL (proc(5)). */
const TICKS_PER_SECOND = 100;
/** How far pid file and kernel may differ about the start of one process. */
const START_TOLERANCE_S = 5;

/** The lines of postmaster.pid (PostgreSQL source, pidfile.h); what is not written yet is empty or 0. */
export interface PostmasterPid {
  readonly pid: number;
  /** A negative pid: `postgres --single`, which no client can reach but which writes. */
  readonly singleUser: boolean;
  readonly dataDir: string;
  /** Epoch seconds. */
  readonly startTimeS: number;
  readonly port: number;
  readonly socketDir: string;
  readonly listenAddress: string;
  /** `starting`, `stopping`, `ready`, `standby`. */
  readonly status: string;
}

/** Reads the content of postmaster.pid; null when the first line is no pid. */
export function parsePostmasterPid(text: string): PostmasterPid | null {
  const lines = text.split("\n").map((line) => line.trim());
  const pid = Number(lines[0]);
  if (lines[0] === "" || !Number.isInteger(pid) || pid === 0) return null;
  return {
    pid: Math.abs(pid),
    singleUser: pid < 0,
    dataDir: lines[1] ?? "",
    startTimeS: Number(lines[2] ?? 0) || 0,
    port: Number(lines[3] ?? 0) || 0,
    socketDir: lines[4] ?? "",
    listenAddress: lines[5] ?? "",
    status: lines[7] ?? "",
  };
}

/** One line of /proc/PID/stat, as far as needed. */
export interface ProcessStat {
  readonly identity: ProcessIdentity;
  /** `R`, `S`, `D`, `T`, `Z` and so on. */
  readonly state: string;
  readonly parent: number;
  /** The session: the pid of the process that began it. */
  readonly session: number;
}

/** Reads /proc/PID/stat; the command name may hold blanks and parentheses, so fields count from the last `)`. */
export function parseProcessStat(text: string): ProcessStat | null {
  const pid = Number(text.slice(0, text.indexOf(" ")));
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, parent, , session] = fields;
  const ticks = fields[19]; // field 22 of the whole line
  if (!Number.isInteger(pid) || state === undefined || ticks === undefined) return null;
  return {
    identity: { pid, startTicks: BigInt(ticks) },
    state,
    parent: Number(parent),
    session: Number(session),
  };
}

/** A process that runs; null for none and for a zombie, which holds nothing any more. */
export function findProcess(pid: number): ProcessStat | null {
  const text = readOrNull(() => Deno.readTextFileSync(`/proc/${pid}/stat`));
  const stat = text === null ? null : parseProcessStat(text);
  return stat === null || stat.state === "Z" || stat.state === "X" ? null : stat;
}

/** True while exactly this process runs; a later one with its pid does not count. */
export function isAlive(identity: ProcessIdentity): boolean {
  return findProcess(identity.pid)?.identity.startTicks === identity.startTicks;
}

/** Boot-clock milliseconds at which the process started. */
export function startedAtMs(identity: ProcessIdentity): number {
  return Number(identity.startTicks) * (1000 / TICKS_PER_SECOND);
}

/**
 * The process that a postmaster.pid names, if it still holds `dataDir`: its working directory proves it. Where that
 * cannot be read, kernel and file must agree on the start time. Null: the file is a leftover.
 */
export function findPostmaster(file: PostmasterPid, dataDir: string): ProcessStat | null {
  const stat = findProcess(file.pid);
  if (stat === null) return null;
  const works = worksIn(file.pid, dataDir);
  if (works !== null) return works ? stat : null;
  const startedS = bootTimeS() + Number(stat.identity.startTicks) / TICKS_PER_SECOND;
  return Math.abs(startedS - file.startTimeS) <= START_TOLERANCE_S ? stat : null;
}

/** A server process in a data directory. */
export interface ServerProcess extends ProcessStat {
  /**
   * True for a postmaster or single-user server: its children carry a title that begins with `postgres:`, but only some
   * moments after their birth, so the parent counts too.
   */
  readonly isMain: boolean;
}

/** Every process that runs the server's program with `dataDir` as its working directory. */
export function findServerProcesses(
  dataDir: string,
  serverProgram: string,
): readonly ServerProcess[] {
  const found: ServerProcess[] = [];
  for (const pid of allPids()) {
    if (!runsProgram(pid, serverProgram) || worksIn(pid, dataDir) !== true) continue;
    const stat = findProcess(pid);
    if (stat !== null) found.push({ ...stat, isMain: !isBackend(pid) });
  }
  return found.map((one) => ({ ...one, isMain: one.isMain && !isChildOf(one, found) }));
}

/** The data directories of all servers that run here, by their real paths, as far as this user may see them. */
export function findDataDirs(): readonly string[] {
  const servers = allPids().filter((pid) => runsProgram(pid, "postgres"));
  return [...new Set(servers.flatMap((pid) => visibleDirectory(pid) ?? []))];
}

/** The working directory by a path that leads there from here too; the paths of a container may mean something else. */
function visibleDirectory(pid: number): string | null {
  const path = workingDirectory(pid);
  if (path === null) return null;
  const there = readOrNull(() => Deno.statSync(`/proc/${pid}/cwd`));
  const here = readOrNull(() => Deno.statSync(path));
  if (there === null || here === null) return null;
  return there.dev === here.dev && there.ino === here.ino ? path : null;
}

/**
 * Programs of PostgreSQL that were given `dataDir` to write: `--pgdata=<dir>` or `--target-pgdata=<dir>` as one word, as we
 * start initdb, pg_basebackup and pg_rewind.
 */
export function findFillers(dataDir: string): readonly ProcessStat[] {
  const words = [`--pgdata=${dataDir}`, `--target-pgdata=${dataDir}`];
  return findBy((pid) => commandWords(pid).some((word) => words.includes(word)));
}

/** Names its directory to an operator's program that fills it, and so to all that this one starts. */
const FILLS = "AGENT_FILLS";

/** The environment of such a program, by which `findFillingPrograms` knows it. */
export function fillingEnvironment(dataDir: string): Readonly<Record<string, string>> {
  return { [FILLS]: dataDir };
}

/** An operator's programs, with all that they have started but this agent, that fill `dataDir` or have left something running. */
export function findFillingPrograms(dataDir: string): readonly ProcessStat[] {
  const entry = `${FILLS}=${dataDir}`;
  return findBy((pid) => pid !== Deno.pid && textsIn(`/proc/${pid}/environ`).includes(entry));
}

/** The running children of a process. */
export function findChildren(parent: number): readonly ProcessStat[] {
  return findBy(() => true).filter((stat) => stat.parent === parent);
}

/** The process itself, everything that descends from it, and everything in the session that it began. */
export function findDescendants(root: ProcessIdentity): readonly ProcessIdentity[] {
  const all = findBy(() => true);
  const family = new Set([root.pid]);
  const belongs = (one: ProcessStat): boolean =>
    !family.has(one.identity.pid) && (family.has(one.parent) || one.session === root.pid);
  for (let next = all.find(belongs); next !== undefined; next = all.find(belongs)) {
    family.add(next.identity.pid);
  }
  const isRoot = (one: ProcessStat): boolean => one.identity.pid === root.pid;
  const later = all.find((one) => isRoot(one) && one.identity.startTicks !== root.startTicks);
  if (later !== undefined) return []; // another process has the number now, so nothing can be told by it
  return all.filter(({ identity }) => family.has(identity.pid)).map(({ identity }) => identity);
}

/** The words that a process was started with; none when it is gone or not to be seen. */
export function commandWords(pid: number): readonly string[] {
  return textsIn(`/proc/${pid}/cmdline`);
}

/** Sends a signal; a process that is gone is no error. False when it is not this process any more. */
export function sendSignal(identity: ProcessIdentity, name: Deno.Signal): boolean {
  if (!isAlive(identity)) return false;
  try {
    Deno.kill(identity.pid, name);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** By its title. */
function isBackend(pid: number): boolean {
  return commandWords(pid)[0]?.startsWith("postgres:") === true;
}

function findBy(isWanted: (pid: number) => boolean): readonly ProcessStat[] {
  return allPids().filter(isWanted).flatMap((pid) => findProcess(pid) ?? []);
}

function isChildOf(one: ProcessStat, others: readonly ProcessStat[]): boolean {
  return others.some((other) => other.identity.pid === one.parent);
}

function allPids(): readonly number[] {
  const names = [...Deno.readDirSync("/proc")].map((entry) => Number(entry.name));
  return names.filter((pid) => Number.isInteger(pid) && pid > 0);
}

function workingDirectory(pid: number): string | null {
  return readOrNull(() => Deno.readLinkSync(`/proc/${pid}/cwd`));
}

/**
 * Whether a process works in a directory; null where that cannot be told. The same directory may have another path in
 * the mount namespace of a server that an earlier start of the unit has left, and the same path may name another one.
 */
function worksIn(pid: number, dataDir: string): boolean | null {
  const link = workingDirectory(pid);
  if (link === null) return null;
  const paths = [readOrNull(() => Deno.realPathSync(dataDir)) ?? dataDir, dataDir];
  // The kernel adds this when the directory was removed under the process.
  if (paths.some((path) => link === `${path} (deleted)`)) return true;
  const [own, wanted] = [directoryId(`/proc/${pid}/cwd`), directoryId(dataDir)];
  return own === null || wanted === null ? paths.includes(link) : own === wanted;
}

function directoryId(path: string): string | null {
  const stat = readOrNull(() => Deno.statSync(path));
  return stat === null ? null : `${stat.dev}:${stat.ino}`;
}

function runsProgram(pid: number, serverProgram: string): boolean {
  const link = readOrNull(() => Deno.readLinkSync(`/proc/${pid}/exe`)) ?? "";
  const name = link.replace(/ \(deleted\)$/, "").split("/").pop() ?? "";
  return name === "postgres" || name === serverProgram.split("/").pop();
}

/** The texts of a file that ends each with a byte 0. */
function textsIn(path: string): readonly string[] {
  return (readOrNull(() => Deno.readTextFileSync(path)) ?? "").split("\0");
}

function bootTimeS(): number {
  const [, seconds] = /^btime (\d+)$/m.exec(Deno.readTextFileSync("/proc/stat")) ?? [];
  return Number(seconds ?? 0);
}

/** A process may vanish between two reads, or belong to somebody else: both mean "not there" here. */
function readOrNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error) return null;
    throw error;
  }
}
