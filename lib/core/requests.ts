import type { Json, JsonObject } from "../base/json.ts";
import type { ClusterView, MemberState } from "./cluster_view.ts";
import { whyUnlisted } from "./failsafe.ts";
import type { PeerReport } from "./node_view.ts";
import { badSchedule, readScheduledAt } from "./schedule.ts";
import type { ScheduledAt } from "./schedule.ts";
import { isPaused, isSyncStandby, syncMode } from "./sync_duty.ts";

/** A request to hand the lock over, as it came in, and everything that judges it. */
export interface HandoverRequest {
  readonly endpoint: "failover" | "switchover";
  readonly body: JsonObject;
  /** A fresh read. */
  readonly cluster: ClusterView;
  /** Epoch milliseconds. */
  readonly wallMs: number;
  /** Reports of the members that an earlier judgement wanted to be asked. */
  readonly peers: "not asked" | readonly PeerReport[];
}

/** What is to be done: a switchover names the leader it moves away from, a failover only its target. */
export interface Handover {
  readonly action: "switchover" | "failover";
  readonly leader: string | null;
  readonly candidate: string | null;
  /** Who held the lock when the request was judged. */
  readonly oldLeader: string | null;
  /** Epoch milliseconds; null: now. */
  readonly scheduledAtMs: number | null;
}

/** A definite no, with the status and text of spec 3.5. */
export interface Refusal {
  readonly kind: "refused";
  readonly status: number;
  readonly text: string;
}

/** The answer: refused, wanted first (ask these, judge again), or accepted. */
export type HandoverVerdict =
  | Refusal
  | { readonly kind: "ask-peers"; readonly members: readonly MemberState[] }
  | { readonly kind: "accepted"; readonly handover: Handover };

/**
 * Judges `POST /failover` and `POST /switchover`: the rows of spec 3.5 from top to bottom, the first that fires answers.
 * Both `candidate` and `member` name the target; a failover with a leader is a switchover (early form kept, spec 3.7).
 */
export function judgeHandover(request: HandoverRequest): HandoverVerdict {
  const { cluster, body, wallMs } = request;
  const wish = readWish(body);
  if ("kind" in wish) return wish;
  const schedule = body["scheduled_at"] ? readScheduledAt(body["scheduled_at"], wallMs) : null;
  const handover: Handover = {
    action: wish.leader === null ? "failover" : "switchover",
    ...wish,
    oldLeader: cluster.lock?.holder ?? null,
    scheduledAtMs: schedule?.kind === "good" ? schedule.epochMs : null,
  };
  const form = refuseForm(request, handover, schedule);
  if (form !== null) return form;
  if (handover.scheduledAtMs !== null) {
    return refuseSecond(cluster) ?? { kind: "accepted", handover }; // judged again at its time
  }
  const refusal = refuseTarget(cluster, handover) ?? refuseSecond(cluster);
  return refusal ?? judgeCandidates(request, handover);
}

function readWish(body: JsonObject): Pick<Handover, "leader" | "candidate"> | Refusal {
  const leader = body["leader"] ?? null;
  const candidate = body["candidate"] || (body["member"] ?? null);
  if (!isName(leader)) return refused(400, "leader must be the name of a member");
  if (!isName(candidate)) return refused(400, "candidate must be the name of a member");
  return { leader: leader || null, candidate: candidate || null };
}

function isName(value: Json): value is string | null {
  return value === null || typeof value === "string";
}

