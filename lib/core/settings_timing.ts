import type { JsonObject } from "../base/json.ts";
import type { Warn } from "./settings_values.ts";
import { readInteger } from "./settings_values.ts";

/** The three settings that are bound to each other, in seconds. */
export interface Timing {
  readonly ttlS: number;
  readonly loopWaitS: number;
  readonly retryTimeoutS: number;
}

/** Seconds above this do not fit the timers of the platform (2^31 ms). */
const TTL_MAX_S = 2_000_000;

/** Patroni's least ttl; its members of a mixed cluster use it in place of a smaller one. */
const PATRONI_TTL_MIN_S = 20;

/** Defaults and least values; the least ttl is the least that `leaseTiming` can budget. */
const ROWS = {
  ttl: { fallback: 30, least: 5 },
  loop_wait: { fallback: 10, least: 1 },
  retry_timeout: { fallback: 10, least: 3 },
} as const;

/**
 * Reads ttl, loop_wait and retry_timeout: each is raised to its least value, then `loop_wait + 2 * retry_timeout <= ttl`
 * is enforced by lowering the two (spec 1.11); ttl itself is never lowered. A value that is no integer is a fault.
 */
export function readTiming(raw: JsonObject, warn: Warn): Timing | { readonly fault: string } {
  const ttlS = atLeast("ttl", raw, warn);
  const loopWaitS = atLeast("loop_wait", raw, warn);
  const retryTimeoutS = atLeast("retry_timeout", raw, warn);
  if (ttlS === null || ttlS > TTL_MAX_S) return { fault: faultOf("ttl", raw) };
  if (loopWaitS === null) return { fault: faultOf("loop_wait", raw) };
  if (retryTimeoutS === null) return { fault: faultOf("retry_timeout", raw) };
  if (ttlS < PATRONI_TTL_MIN_S) {
    warn(`ttl is ${ttlS}: Patroni members of the same cluster would use ${PATRONI_TTL_MIN_S}`);
  }
  return fitted({ ttlS, loopWaitS, retryTimeoutS }, warn);
}

function atLeast(key: keyof typeof ROWS, raw: JsonObject, warn: Warn): number | null {
  const { fallback, least } = ROWS[key];
  if (raw[key] === undefined) return fallback;
  const number = readInteger(raw[key]);
  if (number === null || number >= least) return number;
  warn(`${key} is ${least}: ${number} is below the least value`);
  return least;
}

function faultOf(key: string, raw: JsonObject): string {
  return `Cannot read ${key} as whole seconds: ${JSON.stringify(raw[key])}`;
}

function fitted(timing: Timing, warn: Warn): Timing {
  const { ttlS, loopWaitS, retryTimeoutS } = timing;
  if (loopWaitS + 2 * retryTimeoutS <= ttlS) return timing;
  const narrow = 1 + 2 * retryTimeoutS > ttlS;
  const fit = narrow
    ? { ttlS, loopWaitS: 1, retryTimeoutS: Math.floor((ttlS - 1) / 2) }
    : { ttlS, loopWaitS: ttlS - 2 * retryTimeoutS, retryTimeoutS };
  warn(
    `loop_wait is ${fit.loopWaitS} and retry_timeout ${fit.retryTimeoutS}: ` +
      `${loopWaitS} + 2 * ${retryTimeoutS} does not fit into ttl ${ttlS}`,
  );
  return fit;
}
