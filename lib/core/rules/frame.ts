import type { Action } from "../action.ts";
import type { Memory } from "../memory.ts";
import type { NodeView } from "../node_view.ts";
import { authorityEndsMs } from "./facts.ts";
import { earlier } from "./rule.ts";
import type { Answer } from "./rule.ts";
import { mayCloseWatchdog } from "./watchdog.ts";

/**
 * What holds whichever rung answered: a node that may lead looks again when its lease has to be given up, and a watchdog
 * that has nothing left to guard ends before anything else is done.
 */
export function frame(view: NodeView, memory: Memory, answer: Answer): Answer {
  const wakeAtMs = earlier(answer.wakeAtMs, authorityEndsMs(view, memory));
  if (!mayCloseWatchdog(view, memory, answer.actions)) return { ...answer, wakeAtMs };
  const close: Action = { kind: "close-watchdog" };
  return { ...answer, wakeAtMs, actions: [close, ...answer.actions] };
}
