import type { JsonObject } from "../base/json.ts";
import type { ClusterView } from "../core/cluster_view.ts";
import { whyCannotLead } from "../core/requests.ts";
import { isPaused } from "../core/sync_duty.ts";
import { apiUrlOf } from "./member_url.ts";

/** What the operator typed. */
export interface HandoverOptions {
  readonly command: "failover" | "switchover";
  readonly leader: string | null;
  readonly candidate: string | null;
  /** When, as typed; null: now. */
  readonly scheduled: string | null;
}

/** What to do about it: send a request, or say why not. */
export type Plan =
  | {
    readonly kind: "send";
    readonly operation: "failover" | "switchover";
    /** The member that is asked, and its `api_url`. */
    readonly target: string;
    readonly apiUrl: string;
    readonly body: JsonObject;
    readonly candidate: string | null;
    readonly question: string;
  }
  | { readonly kind: "refused" | "usage"; readonly what: string; readonly next?: string };

/**
 * Decides whom to ask for what. A failover with a leader is a switchover while that leader lives; when it does not
 * answer, the candidate is asked for a plain failover. `scheduled` of the wish is ISO text here. `answers` tells whether the agent behind an `api_url` lives.
 */
export async function planHandover(
  view: ClusterView,
  wish: HandoverOptions,
  answers: (apiUrl: string) => Promise<boolean>,
): Promise<Plan> {
  const refusal = refuse(view, wish);
  if (refusal !== null) return refusal;
  const leader = view.lock?.holder ?? null;
  const leaderUrl = leader === null ? null : apiUrlOf(view, leader);
  const isAlive = leaderUrl !== null && await answers(leaderUrl);
  if (leader !== null && leaderUrl !== null && isAlive) {
    return askLeader(wish, { name: leader, apiUrl: leaderUrl });
  }
  return askCandidate(view, wish, leader);
}

function refuse(view: ClusterView, wish: HandoverOptions): Plan | null {
  const { command, leader, candidate, scheduled } = wish;
  const holder = view.lock?.holder ?? null;
  if (scheduled !== null && command === "failover") {
    const next = "Schedule a switchover instead: agent switchover --scheduled <time>";
    return { kind: "usage", what: "a failover cannot be scheduled", next };
  }
  if (scheduled !== null && isPaused(view)) {
    const next = "End maintenance mode first (agent resume), or switch over now.";
    return { kind: "refused", what: "Cannot schedule a switchover in maintenance mode", next };
  }
  if (command === "failover" && leader === null && candidate === null) {
    const next = "Name it: agent failover --member <name>; agent list shows the members.";
    return { kind: "usage", what: "a failover needs the member that shall lead", next };
  }
  if (leader !== null && leader === candidate) {
    return { kind: "usage", what: `"${leader}" cannot be both leader and candidate` };
  }
  if (leader !== null && holder !== null && holder !== leader) {
    return refused(`Cannot hand over from ${leader}: ${holder} leads`);
  }
  if (candidate !== null && candidate === holder) {
    return refused(`Cannot hand over to ${candidate}: it leads already`);
  }
  if (candidate !== null && apiUrlOf(view, candidate) === null) {
    return refused(`Cannot hand over to ${candidate}: no such member is alive`);
  }
  const obstacle = candidate === null ? null : whyCannotLead(view, candidate);
  if (obstacle === null) return null;
  return { kind: "refused", what: `Cannot hand over to ${candidate}: ${obstacle}` };
}

function refused(what: string): Plan {
  return { kind: "refused", what, next: "agent list shows the members and the leader." };
}

interface Member {
  readonly name: string;
  readonly apiUrl: string;
}

function askLeader(wish: HandoverOptions, holder: Member): Plan {
  const { command, leader, candidate, scheduled } = wish;
  const isPlain = command === "failover" && leader === null;
  const to = candidate === null ? "the best replica" : candidate;
  const verb = isPlain ? "Fail over" : "Switch over";
  return {
    kind: "send",
    operation: command,
    target: holder.name,
    apiUrl: holder.apiUrl,
    body: {
      ...(isPlain ? { candidate } : { leader: holder.name, candidate }),
      ...(scheduled === null ? {} : { scheduled_at: scheduled }),
    },
    candidate,
    question: `${verb} from ${holder.name} to ${to}${
      scheduled === null ? "" : ` at ${scheduled}`
    }?`,
  };
}

function askCandidate(view: ClusterView, wish: HandoverOptions, leader: string | null): Plan {
  const { command, candidate } = wish;
  const dead = leader === null ? "no leader" : `${leader} does not answer`;
  if (command === "switchover" || candidate === null) {
    const next = "Fail over to a member instead: agent failover --member <name>";
    return { kind: "refused", what: `Cannot switch over: ${dead}`, next };
  }
  const apiUrl = apiUrlOf(view, candidate);
  if (apiUrl === null) return refused(`Cannot hand over to ${candidate}: no such member is alive`);
  const question = leader === null
    ? `There is no leader; fail over to ${candidate}?`
    : `${leader} does not answer; fail over to ${candidate} anyway?`;
  return {
    kind: "send",
    operation: "failover",
    target: candidate,
    apiUrl,
    body: { candidate },
    candidate,
    question,
  };
}
