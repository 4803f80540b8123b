import * as v from "valibot";
import { within } from "../base/deadline.ts";
import type { MemberState } from "../core/cluster_view.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { memberTable } from "./list.ts";
import { look } from "./look.ts";
import { askable, endpoint } from "./member_url.ts";
import { order } from "./operation.ts";
import { complaint } from "./output.ts";
import { permit } from "./permit.ts";
import { confirm } from "./prompt.ts";
import type { RemoteAnswer } from "./remote.ts";
import { adviceOn, conclude, type MemberResult, resultOf, tell } from "./results.ts";
import { select } from "./selection.ts";
import { renderTable } from "./table.ts";

/** What `agent reinit` is told. */
export interface ReinitOptions {
  readonly names: readonly string[];
  /** Copy from the leader, also when a replica offers itself. */
  readonly fromLeader: boolean;
  /** Return only when each copy has ended. */
  readonly wait: boolean;
}

/**
 * `agent reinit`: throws the data of replicas away and copies them anew, one request each. Without `--wait` a copy goes
 * on behind; with it the progress is told. Returns 0, 1 refused or failed, 2 wrong usage, 3 when an end is not known.
 */
export async function reinit(context: CommandContext, options: ReinitOptions): Promise<number> {
  const { cluster, output } = context;
  const view = await look(cluster);
  const chosen = select(view, cluster.scope, { names: options.names, role: null, any: false });
  const isNamed = options.names.some((name) =>
    name !== cluster.scope || isMember(view.members, name)
  );
  const leader = view.lock?.holder ?? null;
  const fault = !isNamed
    ? { what: "Name the members that shall be copied anew", next: NAME_THEM }
    : chosen.kind === "refused"
    ? chosen
    : leader === null
    ? { what: "Cannot copy: the cluster has no leader", next: LIST }
    : isMember(chosen.members, leader)
    ? { what: `Cannot copy ${leader} anew: it is the leader`, next: SWITCH }
    : null;
  if (fault !== null || chosen.kind === "refused") {
    await output.err(complaint(fault?.what ?? "", fault?.next));
    return isNamed ? EXIT.failed : EXIT.usage;
  }
  const names = chosen.members.map(({ name }) => name).join(", ");
  const shown = (): Promise<string> => renderTable(memberTable(view, cluster.scope), "pretty");
  const permission = await permit(context, `Remove the data of ${names} and copy it anew?`, shown);
  if (permission !== EXIT.done) return permission;
  const results: MemberResult[] = [];
  for (const member of chosen.members) {
    const answer = await copyAnew(context, member, options);
    const result = resultOf(member.name, answer);
    results.push(result);
    await tell(context, result, adviceOn(answer));
  }
  return await conclude(context, results);
}

const NAME_THEM = "agent reinit <member>…; agent list shows them.";
const LIST = "agent list shows the members and the leader.";
const SWITCH = "Let another member lead first: agent switchover.";
const START_MS = 30_000;
const COPY_MS = 24 * 3600 * 1000;

function isMember(members: readonly MemberState[], name: string): boolean {
  return members.some((member) => member.name === name);
}

async function copyAnew(
  context: CommandContext,
  member: MemberState,
  options: ReinitOptions,
): Promise<RemoteAnswer> {
  const answer = await ask(context, member, options, context.force);
  const isBusy = answer.kind === "answered" && answer.status >= 400 &&
    / already in progress$/.test(answer.text.trim());
  if (!isBusy || context.force || !context.prompt.isTerminal) return answer;
  const question = `${member.name}: ${answer.text.trim()}. Cancel that and copy anew?`;
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
  using deadline = within(START_MS);
  return await context.remote.post(endpoint(apiUrl, "reinitialize"), body, deadline.signal);
}

/** The text of a member that answers when the copy has begun, not when it has ended. */
const STARTED = "reinitialize started";
const EVERY_MS = 2000;
const LOOK_MS = 3000;

/** Looks at the member's own state: for members that keep no operations. */
async function untilCopied(
  { remote, output, clock }: CommandContext,
  name: string,
  apiUrl: string,
): Promise<RemoteAnswer> {
  await output.err(`${name}: ${STARTED}\n`);
  const endMs = clock.bootMs() + COPY_MS;
  while (clock.bootMs() < endMs) {
    await clock.sleep(EVERY_MS);
    using deadline = within(LOOK_MS);
    const answer = await remote.get(endpoint(apiUrl, "patroni"), deadline.signal);
    const state = answer.kind === "answered" ? stateIn(answer.text) : null;
    if (state === null || state === "creating replica") continue;
    const isGood = state === "running" || state === "starting";
    return { kind: "answered", status: isGood ? 200 : 503, text: `copied; its server is ${state}` };
  }
  return { kind: "lost", why: "the copy has not ended" };
}

const stateSchema = v.pipe(v.string(), v.parseJson(), v.object({ state: v.string() }));

function stateIn(text: string): string | null {
  const parsed = v.safeParse(stateSchema, text);
  return parsed.success ? parsed.output.state : null;
}
