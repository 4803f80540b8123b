import { ok, strictEqual } from "node:assert/strict";
import { leaseTiming } from "../../lib/core/lease_timing.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import { switchGraceMs } from "../../lib/core/switch_status.ts";
import {
  consentBudgetMs,
  patienceMs,
  serverBudgetMs,
  storeBudgetMs,
} from "../../lib/runtime/budget.ts";
import type { Pressure } from "../../lib/runtime/budget.ts";

function pressure(stopAtMs: number | null): Pressure {
  return { nowMs: 0, stopAtMs, settings: defaultSettings, timing: leaseTiming(30, 10) };
}

Deno.test("storeBudgetMs() ends a leader's request just after its stop time", () => {
  strictEqual(storeBudgetMs(pressure(25_000)), 14_000);
  strictEqual(storeBudgetMs(pressure(6000)), 6020);
});

Deno.test("storeBudgetMs() leaves a short look after the stop time", () => {
  strictEqual(storeBudgetMs(pressure(-1000)), 60);
  strictEqual(storeBudgetMs(pressure(0)), 60);
});

for (const ttlS of [5, 10, 20, 30, 60]) {
  Deno.test(`what is under way and what begins at the stop is over before the switch acts: ttl ${ttlS} s`, () => {
    const timing = leaseTiming(ttlS, 10);
    for (const needsConsents of [false, true]) {
      const at = (nowMs: number): Pressure => ({
        ...pressure(0),
        nowMs,
        timing,
        needsConsents,
      });
      const patience = patienceMs(at(0));
      const underWay = Math.max(...[storeBudgetMs, serverBudgetMs].map((ms) => ms(at(-1)))) - 1;
      const next = Math.max(storeBudgetMs(at(1)), serverBudgetMs(at(1)));
      const overMs = underWay + patience + 2 * (next + patience); // a write, then a look
      ok(overMs < switchGraceMs(timing), `${overMs} ms`);
      ok(next > 0);
    }
  });
}

Deno.test("patienceMs() is what a stop can wait for, and more without a lock", () => {
  const timing = leaseTiming(30, 10);
  const found = [null, 0].map((stopAtMs) => patienceMs({ stopAtMs, timing }));
  strictEqual(found.join(), "200,60");
});

Deno.test("storeBudgetMs() is retry_timeout without a lock", () => {
  strictEqual(storeBudgetMs(pressure(null)), 10_000);
});

Deno.test("C10 storeBudgetMs() and serverBudgetMs() leave time for a round of consents before the stop", () => {
  const at = (stopAtMs: number | null): Pressure => ({
    ...pressure(stopAtMs),
    needsConsents: true,
  });
  strictEqual(storeBudgetMs(at(25_000)), 7500);
  strictEqual(storeBudgetMs(at(9000)), 4620);
  strictEqual(serverBudgetMs(at(9000)), 4620);
  strictEqual(storeBudgetMs(at(4000)), 150);
  strictEqual(storeBudgetMs(at(null)), 10_000);
});

Deno.test("consentBudgetMs() is one round, and ends with the stop time", () => {
  const budgets = [25_000, 3000, -5, null].map((stopAtMs) => consentBudgetMs(pressure(stopAtMs)));
  strictEqual(budgets.join(), "4400,3000,0,0");
});
