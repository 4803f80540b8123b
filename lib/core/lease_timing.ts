/** The budget of one lease, all in milliseconds; see lib/ARCHITECTURE.md for the table and its reason. */
export interface LeaseTiming {
  readonly ttlMs: number;
  readonly renewEveryMs: number;
  /** One renewal with all its tries. */
  readonly renewalMs: number;
  /** One endpoint within a renewal. */
  readonly endpointMs: number;
  /** One round of asking all members for their consent (failsafe mode), with the second try. */
  readonly consentMs: number;
  /** The stop begins this long before the lease ends. */
  readonly stopBeforeMs: number;
  /** The stop becomes immediate this long before the lease ends. */
  readonly immediateBeforeMs: number;
  /** What is left of the server is killed this long before the lease ends. */
  readonly killBeforeMs: number;
}

const ROWS: readonly (readonly number[])[] = [
  // ttl, renew every, one renewal, one endpoint, consents, stop, immediate, kill (seconds)
  [30, 10, 14, 3, 4.4, 5, 2, 1],
  [20, 6, 10, 2, 4.4, 4, 2, 1],
  [10, 2, 5.5, 1.2, 2.4, 2.5, 1.2, 0.6],
  [5, 1, 2.5, 0.6, 1.2, 1.5, 0.8, 0.4],
];

/**
 * The budget for a ttl in seconds: the row of the largest table ttl that is not above it, so that
 * `renewEvery + renewal + stopBefore <= ttl` always holds. A ttl below 5 is refused with `TypeError`.
 * `loop_wait` below the row's pace makes the renewal as frequent as the loop.
 */
export function leaseTiming(ttlS: number, loopWaitS: number): LeaseTiming {
  const row = ROWS.find(([ttl]) => ttl !== undefined && ttl <= ttlS);
  if (row === undefined) throw new TypeError(`Cannot budget a ttl of ${ttlS} s: 5 is the least`);
  const [, every = 0, renewal = 0, endpoint = 0, consent = 0, ...ends] = row;
  const [stop = 0, immediate = 0, kill = 0] = ends;
  return {
    ttlMs: ttlS * 1000,
    renewEveryMs: Math.min(every, loopWaitS) * 1000,
    renewalMs: renewal * 1000,
    endpointMs: endpoint * 1000,
    consentMs: consent * 1000,
    stopBeforeMs: stop * 1000,
    immediateBeforeMs: immediate * 1000,
    killBeforeMs: kill * 1000,
  };
}
