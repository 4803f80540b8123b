import type { Action } from "../action.ts";
import type { Memory } from "../memory.ts";
import type { NodeView } from "../node_view.ts";

/** What a rung says: a decision without the rung's name. */
export interface Answer {
  readonly why: string;
  readonly actions: readonly Action[];
  readonly again: boolean;
  readonly wakeAtMs: number | null;
}

/** One rung of the ladder: a pure judgement that answers or leaves the case to the next rung. */
export interface Rule {
  readonly name: string;
  /** When this rung answers; `explain` prints it for rungs that did not. */
  readonly when: string;
  readonly answer: (view: NodeView, memory: Memory) => Answer | null;
}

/** Do this and wait for the next tick, not later than `wakeAtMs`. */
export function act(
  why: string,
  actions: readonly Action[],
  wakeAtMs: number | null = null,
): Answer {
  return { why, actions, again: false, wakeAtMs };
}

/** Do this, then look and decide again in the same tick. */
export function actAndLook(why: string, actions: readonly Action[]): Answer {
  return { why, actions, again: true, wakeAtMs: null };
}

/** The earlier of two moments, where null is never. */
export function earlier(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}
