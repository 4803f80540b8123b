import { within } from "../base/deadline.ts";
import type { ClusterView } from "../core/cluster_view.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { awaitLeader } from "./await_leader.ts";
import { type HandoverOptions, type Plan, planHandover } from "./handover_plan.ts";
import { memberTable } from "./list.ts";
import { look, lookOrNull } from "./look.ts";
import { endpoint } from "./member_url.ts";
import { order } from "./operation.ts";
import { complaint, plainLine, say } from "./output.ts";
import { permit } from "./permit.ts";
import type { RemoteAnswer } from "./remote.ts";
import { renderTable } from "./table.ts";
import { readWhen } from "./when.ts";

/**
 * `agent switchover` and `agent failover`: asks, sends the request to the member that must act, and tells how it
 * ended. Returns 0 done, 1 refused or failed, 2 when nobody can be asked, 3 when the end is not known.
 * Throws `DcsUnreachable` before anything was sent.
 */
export async function handover(
  context: CommandContext,
  wish: HandoverOptions,
): Promise<number> {
  const when = readWhen(wish.scheduled, context.clock.wallMs());
  if (when.kind === "bad") {
    await context.output.err(complaint(when.what, when.next));
    return EXIT.usage;
  }
  const view = await look(context.cluster);
  const wanted = { ...wish, scheduled: when.iso };
  const plan = await planHandover(view, wanted, (apiUrl) => answers(context, apiUrl));
  if (plan.kind !== "send") {
    await context.output.err(complaint(plan.what, plan.next));
    return plan.kind === "usage" ? EXIT.usage : EXIT.failed;
  }
  const permission = await permit(
    context,
    plan.question,
    () => renderTable(memberTable(view, context.cluster.scope), "pretty"),
  );
  if (permission !== EXIT.done) return permission;
  const ended = await carryOut(context, plan, view);
  await showMembers(context);
  return ended;
}

type Send = Extract<Plan, { readonly kind: "send" }>;

const PROBE_MS = 3000;

/** Any HTTP answer counts: the agent lives, whatever it says of its server. */
async function answers({ remote }: CommandContext, apiUrl: string): Promise<boolean> {
  using deadline = within(PROBE_MS);
  const answer = await remote.get(endpoint(apiUrl, "liveness"), deadline.signal);
  return answer.kind === "answered";
}

/** A leader may take long to stop; its progress is told meanwhile. */
const FOLLOW_MS = 600_000;

async function carryOut(context: CommandContext, plan: Send, before: ClusterView): Promise<number> {
  const { loopWaitS, ttlS } = before.settings;
  const answer = await order(context, {
    member: plan.target,
    apiUrl: plan.apiUrl,
    path: plan.operation,
    body: plan.body,
    sendMs: (2 * Math.max(10, loopWaitS) + 10) * 1000,
    limitMs: FOLLOW_MS,
  });
  const verdict = judge(answer, plan);
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
  readonly next?: string;
}

const LOOK = "Looking into the store until the lease of the former leader is over.";

function judge(answer: RemoteAnswer, plan: Send): Verdict {
  if (answer.kind === "unreachable") {
    const next = "Nothing was sent. Check the agent there, then repeat.";
    return { code: EXIT.failed, text: `Cannot reach ${plan.target}: ${answer.why}`, next };
  }
  if (answer.kind === "lost") {
    const text = `Status unknown: ${plan.target} gave no answer (${answer.why})`;
    return { code: EXIT.unknown, text, next: LOOK };
  }
  const { status, text } = answer;
  if (status === 200 || status === 202) return { code: EXIT.done, text: plainLine(text) };
  if (/status unknown/i.test(text)) {
    return { code: EXIT.unknown, text: plainLine(text), next: LOOK };
  }
  const hint = status === 401 || status === 403
    ? { next: "Check ctl.authentication or restapi.authentication in the configuration file." }
    : {};
  return {
    code: EXIT.failed,
    text: `${plan.target} refused (${status}): ${plainLine(text)}`,
    ...hint,
  };
}

async function showMembers(context: CommandContext): Promise<void> {
  const view = await lookOrNull(context.cluster);
  if (view === null) return; // what was done is done
  const table = memberTable(view, context.cluster.scope);
  await context.output.out(await renderTable(table, context.format));
}
