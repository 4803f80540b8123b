import { killOrphans } from "../host/fence.ts";
import type { PostmasterPid, ProcessStat, ServerProcess } from "../host/processes.ts";
import { findPostmaster, findServerProcesses, parsePostmasterPid } from "../host/processes.ts";
import { readIfThere } from "./data_dir.ts";
import type { PostgresOptions, RoleLogin } from "./options.ts";
import { programPath } from "./options.ts";
import type { SessionTarget } from "./session.ts";

/** The postmaster that holds the data directory, with what its pid file says. */
export interface RunningPostmaster {
  readonly file: PostmasterPid;
  readonly process: ProcessStat;
}

/** The running postmaster by its pid file; null when there is none or the file is a leftover. */
export async function readPostmaster(dataDir: string): Promise<RunningPostmaster | null> {
  const text = await readIfThere(`${dataDir}/postmaster.pid`);
  const file = text === null ? null : parsePostmasterPid(text);
  const process = file === null ? null : findPostmaster(file, dataDir);
  return file === null || process === null ? null : { file, process };
}

type Place = Pick<PostgresOptions, "dataDir" | "binDir" | "binName">;

/** What runs in the data directory, whatever its pid file says. */
export function serverProcesses(options: Place): readonly ServerProcess[] {
  return findServerProcesses(options.dataDir, programPath(options, "postgres"));
}

/** Kills the backends whose postmaster is dead; returns how many. */
export function killOrphansOf(options: Place): number {
  return killOrphans(options.dataDir, programPath(options, "postgres"));
}

/** The connection to the local server: its socket directory when wanted, else the first listen address. */
export function localTarget(
  options: Pick<PostgresOptions, "listen" | "database" | "useUnixSocket">,
  file: PostmasterPid | null,
  login: RoleLogin,
): SessionTarget {
  const { listen, database, useUnixSocket } = options;
  const port = file === null || file.port === 0 ? listen.port : file.port;
  const socketDir = file?.socketDir ?? "";
  const host = useUnixSocket && socketDir !== "" ? socketDir : loopbackOf(listen.hosts[0]);
  return { host, port, database, login, mode: "sql" };
}

/** The same for replication commands, by the replication role and `use_unix_socket_repl`. */
export function localReplicationTarget(
  options: PostgresOptions,
  file: PostmasterPid,
): SessionTarget {
  const { authentication, useUnixSocketRepl: useUnixSocket = false } = options;
  const target = localTarget({ ...options, useUnixSocket }, file, authentication.replication);
  return { ...target, mode: "physical" };
}

/** An address that stands for all of them is reached over loopback. */
function loopbackOf(host: string | undefined): string {
  if (host === undefined || host === "*" || host === "") return "localhost";
  if (host === "0.0.0.0") return "127.0.0.1";
  return host === "::" ? "::1" : host;
}
