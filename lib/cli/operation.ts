import * as v from "valibot";
import { within } from "../base/deadline.ts";
import type { JsonObject } from "../base/json.ts";
import type { CommandContext } from "./command.ts";
import { endpoint } from "./member_url.ts";
import { plainLine } from "./output.ts";
import type { RemoteAnswer } from "./remote.ts";

/** An order to one member. */
export interface Order {
  readonly member: string;
  readonly apiUrl: string;
  readonly path: "restart" | "reinitialize" | "reload" | "switchover" | "failover";
  readonly body: JsonObject;
  /** How long its end is waited for. */
  readonly limitMs: number;
  /** How long a member that keeps no operations may take to answer; `limitMs` when absent. */
  readonly sendMs?: number;
}

const EVERY_MS = 1000;
const LOOK_MS = 3000;

/** A member that says nothing for so long is not waited for: its agent may be gone. */
export const SILENT_MS = 60_000;

type Context = Pick<CommandContext, "remote" | "output" | "clock">;

/**
 * Sends an order and waits for its end, telling its progress on stderr. The answer is what the member's blocking form
 * gives; "lost" when the end cannot be known, also when the time is over. A scheduled order ends with 202 at once.
 */
export async function order(context: Context, wish: Order): Promise<RemoteAnswer> {
  const endMs = context.clock.bootMs() + wish.limitMs;
  using deadline = within(wish.sendMs ?? wish.limitMs);
  const url = endpoint(wish.apiUrl, wish.path);
  const answer = await context.remote.order(url, wish.body, deadline.signal);
  if (answer.kind !== "answered" || answer.status !== 202) return answer;
  const first = readOperation(answer.text);
  const id = answer.operation ?? first?.id;
  if (first === null || id === undefined) return answer; // a member that answers at the end only
  if (first.scheduled_at !== null) return { ...answer, text: `scheduled at ${first.scheduled_at}` };
  return await follow(context, wish, { id, endMs });
}

async function follow(
  { remote, output, clock }: Context,
  { member, apiUrl, limitMs }: Order,
  { id, endMs }: { readonly id: string; readonly endMs: number },
): Promise<RemoteAnswer> {
  const url = endpoint(apiUrl, `operations/${encodeURIComponent(id)}`);
  let told = "";
  let heardMs = clock.bootMs();
  while (clock.bootMs() < endMs) {
    using deadline = within(LOOK_MS);
    const answer = await remote.get(url, deadline.signal);
    const operation = answer.kind === "answered" ? readOperation(answer.text) : null;
    if (operation === null && answer.kind === "answered" && answer.status === 404) {
      return { kind: "lost", why: `the agent of ${member} does not know operation ${id} any more` };
    }
    if (operation !== null) heardMs = clock.bootMs();
    else if (clock.bootMs() - heardMs >= SILENT_MS) return silent(member, id);
    const ended = operation === null ? null : endOf(operation);
    if (ended !== null) return ended;
    const news = operation === null
      ? ""
      : plainLine(operation.progress?.text ?? operation.why ?? "");
    if (news !== "" && news !== told) await output.err(`${member}: ${news}\n`);
    told = news === "" ? told : news;
    await clock.sleep(EVERY_MS);
  }
  return { kind: "lost", why: `still under way after ${limitMs / 1000} s, operation ${id}` };
}

function silent(member: string, id: string): RemoteAnswer {
  const seconds = SILENT_MS / 1000;
  return { kind: "lost", why: `${member} tells nothing of operation ${id} since ${seconds} s` };
}

function endOf({ state, status, text, why }: Operation): RemoteAnswer | null {
  if (state === "queued" || state === "running") return null;
  const told = text ?? why ?? state;
  if (state === "unknown") return { kind: "lost", why: told };
  const usual = state === "done" ? 200 : 503;
  return { kind: "answered", status: status ?? usual, text: told };
}

// What this client needs of lib/api/OPERATIONS.md; everything else may change.
const operationSchema = v.object({
  id: v.string(),
  state: v.picklist(["queued", "running", "done", "failed", "refused", "unknown"]),
  why: v.nullish(v.string(), null),
  progress: v.nullish(v.object({ text: v.string() }), null),
  scheduled_at: v.nullish(v.string(), null),
  status: v.nullish(v.number(), null),
  text: v.nullish(v.string(), null),
});

type Operation = v.InferOutput<typeof operationSchema>;

/** The operation in an answer; null when it is none. */
function readOperation(text: string): Operation | null {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), operationSchema), text);
  return parsed.success ? parsed.output : null;
}
