import type { LeaseTiming } from "./lease_timing.ts";

/** What the dead-man's switch is told: boot-clock milliseconds of each step towards the end of a lease. */
export interface SwitchDeadline {
  /** INT: a fast stop, so that standbys receive everything. */
  readonly stopAtMs: number;
  /** QUIT. */
  readonly immediateAtMs: number;
  /** KILL of the server and all its children. */
  readonly killAtMs: number;
  /** The end of the lease. */
  readonly endsMs: number;
}

/** One signal that the switch sent because nobody renewed. */
export interface SwitchFiring {
  /** Epoch milliseconds. */
  readonly wallMs: number;
  /** `INT`, `QUIT`, `KILL`, or `ORPHAN` for the kill of a process whose postmaster was dead already. */
  readonly what: string;
  readonly pid: number;
}

/** The switch as people see it. */
export interface SwitchStatus {
  readonly armed: boolean;
  /** End of the lease that it guards, on the boot clock; null while it is not armed. */
  readonly endsMs: number | null;
  /** Pid of its process; null while there is none. */
  readonly pid: number | null;
  /** The last ones, newest last. */
  readonly firings: readonly SwitchFiring[];
  /** How many of each signal. */
  readonly fired: Readonly<Record<string, number>>;
}

/**
 * What rules may know of the switch: until when it leaves the server alone, and whether a process before us armed it, be it
 * renewed since.
 */
export interface SwitchView {
  readonly endsMs: number;
  readonly inherited: boolean;
}

/** A living agent stops its server first: its INT is on the way before the switch looks. */
const GRACE_MAX_MS = 400;
const GRACE_SHARE = 0.25;

/** How much later than the agent's own stop the first step of the switch is: a quarter of the time until its second at most. */
export function switchGraceMs({ stopBeforeMs, immediateBeforeMs }: LeaseTiming): number {
  return Math.min(GRACE_MAX_MS, (stopBeforeMs - immediateBeforeMs) * GRACE_SHARE);
}

/** The steps of the lease budget counted from the end of this lease; the first comes a little later than the agent's own. */
export function switchDeadline(endsMs: number, timing: LeaseTiming): SwitchDeadline {
  return {
    stopAtMs: endsMs - timing.stopBeforeMs + switchGraceMs(timing),
    immediateAtMs: endsMs - timing.immediateBeforeMs,
    killAtMs: endsMs - timing.killBeforeMs,
    endsMs,
  };
}
