import assert from "node:assert/strict";
import type { JsonObject } from "../../lib/base/json.ts";
import { readTags, tagConflicts } from "../../lib/core/tags.ts";

interface Trial {
  readonly raw: JsonObject;
  readonly nofailover?: boolean;
  readonly priority?: number;
  readonly nosync?: boolean;
  readonly published?: JsonObject;
}

const TRIALS: Readonly<Record<string, Trial>> = {
  "no tag": { raw: {}, published: {} },
  "tags of one's own": {
    raw: { zone: "x", rack: 5, ssd: false },
    published: { zone: "x", rack: 5, ssd: false },
  },
  "boolean tags that are off are not shown": {
    raw: { nofailover: false, noloadbalance: "off", clonefrom: 0, nosync: false, nostream: "no" },
    published: {},
  },
  "nofailover": {
    raw: { nofailover: "on" },
    nofailover: true,
    priority: 0,
    published: { nofailover: "on" },
  },
  "a priority of 0 is nofailover": { raw: { failover_priority: 0 }, nofailover: true, priority: 0 },
  "a negative priority, too": { raw: { failover_priority: -1 }, nofailover: true, priority: 0 },
  "a priority as text": { raw: { failover_priority: "3" }, priority: 3 },
  "garbage as a priority is none": { raw: { failover_priority: "high" }, priority: 1 },
  "B11: nofailover false wins over a priority of 0": {
    raw: { nofailover: false, failover_priority: 0 },
    priority: 1,
    published: { nofailover: false, failover_priority: 0 },
  },
  "nofailover true wins over a priority": {
    raw: { nofailover: true, failover_priority: 5 },
    nofailover: true,
    priority: 0,
  },
  "a sync priority of 0 is nosync": { raw: { sync_priority: 0 }, nosync: true },
  "nosync false wins over a sync priority of 0": {
    raw: { nosync: false, sync_priority: 0 },
    nosync: false,
    published: { nosync: false, sync_priority: 0 },
  },
};

for (const [what, trial] of Object.entries(TRIALS)) {
  Deno.test(`readTags(): ${what}`, () => {
    const { nofailover = false, priority = 1, nosync = false } = trial;
    const tags = readTags(trial.raw);

    assert.deepEqual([tags.nofailover, tags.failoverPriority, tags.nosync], [
      nofailover,
      priority,
      nosync,
    ]);
    if (trial.published !== undefined) assert.deepEqual(tags.published, trial.published);
  });
}

Deno.test("tagConflicts() tells which of two contradicting tags counts", () => {
  assert.deepEqual(tagConflicts({ nofailover: false, failover_priority: 0, nosync: true }), [
    "nofailover false contradicts failover_priority 0: nofailover false counts",
  ]);
  assert.equal(
    tagConflicts({ nofailover: true, failover_priority: 2, nosync: true, sync_priority: 1 }).length,
    2,
  );
  assert.deepEqual(tagConflicts({ nofailover: true, failover_priority: 0, sync_priority: 0 }), []);
});
