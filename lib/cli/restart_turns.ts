import { within } from "../base/deadline.ts";
import type { JsonObject } from "../base/json.ts";
import type { MemberState } from "../core/cluster_view.ts";
import type { CommandContext } from "./command.ts";
import { lookOrNull, READ_MS } from "./look.ts";
import { askable, endpoint } from "./member_url.ts";
import { order } from "./operation.ts";
import type { RemoteAnswer } from "./remote.ts";
import type { ReadRestart } from "./restart_options.ts";
import { adviceOn, type MemberResult, resultOf, tell } from "./results.ts";

/** What is to be done at each member. */
export type Job =
  & Extract<ReadRestart, { readonly kind: "good" }>
  & { readonly wait: boolean };

/** Restarts one member after the other until one does not come back; tells each result as it comes. */
export async function inTurn(
  context: CommandContext,
  members: readonly MemberState[],
  job: Job,
): Promise<readonly MemberResult[]> {
  const results: MemberResult[] = [];
  for (const [index, member] of members.entries()) {
    const { result, next } = await restartOne(context, member, job);
    results.push(result);
    await tell(context, result, next);
    if (["done", "scheduled", "needless"].includes(result.result)) continue;
    const left = members.slice(index + 1).map(({ name }) => name);
    const text = `left alone, because ${member.name} did not come back`;
    for (const name of left) {
      const skipped: MemberResult = { member: name, result: "skipped", text };
      results.push(skipped);
      await tell(context, skipped);
    }
    break;
  }
  return results;
}

interface One {
  readonly result: MemberResult;
  readonly next: string | undefined;
}

async function restartOne(
  context: CommandContext,
  { name, apiUrl: published, scheduledRestart }: MemberState,
  job: Job,
): Promise<One> {
  const apiUrl = askable(published);
  if (apiUrl === null) {
    const text = "has published no address";
    return { result: { member: name, result: "unreachable", text }, next: undefined };
  }
  if (job.iso !== null && context.force && scheduledRestart !== null) {
    using deadline = within(READ_MS);
    await context.remote.delete(endpoint(apiUrl, "restart"), deadline.signal);
  }
  const { body, limitMs } = job;
  const answer = await order(context, { member: name, apiUrl, path: "restart", body, limitMs });
  const result = judge(name, answer, body);
  if (!job.wait || result.result !== "done") return { result, next: adviceOn(answer) };
  return await isBack(context, name, limitMs) ? { result, next: undefined } : {
    result: { member: name, result: "unknown", text: "restarted, but not running in time" },
    next: "Look with agent list and into the log of its server.",
  };
}

/** A member that does not meet the conditions was not meant: that is no failure. */
function judge(member: string, answer: RemoteAnswer, body: JsonObject): MemberResult {
  const result = resultOf(member, answer);
  const isConditional = "restart_pending" in body || "postgres_version" in body;
  const isUnmet = result.result === "refused" && /conditions are not satisfied/.test(result.text);
  return isConditional && isUnmet
    ? { member, result: "needless", text: "left alone: it does not meet the conditions" }
    : result;
}

const LOOK_EVERY_MS = 1000;

/** Until the member shows a running server: a leader with the lock, a replica that streams. */
async function isBack(context: CommandContext, name: string, limitMs: number): Promise<boolean> {
  const endMs = context.clock.bootMs() + limitMs;
  let isTold = false;
  do {
    const view = await lookOrNull(context.cluster);
    const member = view?.members.find((one) => one.name === name);
    const isRunning = member?.state === "running" && !member.pendingRestart;
    const isUsed = view?.lock?.holder === name || member?.replicationState === "streaming";
    if (isRunning && isUsed) return true;
    if (!isTold) await context.output.err(`${name}: restarted, waiting until it is in use\n`);
    isTold = true;
    await context.clock.sleep(LOOK_EVERY_MS);
  } while (context.clock.bootMs() < endMs);
  return false;
}
