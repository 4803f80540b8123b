import { within } from "../base/deadline.ts";
import type { ClusterView } from "../core/cluster_view.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { awaitLeader } from "./await_leader.ts";
import { type HandoverOptions, type Plan, planHandover } from "./handover_plan.ts";
import { judgeHandover } from "./handover_verdict.ts";
import { memberTable } from "./list.ts";
import { look, lookOrNull } from "./look.ts";
import { endpoint } from "./member_url.ts";
import { order } from "./operation.ts";
import { complaint, say } from "./output.ts";
import { permit } from "./permit.ts";
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
  const verdict = judgeHandover(answer, plan.target);
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

async function showMembers(context: CommandContext): Promise<void> {
  const view = await lookOrNull(context.cluster);
  if (view === null) return; // what was done is done
  const table = memberTable(view, context.cluster.scope);
  await context.output.out(await renderTable(table, context.format));
}
