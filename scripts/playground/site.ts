/** Where a program of a playground runs. */
export interface Site {
  /** The address on which it listens and is reached. */
  readonly host: string;
  /** Words before its command line; none on this host's own network. */
  readonly launch: readonly string[];
}

/** This host, by loopback. */
export const LOOPBACK: Site = { host: "127.0.0.1", launch: [] };