function refuseForm(
  { endpoint, cluster }: HandoverRequest,
  { leader, candidate }: Handover,
  schedule: ScheduledAt | null,
): Refusal | null {
  const isScheduled = schedule !== null;
  if (endpoint === "failover" && leader === null && candidate === null) {
    return refused(400, "Failover could be performed only to a specific candidate");
  }
  if (endpoint === "switchover" && leader === null) {
    return refused(400, "Switchover could be performed only from a specific leader");
  }
  if (endpoint === "failover" && isScheduled) return refused(400, "Failover can't be scheduled");
  if (isScheduled && isPaused(cluster)) {
    return refused(400, "Can't schedule switchover in the paused state");
  }
  if (schedule?.kind === "bad") {
    return { kind: "refused", ...badSchedule(schedule.why, "switchover") };
  }
  if (isPaused(cluster) && candidate === null) {
    return refused(400, "Switchover is possible only to a specific candidate in a paused state");
  }
  const isSame = leader !== null && leader === candidate;
  return isSame ? refused(400, "Switchover target and source are the same") : null;
}

function refuseTarget(cluster: ClusterView, handover: Handover): Refusal | null {
  const { action, leader, candidate, oldLeader } = handover;
  const { members } = cluster;
  if (leader !== null && leader !== oldLeader) return refused(412, "leader name does not match");
  const isSync = syncMode(cluster) === "on";
  const obstacle = candidate === null ? null : whyCannotLead(cluster, candidate);
  if (obstacle !== null) return refused(412, `${action} is not possible: ${obstacle}`);
  if (candidate !== null) {
    if (action === "switchover" && isSync && !isSyncStandby(cluster, candidate)) {
      return refused(412, "candidate name does not match with sync_standby");
    }
    const isMember = members.some((member) => member.name === candidate);
    return isMember ? null : refused(412, "candidate does not exists");
  }
  if (isSync && !members.some((member) => isSyncStandby(cluster, member.name))) {
    return refused(412, `${action} is not possible: can not find sync_standby`);
  }
  return candidates(cluster, handover).length > 0
    ? null
    : refused(412, `${action} is not possible: cluster does not have members except leader`);
}

/**
 * What keeps this member from the free lock whatever is wished, until an operator changes the store or the members that
 * ran before have settled it; null: nothing. A leader changes it by itself.
 */
export function whyCannotLead(cluster: ClusterView, name: string): string | null {
  if (cluster.lock !== null) return null;
  if (cluster.systemId === "") return "a member is founding the cluster now";
  if (cluster.systemId !== null) return whyUnlisted(cluster, name);
  return "the store has lost the identity of the cluster. Members that have run since before choose " +
    "a leader within two leases; if all were started anew, write the keys initialize and config again";
}

/** A request that the present leader can still carry out is not overwritten; one that nobody can act on is (F6, F14). */
function refuseSecond({ handover: pending, lock }: ClusterView): Refusal | null {
  if (pending === null || lock === null || pending.scheduledAtMs !== null) return null;
  if (pending.leader === null && pending.candidate === null) return null;
  const isLive = pending.leader === null || pending.leader === lock.holder;
  const isDone = pending.candidate === lock.holder;
  return isLive && !isDone ? refused(409, "another failover or switchover is in progress") : null;
}

/** Who may be meant, never the leader: the named one, else all that can be asked (in synchronous mode a listed one). */
function candidates(cluster: ClusterView, handover: Handover): readonly MemberState[] {
  const { candidate, oldLeader } = handover;
  const isSync = syncMode(cluster) === "on";
  return cluster.members.filter((member) => {
    if (member.name === oldLeader) return false;
    if (candidate !== null) return member.name === candidate;
    if (member.apiUrl === null) return false;
    return !isSync || isSyncStandby(cluster, member.name);
  });
}

function judgeCandidates(request: HandoverRequest, handover: Handover): HandoverVerdict {
  const members = candidates(request.cluster, handover);
  const peers = members.length === 0 ? [] : request.peers;
  if (peers === "not asked") return { kind: "ask-peers", members };
  const good = peers.some((peer) =>
    peer.kind === "answered" && !peer.tags.nofailover && !peer.watchdogFailed &&
    members.some((member) => member.name === peer.name)
  );
  if (good) return { kind: "accepted", handover };
  return refused(412, `${handover.action} is not possible: no good candidates have been found`);
}

function refused(status: number, text: string): Refusal {
  return { kind: "refused", status, text };
}
