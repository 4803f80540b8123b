import type { Decision } from "./action.ts";
import type { Memory } from "./memory.ts";
import type { NodeView } from "./node_view.ts";
import { bootstrap, founding } from "./rules/bootstrap.ts";
import { dcsLost } from "./rules/dcs_lost.ts";
import { complete } from "./rules/every_answer.ts";
import { answerIdle, follow } from "./rules/follow.ts";
import { foreignSystem, shutdown, unreadableData } from "./rules/guards.ts";
import { handover } from "./rules/handover.ts";
import { lead } from "./rules/lead.ts";
import { race } from "./rules/race.ts";
import { recoverLeader, recoverReplica } from "./rules/recover.ts";
import type { Answer, Rule } from "./rules/rule.ts";
import { taskRunning } from "./rules/task_running.ts";
import { watchdogGuard } from "./rules/watchdog.ts";
import { leaseLost, unready } from "./rules/unready.ts";

const IDLE = "idle";

/** The order in which the rules are asked; it is policy, and changes only with a decision record. */
export const LADDER: readonly Rule[] = [
  shutdown,
  foreignSystem,
  dcsLost,
  taskRunning,
  founding,
  unreadableData,
  leaseLost,
  bootstrap,
  watchdogGuard,
  unready,
  recoverLeader,
  recoverReplica,
  handover,
  lead,
  race,
  follow,
];

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
