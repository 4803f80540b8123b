import { strictEqual } from "node:assert/strict";
import { leaseTiming } from "../../lib/core/lease_timing.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import { storeBudgetMs } from "../../lib/runtime/budget.ts";
import type { Pressure } from "../../lib/runtime/budget.ts";

function pressure(stopAtMs: number | null): Pressure {
  return { nowMs: 0, stopAtMs, settings: defaultSettings, timing: leaseTiming(30, 10) };
}

Deno.test("storeBudgetMs() ends a leader's request just after its stop time", () => {
  strictEqual(storeBudgetMs(pressure(25_000)), 14_000);
  strictEqual(storeBudgetMs(pressure(6000)), 6020);
});

Deno.test("storeBudgetMs() leaves a short look after the stop time", () => {
  strictEqual(storeBudgetMs(pressure(-1000)), 300);
});

Deno.test("storeBudgetMs() is retry_timeout without a lock", () => {
  strictEqual(storeBudgetMs(pressure(null)), 10_000);
});
