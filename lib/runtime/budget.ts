import type { LeaseTiming } from "../core/lease_timing.ts";
import type { Settings } from "../core/settings.ts";

/**
 * Past the stop time one look at the store is still worth this much: nothing that it brings revives the lease, and the stop
 * has to begin before the switch acts, 0.4 s after that time at most.
 */
const LATE_LOOK_MS = 150;
/** The clock has steps of 10 ms: a wait for a moment must end after it. */
const CLOCK_STEP_MS = 20;
/** One look at the local server, or one short statement on it. */
const SERVER_MS = 5000;

/** What bounds the requests of this moment. */
export interface Pressure {
  readonly nowMs: number;
  /** From when the server must be stopped if nothing new is learnt; null: no lock is held. */
  readonly stopAtMs: number | null;
  readonly settings: Settings;
  readonly timing: LeaseTiming;
  /** Failsafe mode is on: what a look may take ends early enough for a round of consents. Absent: it is off. */
  readonly needsConsents?: boolean;
}

/** Milliseconds for one request to the store: a leader's ends in time for its stop. */
export function storeBudgetMs(pressure: Pressure): number {
  const { stopAtMs, timing, settings } = pressure;
  const usualMs = stopAtMs === null ? settings.retryTimeoutS * 1000 : leaderMs(pressure);
  return Math.min(usualMs, untilStopMs(pressure, timing));
}

/** Where the members consent, looks at a silent store are short, so that the order to hold the lock does not lapse meanwhile. */
function leaderMs({ timing, needsConsents }: Pressure): number {
  return needsConsents ? Math.min(timing.renewalMs, timing.ttlMs / 4) : timing.renewalMs;
}

/** Milliseconds for one short question to the local server. */
export function serverBudgetMs(pressure: Pressure): number {
  const halfMs = pressure.settings.retryTimeoutS * 500;
  return Math.min(SERVER_MS, halfMs, untilStopMs(pressure, pressure.timing));
}

/** Milliseconds for one round of consents: as long as one takes, and not beyond the stop. */
export function consentBudgetMs({ nowMs, stopAtMs, timing }: Pressure): number {
  return Math.min(timing.consentMs, Math.max(0, (stopAtMs ?? nowMs) - nowMs));
}

function untilStopMs(
  { nowMs, stopAtMs, needsConsents }: Pressure,
  { consentMs }: LeaseTiming,
): number {
  if (stopAtMs === null) return Infinity;
  const reservedMs = needsConsents ? consentMs : 0;
  return Math.max(LATE_LOOK_MS, stopAtMs - reservedMs - nowMs + CLOCK_STEP_MS);
}
