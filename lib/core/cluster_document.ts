import type { Json, JsonObject } from "../base/json.ts";
import type { ClusterView, HistoryLine, MemberState } from "./cluster_view.ts";
import type { Lsn } from "./lsn.ts";
import { lagBytes, printLsn } from "./lsn.ts";
import { filled, positionNumber, present } from "./publish.ts";
import type { Field } from "./publish.ts";
import { printMoment } from "./schedule.ts";
import { isPaused, isStandbyCluster, isSyncStandby, syncMode } from "./sync_duty.ts";

/** The document of `/cluster` (spec 3.4): what the store says of all members, nobody is asked. */
export function clusterDocument(cluster: ClusterView, scope: string): JsonObject {
  const { members } = cluster;
  const byName = [...members].sort((one, other) => one.name < other.name ? -1 : 1);
  return present([
    ["members", byName.map((member) => memberDocument(cluster, member))],
    ["pause", isPaused(cluster) ? true : null],
    ["scheduled_switchover", scheduledSwitchover(cluster)],
    ["scope", scope],
  ]);
}

/** The lines of `/history` as Patroni prints them: time and new leader only where they are known. */
export function historyDocument(lines: readonly HistoryLine[]): readonly Json[] {
  return lines.map(({ timeline, lsn, reason, at, newLeader }) => {
    const line: Json[] = [timeline, positionNumber(lsn), reason];
    if (at !== null) line.push(at);
    if (at !== null && newLeader !== null) line.push(newLeader);
    return line;
  });
}

/** A member's role in the cluster: by the lock and the `sync` key, not by what it says of itself. */
export function clusterRole(cluster: ClusterView, name: string): string {
  if (cluster.lock?.holder === name) {
    return isStandbyCluster(cluster) ? "standby_leader" : "leader";
  }
  if (!isSyncStandby(cluster, name)) return "replica";
  return syncMode(cluster) === "quorum" ? "quorum_standby" : "sync_standby";
}

function memberDocument(cluster: ClusterView, member: MemberState): JsonObject {
  const role = clusterRole(cluster, member.name);
  const leads = role === "leader";
  return present([
    ["name", member.name],
    ["role", role],
    ["state", leads ? member.state : member.replicationState ?? member.state],
    ["api_url", member.apiUrl],
    ...address(member.connUrl),
    ["timeline", member.timeline],
    ["pending_restart", member.pendingRestart ? true : null],
    ["pending_restart_reason", member.pendingRestartReason],
    ["scheduled_restart", member.scheduledRestart],
    ["tags", filled(member.tags.published)],
    ...(leads || role === "standby_leader" ? [] : positions(member, cluster.status.lsn)),
  ]);
}

function address(connUrl: string | null): readonly Field[] {
  const [, host, port] =
    /^[a-z]+:\/\/(?:[^@/]*@)?(\[[^\]]*\]|[^:/?]+)(?::(\d+))?/i.exec(connUrl ?? "") ?? [];
  return [
    ["host", host?.replace(/^\[|\]$/g, "") ?? null],
    ["port", port === undefined ? null : Number(port)],
  ];
}

function positions(member: MemberState, leaderLsn: Lsn | null): readonly Field[] {
  return [
    ...lagAndLsn("receive_", member.receiveLsn, leaderLsn),
    ...lagAndLsn("replay_", member.replayLsn, leaderLsn),
    ...lagAndLsn("", member.xlogLocation, leaderLsn),
  ];
}

function lagAndLsn(prefix: string, lsn: Lsn | null, leaderLsn: Lsn | null): readonly Field[] {
  const lag = lsn === null || leaderLsn === null ? "unknown" : Number(lagBytes(leaderLsn, lsn));
  return [
    [`${prefix}lag`, lag],
    [`${prefix}lsn`, lsn === null ? "unknown" : printLsn(lsn)],
  ];
}

function scheduledSwitchover({ handover }: ClusterView): JsonObject | null {
  if (handover === null || handover.scheduledAtMs === null) return null;
  return present([
    ["at", printMoment(handover.scheduledAtMs)],
    ["from", handover.leader],
    ["to", handover.candidate],
  ]);
}
