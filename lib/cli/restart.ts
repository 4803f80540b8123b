import { parseSeconds } from "../base/units.ts";
import type { JsonObject } from "../base/json.ts";
import type { ClusterView, MemberState } from "../core/cluster_view.ts";
import { isPaused } from "../core/sync_duty.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { look, lookOrNull, READ_MS } from "./look.ts";
import { memberTable } from "./list.ts";
import { askable, endpoint } from "./member_url.ts";
import { order } from "./operation.ts";
import { complaint } from "./output.ts";
import { permit } from "./permit.ts";
import { adviceOn, conclude, type MemberResult, resultOf, tell } from "./results.ts";
import { select, type Selection } from "./selection.ts";
import { renderTable } from "./table.ts";
import { readWhen } from "./when.ts";
import { within } from "../base/deadline.ts";

/** What `agent restart` is told. */
export interface RestartOptions extends Selection {
  /** Only members that wait for a restart. */
  readonly pending: boolean;
  /** Only members whose server is older than this. */
  readonly pgVersion: string | null;
  /** How long one member may take, as typed: seconds or with a unit. */
  readonly timeout: string | null;
  /** When, as typed; null: now. */
  readonly scheduled: string | null;
  /** Go on only when the server answers again as a member in good state. */
  readonly wait: boolean;
}

const USUAL_S = 300;
const SPARE_MS = 60_000;

/**
 * `agent restart`: restarts servers one after the other, the leader last, and ends at the first that does not come back:
 * those after it are left alone. Returns 0, 1 refused or failed, 2 wrong usage, 3 when an end is not known. Throws
 * `DcsUnreachable` before anything was sent.
 */
export async function restart(context: CommandContext, options: RestartOptions): Promise<number> {
  const { cluster, output } = context;
  const read = readOptions(options, context.clock.wallMs());
  if (read.kind === "bad") {
    await output.err(complaint(read.what, read.next));
    return EXIT.usage;
  }
  const view = await look(cluster);
  const chosen = select(view, cluster.scope, options);
  if (chosen.kind === "refused") {
    await output.err(complaint(chosen.what, chosen.next));
    return EXIT.failed;
  }
  const members = options.pending
    ? chosen.members.filter(({ pendingRestart }) => pendingRestart)
    : chosen.members;
  if (members.length === 0) {
    await output.err("No member waits for a restart\n");
    return await conclude(context, []);
  }
  const barred = whyBarred(view, members, { isScheduled: read.iso !== null, force: context.force });
  if (barred !== null) {
    await output.err(complaint(barred.what, barred.next));
    return EXIT.failed;
  }
  const shown = (): Promise<string> => renderTable(memberTable(view, cluster.scope), "pretty");
  const permission = await permit(context, question(view, members, read.iso), shown);
  if (permission !== EXIT.done) return permission;
  return await conclude(context, await inTurn(context, members, { ...read, wait: options.wait }));
}

type Read =
  | {
    readonly kind: "good";
    readonly body: JsonObject;
    readonly iso: string | null;
    readonly limitMs: number;
  }
  | { readonly kind: "bad"; readonly what: string; readonly next: string };

function readOptions(options: RestartOptions, wallMs: number): Read {
  const { pending, pgVersion, timeout, scheduled } = options;
  const when = readWhen(scheduled, wallMs);
  if (when.kind === "bad") return when;
  const seconds = timeout === null ? USUAL_S : parseSeconds(timeout) ?? 0;
  if (seconds <= 0) {
    const next = "Write seconds or a number with a unit: 90, 5min.";
    return { kind: "bad", what: `"${timeout}" is no positive time`, next };
  }
  if (pgVersion !== null && !/^(\d{2,}\.\d+|\d\.\d+\.\d+)$/.test(pgVersion)) {
    const next = "Write it like 15.4: servers older than that are restarted.";
    return { kind: "bad", what: `"${pgVersion}" is no version of PostgreSQL`, next };
  }
  const body: JsonObject = {
    ...(pending ? { restart_pending: true } : {}),
    ...(pgVersion === null ? {} : { postgres_version: pgVersion }),
    ...(when.iso === null ? {} : { schedule: when.iso }),
    ...(timeout === null ? {} : { timeout }),
  };
  return { kind: "good", body, iso: when.iso, limitMs: seconds * 1000 + SPARE_MS };
}

interface Barred {
  readonly what: string;
  readonly next: string;
}

function whyBarred(
  view: ClusterView,
  members: readonly MemberState[],
  { isScheduled, force }: { readonly isScheduled: boolean; readonly force: boolean },
): Barred | null {
  if (!isScheduled) return null;
  if (isPaused(view)) {
    const next = "End maintenance mode first (agent resume), or restart now.";
    return { what: "Cannot schedule a restart in maintenance mode", next };
  }
  const taken = members.find(({ scheduledRestart }) => scheduledRestart !== null);
  if (force || taken === undefined) return null;
  const next = `Drop it first: agent flush restart ${taken.name}; --force does that too.`;
  return { what: `a restart of ${taken.name} is scheduled already`, next };
}

function question(view: ClusterView, members: readonly MemberState[], iso: string | null): string {
  const names = members.map(({ name }) =>
    name === view.lock?.holder ? `${name} (the leader)` : name
  );
  return `Restart ${names.join(", ")}${iso === null ? "" : ` at ${iso}`}?`;
}

type Job = Extract<Read, { readonly kind: "good" }> & { readonly wait: boolean };

async function inTurn(
  context: CommandContext,
  members: readonly MemberState[],
  job: Job,
): Promise<readonly MemberResult[]> {
  const results: MemberResult[] = [];
  for (const [index, member] of members.entries()) {
    const { result, next } = await restartOne(context, member, job);
    results.push(result);
    await tell(context, result, next);
    const isConditional = job.body["restart_pending"] === true || "postgres_version" in job.body;
    const mayGoOn = ["done", "scheduled"].includes(result.result) ||
      (isConditional && /conditions are not satisfied/.test(result.text));
    if (mayGoOn) continue;
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
  const result = resultOf(name, answer);
  if (!job.wait || result.result !== "done") return { result, next: adviceOn(answer) };
  return await isBack(context, name, limitMs) ? { result, next: undefined } : {
    result: { member: name, result: "unknown", text: "restarted, but not running in time" },
    next: "Look with agent list and into the log of its server.",
  };
}

const LOOK_EVERY_MS = 1000;

/** Until the member shows a running server: a leader with the lock, a replica that streams. */
async function isBack(context: CommandContext, name: string, limitMs: number): Promise<boolean> {
  const endMs = context.clock.bootMs() + limitMs;
  do {
    const view = await lookOrNull(context.cluster);
    const member = view?.members.find((one) => one.name === name);
    const isRunning = member?.state === "running" && !member.pendingRestart;
    const isUsed = view?.lock?.holder === name || member?.replicationState === "streaming";
    if (isRunning && isUsed) return true;
    await context.clock.sleep(LOOK_EVERY_MS);
  } while (context.clock.bootMs() < endMs);
  return false;
}
