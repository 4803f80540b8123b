import * as v from "valibot";
import { within } from "../base/deadline.ts";
import type { JsonObject } from "../base/json.ts";
import type { CommandContext } from "./command.ts";
import { sayAtInterrupt } from "./interrupt.ts";
import { endpoint } from "./member_url.ts";
import { plainLine } from "./output.ts";
import type { RemoteAnswer } from "./remote.ts";
import { Silence, silentSince, whileHeard, whyDeaf } from "./silence.ts";

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
  /** Where the member is asked now, null: not known. Absent: the order does not change it. */
  readonly addressNow?: () => Promise<string | null>;
}

const EVERY_MS = 1000;
const LOOK_MS = 3000;

type Context = Pick<CommandContext, "remote" | "output" | "clock">;

/**
 * Sends an order and waits for its end, telling its progress on stderr. The answer is what the member's blocking form
 * gives; "unreachable" when nothing was sent, also because the member answers nothing; "lost" when the end cannot be
 * known: the time is over, or the member has fallen silent. A scheduled order ends with 202 at once.
 */
export async function order(context: Context, wish: Order): Promise<RemoteAnswer> {
  const deaf = await whyDeaf(context, wish);
  if (deaf !== null) return { kind: "unreachable", why: deaf };
  const goesOn = `\n${wish.member}: what was ordered goes on there; agent list shows it\n`;
  using _said = sayAtInterrupt(context.output, goesOn);
  const endMs = context.clock.bootMs() + wish.limitMs;
  const answer = await whileHeard(context, wish, async (signal) => {
    using deadline = within(wish.sendMs ?? wish.limitMs, signal);
    return await context.remote.order(endpoint(wish.apiUrl, wish.path), wish.body, deadline.signal);
  });
  if (answer.kind !== "answered" || answer.status !== 202) return answer;
  const first = readOperation(answer.text);
  const id = answer.operation ?? first?.id;
  if (first === null || id === undefined) return answer; // a member that answers at the end only
  if (first.scheduled_at !== null) return { ...answer, text: `scheduled at ${first.scheduled_at}` };
  return await follow(context, wish, { id, endMs });
}

async function follow(
  context: Context,
  { member, apiUrl, limitMs, addressNow }: Order,
  { id, endMs }: { readonly id: string; readonly endMs: number },
): Promise<RemoteAnswer> {
  const { remote, output, clock } = context;
  let at = apiUrl;
  const silence = new Silence(context, member);
  let told = "";
  while (clock.bootMs() < endMs) {
    using deadline = within(LOOK_MS);
    const url = endpoint(at, `operations/${encodeURIComponent(id)}`);
    const answer = await remote.get(url, deadline.signal);
    const operation = answer.kind === "answered" ? readOperation(answer.text) : null;
    if (operation === null && answer.kind === "answered" && answer.status === 404) {
      return { kind: "lost", why: `the agent of ${member} does not know operation ${id} any more` };
    }
    if (await silence.isTooLong(operation !== null)) {
      return { kind: "lost", why: `${silentSince(member)}; it may go on with operation ${id}` };
    }
    if (operation === null) at = await addressNow?.() ?? at;
    const ended = operation === null ? null : endOf(operation);
    if (ended !== null) return ended;
    const news = operation === null ? "" : newsOf(operation);
    if (news !== "" && news !== told) await output.err(`${member}: ${news}\n`);
    told = news === "" ? told : news;
    await clock.sleep(EVERY_MS);
  }
  return { kind: "lost", why: `still under way after ${limitMs / 1000} s, operation ${id}` };
}

function newsOf({ progress, why }: Operation): string {
  return plainLine(progress?.text ?? why ?? "");
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
