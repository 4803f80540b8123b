import { deepStrictEqual } from "node:assert/strict";
import type { Log } from "../../lib/base/log.ts";
import { silentLog } from "../../lib/base/log.ts";
import type { Action, Outcome } from "../../lib/core/action.ts";
import { HeartbeatLog } from "../../lib/runtime/heartbeat_log.ts";
import { nodeView } from "../core/builders.ts";
import { VirtualClock } from "./fakes.ts";

const ABANDON: Action = { kind: "abandon-bootstrap" };
const HOLD: Action = { kind: "hold-lock" };

/** How many warnings an action with this end causes. */
function warnings(action: Action, result: Outcome["result"]): number {
  let count = 0;
  const log: Log = { ...silentLog, warn: () => void count++ };
  const decision = { rule: "a", why: "b", actions: [action], again: false, wakeAtMs: null };
  new HeartbeatLog(log, new VirtualClock())
    .write(nodeView(), decision, [{ action, result, reason: "no", atMs: 0 }]);
  return count;
}

Deno.test("write() warns of a refusal unless others were to win, and always of a lost answer", () => {
  deepStrictEqual([warnings(ABANDON, "refused"), warnings(ABANDON, "unknown")], [0, 1]);
  deepStrictEqual([warnings(HOLD, "refused"), warnings(HOLD, "done")], [1, 0]);
});
