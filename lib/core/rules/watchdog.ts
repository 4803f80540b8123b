import type { Action } from "../action.ts";
import type { Memory } from "../memory.ts";
import type { NodeView } from "../node_view.ts";
import { isPaused, mayBePrimary } from "./facts.ts";

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
