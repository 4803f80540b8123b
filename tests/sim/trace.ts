import type { Decision, Outcome } from "../../lib/core/action.ts";

/** Where a run tells what happens; `seconds` is virtual time since its start. */
export type TraceSink = (
  line: { readonly seconds: number; readonly who: string; readonly text: string },
) => void;

/** Counts which rules answered and passes on decisions that differ from the node's last. */
export class Trace {
  readonly rules = new Map<string, number>();
  readonly #sink: TraceSink | null;
  readonly #nowMs: () => number;
  readonly #last = new Map<string, string>();

  constructor(sink: TraceSink | null, nowMs: () => number) {
    this.#sink = sink;
    this.#nowMs = nowMs;
  }

  /** One round of one node. */
  record(node: { readonly name: string }, decision: Decision, outcomes: readonly Outcome[]): void {
    this.rules.set(decision.rule, (this.rules.get(decision.rule) ?? 0) + 1);
    if (this.#sink === null) return;
    const text = `${decision.rule.padEnd(18)} ${actionsText(decision, outcomes)}  ${decision.why}`;
    const shape = `${decision.rule} ${actionsText(decision, outcomes)}`;
    if (this.#last.get(node.name) === shape) return;
    this.#last.set(node.name, shape);
    this.say(node.name, text);
  }

  /** A line of the surroundings. */
  say(who: string, text: string): void {
    this.#sink?.({ seconds: this.#nowMs() / 1000, who, text });
  }
}

function actionsText(decision: Decision, outcomes: readonly Outcome[]): string {
  const quiet = ["hold-lock", "write-status", "sync-slots", "apply-settings"];
  const texts = decision.actions.map((action, index) => {
    const result = outcomes[index]?.result ?? "not tried";
    if (quiet.includes(action.kind) && result === "done") return "";
    const name = action.kind === "start-task" ? taskText(action.task) : action.kind;
    return result === "done" ? name : `${name}: ${result}`;
  });
  const shown = texts.filter((text) => text !== "").join(", ");
  return shown === "" ? "(nothing)" : shown;
}

function taskText(
  task: Extract<Decision["actions"][number], { kind: "start-task" }>["task"],
): string {
  switch (task.kind) {
    case "clone":
      return `clone(${task.source.name}${task.old === "move-aside" ? ", move aside" : ""})`;
    case "rewind":
      return `rewind(${task.source.name})`;
    case "start-replica":
    case "follow":
      return `${task.kind}(${task.upstream?.name ?? "nobody"})`;
    case "stop":
      return `stop(${task.how})`;
    default:
      return task.kind;
  }
}
