import { within } from "../base/deadline.ts";
import type { ClusterView } from "../core/cluster_view.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { look } from "./look.ts";
import { askable, endpoint } from "./member_url.ts";
import { complaint } from "./output.ts";
import { permit } from "./permit.ts";
import type { RemoteAnswer } from "./remote.ts";
import { adviceOn, conclude, type MemberResult, resultOf, tell } from "./results.ts";
import { leaderFirst, select, type Selection } from "./selection.ts";
import { whyDeaf } from "./silence.ts";

/** What `agent flush` is told. */
export interface FlushOptions extends Selection {
  readonly what: "restart" | "switchover";
}

const SEND_MS = 15_000;

/**
 * `agent flush`: drops what is scheduled. Returns 0 also when nothing is, 1 refused or failed, 2 when nobody can be
 * asked, 3 when the end is not known. Throws `DcsUnreachable` before anything was sent.
 */
export async function flush(context: CommandContext, options: FlushOptions): Promise<number> {
  const view = await look(context.cluster);
  return options.what === "switchover"
    ? await flushSwitchover(context, view)
    : await flushRestarts(context, view, options);
}

async function flushRestarts(
  context: CommandContext,
  view: ClusterView,
  selection: Selection,
): Promise<number> {
  const chosen = select(view, context.cluster.scope, selection);
  if (chosen.kind === "refused") {
    await context.output.err(complaint(chosen.what, chosen.next));
    return EXIT.failed;
  }
  const due = chosen.members.filter(({ scheduledRestart }) => scheduledRestart !== null);
  if (due.length === 0) {
    await context.output.err("No restart is scheduled\n");
    return await conclude(context, []);
  }
  const names = due.map(({ name }) => name).join(", ");
  const permission = await permit(context, `Drop the scheduled restart of ${names}?`);
  if (permission !== EXIT.done) return permission;
  const results: MemberResult[] = [];
  for (const { name, apiUrl } of due) {
    const answer = goneIsDone(await drop(context, { member: name, apiUrl }, "restart"));
    const result = resultOf(name, answer);
    results.push(result);
    await tell(context, result, adviceOn(answer));
  }
  return await conclude(context, results);
}

async function drop(
  context: CommandContext,
  { member, apiUrl: published }: { readonly member: string; readonly apiUrl: string | null },
  path: "restart" | "switchover",
): Promise<RemoteAnswer> {
  const apiUrl = askable(published);
  if (apiUrl === null) return { kind: "unreachable", why: "it has published no address" };
  const deaf = await whyDeaf(context, { member, apiUrl });
  if (deaf !== null) return { kind: "unreachable", why: deaf };
  using deadline = within(SEND_MS);
  return await context.remote.delete(endpoint(apiUrl, path), deadline.signal);
}

/** 404 says that there is none any more: what was wanted. */
function goneIsDone(answer: RemoteAnswer): RemoteAnswer {
  return isGone(answer) ? { ...answer, status: 200 } : answer;
}

function isGone(
  answer: RemoteAnswer,
): answer is Extract<RemoteAnswer, { readonly kind: "answered" }> {
  return answer.kind === "answered" && answer.status === 404;
}

/** At the leader, then at the others; when no agent drops it, in the store itself. */
async function flushSwitchover(context: CommandContext, view: ClusterView): Promise<number> {
  if (!isScheduled(view)) {
    await context.output.err("No switchover is scheduled\n");
    return await conclude(context, []);
  }
  const permission = await permit(context, "Drop the scheduled switchover?");
  if (permission !== EXIT.done) return permission;
  for (const { name, apiUrl } of leaderFirst(view)) {
    const answer = await drop(context, { member: name, apiUrl }, "switchover");
    if (answer.kind === "unreachable") continue;
    // A member that is behind, or no agent at all, does not know what the store still shows.
    if (isGone(answer) && isScheduled(await look(context.cluster))) continue;
    const result = resultOf(name, goneIsDone(answer));
    await tell(context, result, adviceOn(answer));
    return await conclude(context, [result]);
  }
  return await flushInStore(context, view.handover.revision);
}

function isScheduled(
  view: ClusterView,
): view is ClusterView & { readonly handover: NonNullable<ClusterView["handover"]> } {
  return view.handover !== null && view.handover.scheduledAtMs !== null;
}

async function flushInStore(context: CommandContext, revision: bigint): Promise<number> {
  using deadline = within(SEND_MS);
  const { cluster, output } = context;
  const written = await cluster.clearHandover(revision, deadline.signal);
  if (written.kind === "done") {
    const text = "dropped in the store: no agent did it";
    const result: MemberResult = { member: cluster.scope, result: "done", text };
    await tell(context, result);
    return await conclude(context, [result]);
  }
  const what = written.kind === "refused"
    ? "the request was changed meanwhile: nothing was dropped"
    : `Status unknown: ${written.why}`;
  await output.err(complaint(what, "Look with agent list before you repeat it."));
  return written.kind === "refused" ? EXIT.failed : EXIT.unknown;
}
