/** Load balancers, scrapers, members and operators need a handful of connections; more than this is a flood. */
const CONNECTIONS_MAX = 1000;
/** The agent itself has some 40 files open; where so few are allowed, a bound would hit nobody else. */
const CONNECTIONS_MIN = 200;

/**
 * How many connections the API takes at most: half of the files that this process may open leave the rest to store,
 * server and disk. Without a free one Deno's accept loop ends and its runtime may abort.
 */
export function connectionsMax(): number {
  const half = Math.floor(filesAllowed() / 2);
  return Math.max(CONNECTIONS_MIN, Math.min(CONNECTIONS_MAX, half));
}

function filesAllowed(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(Deno.readTextFileSync("/proc/self/limits")) ??
      [];
    return Number(soft ?? Infinity);
  } catch {
    return Infinity; // the kernel keeps it from us
  }
}

/**
 * The files that this process has open, sockets included; 0 when the kernel does not tell, as for a program that may
 * not be read. No disk is asked, and 40 of them take 60 µs.
 */
export function openFiles(): number {
  try {
    return [...Deno.readDirSync("/proc/self/fd")].length;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    return code === "EMFILE" || code === "ENFILE" ? Infinity : 0;
  }
}
