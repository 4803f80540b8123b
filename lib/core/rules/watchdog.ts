import type { Action } from "../action.ts";
import type { Memory } from "../memory.ts";
import type { NodeView } from "../node_view.ts";
import { watchdogObstacle } from "../watchdog.ts";
import { authorityEndsMs, isPaused, lockSide, mayBePrimary } from "./facts.ts";
import { act } from "./rule.ts";
import type { Answer, Rule } from "./rule.ts";
import { stopInOrder } from "./stopping.ts";

const HOLD: Action = { kind: "hold-lock" };

/** A leader runs its watchdog before its server may write; where one is required and not to be had, it does not lead (E1). */
export const watchdogGuard: Rule = {
  name: "watchdog",
  when: "this node holds the lock and its watchdog does not run",
  answer: (view, memory): Answer | null => {
    if (lockSide(view) !== "me" || authorityEndsMs(view, memory) === null) return null;
    if (isPaused(view, memory)) return null;
    if (view.watchdog?.kind === "ready") {
      // The next tick, at once: this one may have used up its rounds on the way to the lock.
      const open: Action = { kind: "open-watchdog" };
      return act("opening the watchdog before leading", [HOLD, open], view.nowMs);
    }
    const obstacle = watchdogObstacle(view.watchdog);
    if (obstacle === null) return null;
    const why = `the watchdog is required and cannot be used: ${obstacle}`;
    if (mayBePrimary(view.postgres, memory)) return act(why, [HOLD, stopInOrder("fast", why)]);
    return act(why, [{ kind: "release-lock", lastLsn: null }]);
  },
};

/** Actions after which the watchdog goes on: they keep or take the right to lead. */
const LEADING: readonly Action["kind"][] = ["hold-lock", "take-lock", "open-watchdog"];

/**
 * True when the running watchdog has nothing left to guard: the server is down for certain or a replica, no job
 * changes that, and these actions do not lead. A server that could not be stopped keeps it running, so that the host
 * is reset before the lease ends. In maintenance mode it guards nothing, once the switch has been laid to rest.
 */
export function mayCloseWatchdog(
  view: NodeView,
  memory: Memory,
  actions: readonly Action[],
): boolean {
  if (view.watchdog?.kind !== "active") return false;
  if (isPaused(view, memory) && (view.armed ?? null) === null) return true;
  if (view.task.kind === "running") return false;
  if (mayBePrimary(view.postgres, memory)) return false;
  return !actions.some(({ kind }) => LEADING.includes(kind));
}
