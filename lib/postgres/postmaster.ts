import type { Clock } from "../base/clock.ts";
import type { PostmasterPid, ProcessStat } from "../host/processes.ts";
import { findPostmaster, parsePostmasterPid } from "../host/processes.ts";
import { readIfThere } from "./data_dir.ts";
import type { PostgresOptions, RoleLogin } from "./options.ts";
import type { Session, SessionTarget } from "./session.ts";

/** Pauses between looks at the postmaster: without a session that would tell of its death, and with one. */
const BLIND_MS = 200;
const TOLD_MS = 1000;
/** The sessions end a moment before the postmaster itself has ended. */
const ENDING_MS = 20;

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

/** An address that stands for all of them is reached over loopback. */
function loopbackOf(host: string | undefined): string {
  if (host === undefined || host === "*" || host === "") return "localhost";
  if (host === "0.0.0.0") return "127.0.0.1";
  return host === "::" ? "::1" : host;
}

/**
 * Waits until it is time to look whether the postmaster is alive; at once when `signal` aborts. Every backend ends when
 * its postmaster dies (PostgreSQL source, WL_POSTMASTER_DEATH), so the end of an open session tells before any look would.
 */
export async function nextDeathLook(
  clock: Clock,
  session: Pick<Session, "isOpen" | "onEnd"> | null,
  signal: AbortSignal,
): Promise<void> {
  if (session?.isOpen !== true) return await clock.sleep(BLIND_MS, signal);
  const waiting = new AbortController();
  const stop = (): void => waiting.abort();
  signal.addEventListener("abort", stop, { once: true });
  let hasEnded = false;
  using _end = session.onEnd(() => {
    hasEnded = true;
    stop();
  });
  await clock.sleep(TOLD_MS, waiting.signal);
  signal.removeEventListener("abort", stop);
  if (hasEnded) await clock.sleep(ENDING_MS, signal);
}
