import { within } from "../base/deadline.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { type HandoverOptions, planHandover } from "./handover_plan.ts";
import { carryOut } from "./handover_order.ts";
import { memberTable } from "./list.ts";
import { look, lookOrNull } from "./look.ts";
import { endpoint } from "./member_url.ts";
import { complaint } from "./output.ts";
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
    () => renderTable(memberTable(view, context.cluster.scope), "pretty", context.output.width()),
  );
  if (permission !== EXIT.done) return permission;
  const ended = await carryOut(context, plan, view);
  await showMembers(context);
  return ended;
}

const PROBE_MS = 3000;

/** Any HTTP answer counts: the agent lives, whatever it says of its server. */
async function answers({ remote }: CommandContext, apiUrl: string): Promise<boolean> {
  using deadline = within(PROBE_MS);
  const answer = await remote.get(endpoint(apiUrl, "liveness"), deadline.signal);
  return answer.kind === "answered";
}

async function showMembers(context: CommandContext): Promise<void> {
  const view = await lookOrNull(context.cluster);
  if (view === null) return; // what was done is done
  const table = memberTable(view, context.cluster.scope);
  await context.output.out(await renderTable(table, context.format, context.output.width()));
}
