import { deepStrictEqual } from "node:assert/strict";
import type { Action, Outcome } from "../../lib/core/action.ts";
import { WorkTally } from "../../lib/runtime/work_tally.ts";
import { cluster, handover, nodeView } from "../core/builders.ts";

const PROMOTE: Action = { kind: "start-task", task: { kind: "promote", notAfterMs: 1 } };

function ended(action: Action, result: Outcome["result"]): readonly Outcome[] {
  return [{ action, result, reason: null, atMs: 0 }];
}

Deno.test("round() counts an ordered promotion as a switchover when a request was there, else as a failover", () => {
  const tally = new WorkTally();
  const lost = nodeView({ cluster: cluster() });
  const wished = nodeView({ cluster: cluster({ handover: handover({ leader: "b" }) }) });
  tally.round(lost, ended(PROMOTE, "done"));
  tally.round(lost, ended(PROMOTE, "refused"));
  tally.round(lost, ended({ kind: "hold-lock" }, "done"));
  tally.round(wished, ended(PROMOTE, "done"));
  tally.round(wished, ended(PROMOTE, "done"));
  const { failovers, switchovers } = tally.counts(0);
  deepStrictEqual([failovers, switchovers], [1, 2]);
});

Deno.test("task() and storeCall() count by kind and by fault", () => {
  const tally = new WorkTally();
  for (const result of ["done", "failed", "done"]) tally.task("clone", result);
  for (const fault of ["timeout", null, "timeout"] as const) tally.storeCall({ tookMs: 20, fault });
  const { tasks, storeFaults, storeCalls, logLinesDropped } = tally.counts(7);
  deepStrictEqual(tasks.toSorted((one, other) => one.result < other.result ? -1 : 1), [
    { task: "clone", result: "done", times: 2 },
    { task: "clone", result: "failed", times: 1 },
  ]);
  deepStrictEqual([storeFaults, storeCalls.count, logLinesDropped], [{ timeout: 2 }, 3, 7]);
});
