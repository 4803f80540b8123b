import { within } from "../base/deadline.ts";
import type { ClusterView } from "../core/cluster_view.ts";
import { isPaused } from "../core/sync_duty.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { look, lookOrNull } from "./look.ts";
import { askable, endpoint } from "./member_url.ts";
import { complaint, plainLine, say } from "./output.ts";
import { unseenMembers } from "./pause_doubts.ts";
import { permit } from "./permit.ts";
import { leaderFirst } from "./selection.ts";
import { whyDeaf } from "./silence.ts";

/** What `agent pause` and `agent resume` are told. */
export interface PauseOptions {
  readonly on: boolean;
  /** Return only when every member says that it has seen the change. */
  readonly wait: boolean;
}

const SEND_MS = 15_000;
const LOOK_EVERY_MS = 1000;

/**
 * `agent pause` and `agent resume`: switches maintenance mode on or off by `PATCH /config`, at the leader first, then at
 * the others. Returns 0 done, 1 refused or failed, 2 when nobody can be asked, 3 when the end is not known or a member has not
 * confirmed in time. Throws `DcsUnreachable` before anything was sent.
 */
export async function pause(context: CommandContext, options: PauseOptions): Promise<number> {
  const { on, wait } = options;
  const view = await look(context.cluster);
  if (isPaused(view) === on) {
    const text = `maintenance mode is ${on ? "on" : "off"} already`;
    await context.output.err(complaint(text));
    return EXIT.failed;
  }
  const permission = on ? EXIT.done : await permitResume(context, view);
  if (permission !== EXIT.done) return permission;
  const sent = await send(context, view, on);
  if (sent !== EXIT.done || !wait) return sent;
  return await awaitAll(context, view, on);
}

/** Nothing fences a primary of maintenance mode that does not see its end: one that may be there is named first. */
async function permitResume(context: CommandContext, view: ClusterView): Promise<number> {
  const { output } = context;
  const doubts = [...whyUnsafe(view), ...await unseenMembers(context.remote, view)];
  for (const doubt of doubts) await output.err(complaint(doubt));
  if (doubts.length === 0) return EXIT.done;
  return await permit(context, "Resume, although a second primary may be running?");
}

/** Why ending maintenance mode now may leave two primaries, one sentence each. */
export function whyUnsafe({ lock, members }: ClusterView): readonly string[] {
  if (lock === null) {
    return ["nobody holds the lock: a primary that is cut off would not see the end of the mode"];
  }
  const others = members.filter(({ name, role }) => role === "primary" && name !== lock.holder);
  return others.map(({ name }) => `${name} runs as a primary without the lock and will be stopped`);
}

async function send(context: CommandContext, view: ClusterView, on: boolean): Promise<number> {
  const { output, remote } = context;
  let last = "no member has published an address";
  for (const { name, apiUrl: published } of leaderFirst(view)) {
    const apiUrl = askable(published);
    if (apiUrl === null) continue;
    const deaf = await whyDeaf(context, { member: name, apiUrl });
    last = `Cannot reach ${name}: ${deaf}`;
    if (deaf !== null) continue;
    using deadline = within(SEND_MS);
    const answer = await remote.patch(
      endpoint(apiUrl, "config"),
      { pause: on ? true : null },
      deadline.signal,
    );
    if (answer.kind === "lost") {
      if (await hasHappened(context, on)) return await told(context, on);
      const next = "Look with agent list before you repeat it.";
      await output.err(complaint(`Status unknown: ${name} gave no answer (${answer.why})`, next));
      return EXIT.unknown;
    }
    if (answer.kind === "answered" && answer.status === 200) return await told(context, on);
    last = answer.kind === "answered"
      ? `${name} refused (${answer.status}): ${plainLine(answer.text)}`
      : `Cannot reach ${name}: ${answer.why}`;
    if (answer.kind === "answered") break;
  }
  await output.err(complaint(last, "Nothing was changed. Check the agents, then repeat."));
  return EXIT.failed;
}

async function told(context: CommandContext, on: boolean): Promise<number> {
  await say(context, `Maintenance mode is ${on ? "on" : "off"}\n`);
  return EXIT.done;
}

/** One look after an answer that was lost. */
async function hasHappened(context: CommandContext, on: boolean): Promise<boolean> {
  const view = await lookOrNull(context.cluster);
  return view !== null && isPaused(view) === on;
}

async function awaitAll(
  context: CommandContext,
  before: ClusterView,
  on: boolean,
): Promise<number> {
  const { clock, output } = context;
  const endMs = clock.bootMs() + (2 * before.settings.loopWaitS + 1) * 1000;
  let waiting: readonly string[] = [];
  do {
    waiting = await unconfirmed(context, before, on) ?? waiting;
    if (waiting.length === 0) {
      await say(context, "Every member has confirmed it\n");
      return EXIT.done;
    }
    await clock.sleep(LOOK_EVERY_MS);
  } while (clock.bootMs() < endMs);
  await output.err(complaint(`not confirmed in time by ${waiting.join(", ")}`));
  return EXIT.unknown;
}

/** Members that were there before and do not show the change yet; null: the store did not answer. */
async function unconfirmed(
  context: CommandContext,
  before: ClusterView,
  on: boolean,
): Promise<readonly string[] | null> {
  const view = await lookOrNull(context.cluster);
  if (view === null) return null;
  const confirmed = view.members.filter((member) => member.pause === on).map(({ name }) => name);
  const wanted = before.members.filter(({ apiUrl }) => apiUrl !== null);
  return wanted.map(({ name }) => name).filter((name) => !confirmed.includes(name));
}
