import * as v from "valibot";
import { within } from "../base/deadline.ts";
import type { MemberState } from "../core/cluster_view.ts";
import type { CommandContext } from "./command.ts";
import { askable, endpoint } from "./member_url.ts";
import { order } from "./operation.ts";
import { plainLine } from "./output.ts";
import { confirm } from "./prompt.ts";
import type { RemoteAnswer } from "./remote.ts";
import { Silence, silentSince, whyDeaf } from "./silence.ts";

/** What `agent reinit` is told. */
export interface ReinitOptions {
  readonly names: readonly string[];
  /** Copy from the leader, also when a replica offers itself. */
  readonly fromLeader: boolean;
  /** Return only when each copy has ended. */
  readonly wait: boolean;
}

const START_MS = 30_000;
const COPY_MS = 24 * 3600 * 1000;

/** Has one member copied anew; offers to cancel what is under way there. The answer is as `order` gives it. */
export async function copyAnew(
  context: CommandContext,
  member: MemberState,
  options: ReinitOptions,
): Promise<RemoteAnswer> {
  const answer = await ask(context, member, options, context.force);
  const isBusy = answer.kind === "answered" && answer.status >= 400 &&
    / already in progress$/.test(answer.text.trim());
  if (!isBusy || context.force || !context.prompt.isTerminal) return answer;
  const question = `${member.name}: ${plainLine(answer.text)}. Cancel that and copy anew?`;
  return await confirm(context.prompt, question)
    ? await ask(context, member, options, true)
    : answer;
}

async function ask(
  context: CommandContext,
  { name, apiUrl: published }: MemberState,
  { fromLeader, wait }: ReinitOptions,
  force: boolean,
): Promise<RemoteAnswer> {
  const apiUrl = askable(published);
  if (apiUrl === null) return { kind: "unreachable", why: "it has published no address" };
  const body = { force, from_leader: fromLeader };
  if (wait) {
    const wish = { member: name, apiUrl, path: "reinitialize", body, limitMs: COPY_MS } as const;
    const answer = await order(context, wish);
    const isOld = answer.kind === "answered" && answer.status === 200 &&
      answer.text.trim() === STARTED;
    return isOld ? await untilCopied(context, name, apiUrl) : answer;
  }
  const deaf = await whyDeaf(context, { member: name, apiUrl });
  if (deaf !== null) return { kind: "unreachable", why: deaf };
  using deadline = within(START_MS);
  return await context.remote.post(endpoint(apiUrl, "reinitialize"), body, deadline.signal);
}

/** The text of a member that answers when the copy has begun, not when it has ended. */
const STARTED = "reinitialize started";
const EVERY_MS = 2000;
const LOOK_MS = 3000;

/** Looks at the member's own state: for members that keep no operations. */
async function untilCopied(
  context: CommandContext,
  name: string,
  apiUrl: string,
): Promise<RemoteAnswer> {
  const { remote, output, clock } = context;
  await output.err(`${name}: ${STARTED}\n`);
  const silence = new Silence(context, name);
  while (true) {
    await clock.sleep(EVERY_MS);
    using deadline = within(LOOK_MS);
    const answer = await remote.get(endpoint(apiUrl, "patroni"), deadline.signal);
    const state = answer.kind === "answered" ? stateIn(answer.text) : null;
    if (await silence.isTooLong(state !== null)) return { kind: "lost", why: silentSince(name) };
    if (state === null || state === "creating replica") continue;
    const isGood = state === "running" || state === "starting";
    return { kind: "answered", status: isGood ? 200 : 503, text: `copied; its server is ${state}` };
  }
}

const stateSchema = v.pipe(v.string(), v.parseJson(), v.object({ state: v.string() }));

function stateIn(text: string): string | null {
  const parsed = v.safeParse(stateSchema, text);
  return parsed.success ? parsed.output.state : null;
}
