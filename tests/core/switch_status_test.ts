import { deepStrictEqual, ok } from "node:assert/strict";
import { leaseTiming } from "../../lib/core/lease_timing.ts";
import { switchDeadline } from "../../lib/core/switch_status.ts";

for (const ttlS of [5, 10, 20, 30, 60]) {
  Deno.test(`switchDeadline() comes after the agent's own stop and ends before a lease of ${ttlS} s`, () => {
    const timing = leaseTiming(ttlS, 10);
    const { stopAtMs, immediateAtMs, killAtMs, endsMs } = switchDeadline(100_000, timing);
    ok(stopAtMs > endsMs - timing.stopBeforeMs, "the agent first");
    ok(stopAtMs - (endsMs - timing.stopBeforeMs) <= 400);
    ok(stopAtMs < immediateAtMs && immediateAtMs < killAtMs && killAtMs < endsMs);
    deepStrictEqual(immediateAtMs, endsMs - timing.immediateBeforeMs);
  });
}
