/** Load balancers, scrapers, members and operators need a handful of connections; more than this is a flood. */
const CONNECTIONS_MAX = 1000;
/** The agent itself has some 40 files open; where so few are allowed, a bound would hit nobody else. */
const CONNECTIONS_MIN = 200;

/**
 * How many connections the API takes at most: half of the files that this process may open leave the rest to store,
 * server and disk. Without a free one Deno's accept loop ends and its runtime may abort.
 */
export function connectionsMax(): number {
  const limits = Deno.readTextFileSync("/proc/self/limits");
  const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
  const half = Math.floor(Number(soft ?? Infinity) / 2);
  return Math.max(CONNECTIONS_MIN, Math.min(CONNECTIONS_MAX, half));
}

/** The files that this process has open, sockets included; no disk is asked, and 40 of them take 60 µs. */
export function openFiles(): number {
  try {
    return [...Deno.readDirSync("/proc/self/fd")].length;
  } catch {
    return Infinity; // not even this one could be opened
  }
}
