import type { LeaseTiming } from "../core/lease_timing.ts";
import type { Settings } from "../core/settings.ts";
import { switchGraceMs } from "../core/switch_status.ts";

/** So short a look still serves where the store answers; where it does not, a round of consents must begin. */
const SHORT_LOOK_MS = 150;
/**
 * Of the time between the agent's own stop and the first step of the switch: what is under way at the stop time, a write and
 * a look that begin there because the look before ended a little early, and the patience with each take a share, so that all
 * of it is over before the switch acts.
 */
const LATE_SHARE = 0.15;
/** How long after its deadline a piece of work may still come to its own end. */
const PATIENCE_MS = 200;
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

/** Milliseconds that work may come to its own end after its deadline: less where a stop must not wait for it. */
export function patienceMs({ stopAtMs, timing }: Pick<Pressure, "stopAtMs" | "timing">): number {
  return stopAtMs === null ? PATIENCE_MS : Math.min(PATIENCE_MS, lateMs(timing));
}

/** What may be used of the time between the stop and the switch at once, in whole milliseconds. */
function lateMs(timing: LeaseTiming): number {
  return Math.floor(switchGraceMs(timing) * LATE_SHARE);
}

/** Milliseconds for one round of consents: as long as one takes, and not beyond the stop. */
export function consentBudgetMs({ nowMs, stopAtMs, timing }: Pressure): number {
  return Math.min(timing.consentMs, Math.max(0, (stopAtMs ?? nowMs) - nowMs));
}

function untilStopMs({ nowMs, stopAtMs, needsConsents }: Pressure, timing: LeaseTiming): number {
  if (stopAtMs === null) return Infinity;
  const leftMs = Math.max(0, stopAtMs - nowMs);
  const reservedMs = needsConsents ? timing.consentMs : 0;
  const leastMs = Math.min(SHORT_LOOK_MS, leftMs + lateMs(timing));
  return Math.max(leastMs, leftMs - reservedMs + CLOCK_STEP_MS);
}
