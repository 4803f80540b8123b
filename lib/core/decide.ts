import type { Decision } from "./action.ts";
import type { Memory } from "./memory.ts";
import type { NodeView } from "./node_view.ts";
import { complete } from "./rules/every_answer.ts";
import { answerIdle } from "./rules/follow.ts";
import { LADDER } from "./rules/ladder.ts";
import type { Answer } from "./rules/rule.ts";

const IDLE = "idle";

/** What to do about this view: the answer of the first rung that has one, completed. Pure, total and deterministic. */
export function decide(view: NodeView, memory: Memory): Decision {
  const { rule, answer } = firstAnswer(view, memory);
  return { rule, ...complete(view, memory, answer) };
}

function firstAnswer(view: NodeView, memory: Memory): { rule: string; answer: Answer } {
  for (const rule of LADDER) {
    const answer = rule.answer(view, memory);
    if (answer !== null) return { rule: rule.name, answer };
  }
  return { rule: IDLE, answer: answerIdle(view) };
}

/** One rung as `agent explain` prints it. */
export interface Rung {
  readonly rule: string;
  readonly answered: boolean;
  /** The sentence of the rung that answered; for those before it what they wait for; null below it. */
  readonly why: string | null;
}

/** The ladder for one view, rung by rung. */
export function explain(view: NodeView, memory: Memory): readonly Rung[] {
  const { rule: answering, why } = decide(view, memory);
  const rungs: Rung[] = [];
  let isBelow = false;
  for (const rule of [...LADDER, { name: IDLE, when: "no other rule applies" }]) {
    const answered = rule.name === answering;
    const text = answered ? why : `does not apply: ${rule.when}`;
    rungs.push({ rule: rule.name, answered, why: isBelow ? null : text });
    isBelow ||= answered;
  }
  return rungs;
}
