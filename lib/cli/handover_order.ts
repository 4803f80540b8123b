import type { ClusterView } from "../core/cluster_view.ts";
import { awaitLeader } from "./await_leader.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import type { Plan } from "./handover_plan.ts";
import { order } from "./operation.ts";
import { complaint, plainLine, say } from "./output.ts";
import type { RemoteAnswer } from "./remote.ts";
import { adviceOn } from "./results.ts";

type Send = Extract<Plan, { readonly kind: "send" }>;

/** A leader may take long to stop; its progress is told meanwhile. */
const FOLLOW_MS = 600_000;

/**
 * Sends the request of a plan and tells how it ended; an end that the member did not tell is looked for in the store
 * until the lease of the former leader is over. Returns the exit code.
 */
export async function carryOut(
  context: CommandContext,
  plan: Send,
  before: ClusterView,
): Promise<number> {
  const { loopWaitS, ttlS } = before.settings;
  const answer = await order(context, {
    member: plan.target,
    apiUrl: plan.apiUrl,
    path: plan.operation,
    body: plan.body,
    sendMs: (2 * Math.max(10, loopWaitS) + 10) * 1000,
    limitMs: FOLLOW_MS,
  });
  const verdict = judge(answer, plan.target);
  if (verdict.code === EXIT.done) {
    await say(context, `${verdict.text}\n`);
    return EXIT.done;
  }
  await context.output.err(complaint(verdict.text, verdict.next));
  if (verdict.code !== EXIT.unknown) return verdict.code;
  const leader = await awaitLeader(context, {
    former: before.lock?.holder ?? null,
    candidate: plan.candidate,
    limitMs: (ttlS + loopWaitS) * 1000,
  });
  if (leader === null) return EXIT.unknown;
  await say(context, `${leader} leads now\n`);
  return EXIT.done;
}

interface Verdict {
  readonly code: number;
  readonly text: string;
  readonly next: string | undefined;
}

const LOOK = "Looking into the store until the lease of the former leader is over.";

function judge(answer: RemoteAnswer, target: string): Verdict {
  const next = adviceOn(answer);
  if (answer.kind === "unreachable") {
    return { code: EXIT.failed, text: `Cannot reach ${target}: ${answer.why}`, next };
  }
  if (answer.kind === "lost") {
    const text = `Status unknown: ${target} gave no answer (${answer.why})`;
    return { code: EXIT.unknown, text, next: LOOK };
  }
  const { status } = answer;
  const text = plainLine(answer.text);
  if (status === 200 || status === 202) return { code: EXIT.done, text, next };
  if (/status unknown/i.test(text)) return { code: EXIT.unknown, text, next: LOOK };
  return { code: EXIT.failed, text: `${target} refused (${status}): ${text}`, next };
}
