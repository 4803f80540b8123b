import type { LeaseTiming } from "./lease_timing.ts";
import type { Settings } from "./settings.ts";

/** The host's watchdog as this node sees it: a timer of the kernel that resets the host unless it is fed. */
export type WatchdogView =
  /** Not wanted. */
  | { readonly kind: "off" }
  /** Not running; nothing is known that would keep it from being opened. */
  | { readonly kind: "ready" }
  /** Running: without a keep-alive it resets the host `timeoutS` after the last one. */
  | { readonly kind: "active"; readonly timeoutS: number }
  /** Wanted and not to be had. `required`: then this node must not lead. */
  | { readonly kind: "unusable"; readonly required: boolean; readonly why: string };

/** `safety_margin` for half of the ttl. */
const HALF_TTL = -1;

/** Seconds after which the host is reset: `ttl` less the margin, or half of the ttl for a margin of -1 (spec 1.9). */
export function watchdogTimeoutS(ttlS: number, safetyMarginS: number): number {
  return safetyMarginS === HALF_TTL ? Math.floor(ttlS / 2) : ttlS - safetyMarginS;
}

/** Why a watchdog with this timeout cannot guard the lease, or null. */
export function timeoutFault(
  timeoutS: number,
  { ttlS, loopWaitS }: Pick<Settings, "ttlS" | "loopWaitS">,
): string | null {
  if (timeoutS < 1 || timeoutS - loopWaitS < 0) {
    return `a timeout of ${timeoutS} s would reset the host between two looks, ${loopWaitS} s apart`;
  }
  if (timeoutS > ttlS) return `a timeout of ${timeoutS} s is longer than the lease of ${ttlS} s`;
  return null;
}

/** Why this node must not lead: its watchdog is required and not to be had. Null: no obstacle. */
export function watchdogObstacle(watchdog: WatchdogView | undefined): string | null {
  return watchdog?.kind === "unusable" && watchdog.required ? watchdog.why : null;
}

/**
 * The budget of a lease while the watchdog runs. The host is reset before the lease ends, so the whole stop moves
 * before that moment; the renewals come closer, so that one of them may fail.
 */
export function besideWatchdog(timing: LeaseTiming, watchdog: WatchdogView): LeaseTiming {
  if (watchdog.kind !== "active") return timing;
  const earlierMs = Math.max(0, timing.ttlMs - watchdog.timeoutS * 1000);
  const stopBeforeMs = timing.stopBeforeMs + earlierMs;
  return {
    ...timing,
    renewEveryMs: Math.min(timing.renewEveryMs, Math.max(0, timing.ttlMs - stopBeforeMs) / 2),
    stopBeforeMs,
    immediateBeforeMs: timing.immediateBeforeMs + earlierMs,
    killBeforeMs: timing.killBeforeMs + earlierMs,
  };
}
