import { errandOf } from "../../lib/core/action.ts";
import type { Action, Decision, TaskSpec } from "../../lib/core/action.ts";
import type { Memory } from "../../lib/core/memory.ts";
import { mayBePromoted } from "../../lib/core/memory.ts";
import type { NodeView } from "../../lib/core/node_view.ts";
import { hasEnded, isPaused } from "../../lib/core/rules/facts.ts";

/**
 * What maintenance mode promises, and what it takes away.
 *
 * Promised: an agent that knows of it starts, stops, promotes and copies nothing, except for a handover to a member that an operator
 * names, what he orders by hand, a promotion that it or the process before it may have ordered already, and to bring back what it
 * has stopped itself, or what went down under the switch that the process before had armed.
 *
 * Taken away: from the moment at which an agent has seen the mode in the store, nothing fences its server; that lasts until it
 * has seen the store without the mode, and a grace for the stop. A primary whose lock is free then reaches for it: as long as
 * its requests get no answer it cannot know whether it holds the lock, so the grace begins with its next look at the store.
 */
export class PausePromises {
  readonly #graceMs: number;
  readonly #unfencedUntilMs = new Map<string, number>();

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  /** What this decision breaks, or null. To be told of every decision. */
  judge(view: NodeView, memory: Memory, decision: Decision, nowMs: number): string | null {
    const { cluster, self } = view;
    const isOn = isPaused(view, memory);
    if (cluster.kind === "seen") {
      if (isOn) this.seen(self.name);
      else if (this.excuses(self.name, Infinity)) {
        this.#unfencedUntilMs.set(self.name, nowMs + this.#graceMs);
      }
    }
    const broken = isOn
      ? decision.actions.find((action) => !isAllowed(action, view, memory))
      : null;
    return broken ? `${decision.rule} orders ${nameOf(broken)}` : null;
  }

  /** This agent has seen the mode in the store. */
  seen(name: string): void {
    this.#unfencedUntilMs.set(name, Infinity);
  }

  /** This agent sends a request for the free lock. */
  reaches(name: string, nowMs: number): void {
    if (this.excuses(name, nowMs)) this.#unfencedUntilMs.set(name, Infinity);
  }

  /** True while nothing fences this member's server. */
  excuses(name: string, nowMs: number): boolean {
    const untilMs = this.#unfencedUntilMs.get(name) ?? -Infinity;
    return untilMs === Infinity || nowMs < untilMs;
  }
}

function nameOf(action: Action): string {
  return action.kind === "start-task" ? action.task.kind : action.kind;
}

function isAllowed(action: Action, view: NodeView, memory: Memory): boolean {
  const isNamed = candidateOf(view) === view.self.name || mayBePromoted(memory);
  if (action.kind === "take-lock") return isNamed || view.postgres.kind === "primary";
  if (action.kind !== "start-task" || isByHand(action.task, view)) return true;
  switch (action.task.kind) {
    case "follow":
      return true;
    case "stop":
      return candidateOf(view) !== null || mayBePromoted(memory) || view.task.kind === "running";
    case "promote":
    case "pre-promote":
      return isNamed;
    case "start-replica":
      return hasEnded(view, "stop", "done") || (memory.guardedReplica?.downMs ?? null) !== null;
    case "start-primary":
      return hasEnded(view, "stop", "done");
    default:
      return false;
  }
}

/** An operator's order of this moment is allowed, one that was planned is not. */
function isByHand(task: TaskSpec, { wishes }: NodeView): boolean {
  const id = errandOf(task)?.id;
  return wishes.some((wish) => "id" in wish && wish.id === id && wish.kind !== "scheduled-restart");
}

function candidateOf({ cluster }: NodeView): string | null {
  return cluster.kind === "seen" ? cluster.handover?.candidate ?? null : null;
}
