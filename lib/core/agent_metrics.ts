import type { ClusterView, MemberState } from "./cluster_view.ts";
import type { HealthFacts } from "./health.ts";
import { leadsAt } from "./health.ts";
import { lagBytes } from "./lsn.ts";
import type { Lsn } from "./lsn.ts";
import { gauge, labelled } from "./metric.ts";
import type { Metric } from "./metric.ts";
import { STORE_FAULTS } from "./work_counts.ts";
import type { WorkCounts } from "./work_counts.ts";

/** What only this agent tells: the lease, the switch, the cluster's lag and what this process has done. */
export function agentMetrics(facts: HealthFacts, work: WorkCounts): readonly Metric[] {
  return [...ofLease(facts), ...ofMembers(facts.cluster), ...ofWork(work)];
}

function ofLease({ lease, nowMs, deadMan }: HealthFacts): readonly Metric[] {
  const leftMs = lease.kind === "held" ? Math.max(0, lease.endsMs - nowMs) : 0;
  const fired = deadMan?.fired ?? {};
  const firings = {
    name: "agent_switch_firings",
    kind: "counter",
    help:
      "Signals that the dead-man's switch has sent because nobody renewed, since the host or the switch was started anew.",
  } as const;
  return [
    gauge("agent_holds_lock", "1 while this member holds the lock.", leadsAt(lease, nowMs)),
    gauge("agent_lease_left_seconds", "What is left of the lease.", leftMs / 1000),
    gauge("agent_switch_armed", "1 while the dead-man's switch is armed.", deadMan?.armed === true),
    ...labelled(
      firings,
      "signal",
      ["INT", "QUIT", "KILL", "ORPHAN"].map((signal) => [signal, fired[signal] ?? 0]),
    ),
  ];
}

/** From the last view of the store, so every member tells the same; nothing while that view is too old. */
function ofMembers(cluster: ClusterView | null): readonly Metric[] {
  if (cluster === null) return [];
  const leaderLsn = cluster.status.lsn;
  const followers = cluster.members.filter(({ name }) => name !== cluster.lock?.holder);
  const lagOf = (
    kind: "received" | "replayed",
    lsn: (member: MemberState) => Lsn | null,
  ): readonly Metric[] => {
    const known = followers.flatMap((member): (readonly [string, number])[] => {
      const own = lsn(member);
      if (leaderLsn === null || own === null) return [];
      return [[member.name, Number(lagBytes(leaderLsn, own))]];
    });
    const name = `agent_member_${kind}_lag_bytes`;
    const help = `Bytes between the leader's published position and what a member has ${kind}.`;
    return labelled({ name, kind: "gauge", help }, "member", known);
  };
  const changedMs = Date.parse(cluster.history?.at(-1)?.at ?? "");
  return [
    ...lagOf("received", ({ receiveLsn, xlogLocation }) => receiveLsn ?? xlogLocation),
    ...lagOf("replayed", ({ replayLsn }) => replayLsn),
    gauge(
      "agent_last_promotion_timestamp_seconds",
      "Time of the last line of the cluster's history, seconds since the epoch; 0: unknown.",
      Number.isNaN(changedMs) ? 0 : changedMs / 1000,
    ),
  ];
}

function ofWork(work: WorkCounts): readonly Metric[] {
  const faults = STORE_FAULTS.map((fault) => [fault, work.storeFaults[fault] ?? 0] as const);
  return [
    histogram("agent_loop_duration_seconds", "Duration of a tick of the loop.", work.ticks),
    histogram(
      "agent_etcd_request_duration_seconds",
      "Duration of a request to one endpoint of etcd, whatever its end.",
      work.storeCalls,
    ),
    ...labelled(
      {
        name: "agent_etcd_errors_total",
        kind: "counter",
        help: "Requests to one endpoint of etcd that did not end well.",
      },
      "class",
      faults,
    ),
    count("agent_failovers_total", "Promotions of this member for a lost leader.", work.failovers),
    count("agent_switchovers_total", "Promotions of this member by request.", work.switchovers),
    ...ofTasks(work),
    count(
      "agent_log_lines_dropped_total",
      "Lines of the log that were never written.",
      work.logLinesDropped,
    ),
  ];
}

/** What is worth an alert is there from the start, so that its first time is an increase. */
const TASKS_SHOWN = [
  ...["bootstrap", "clone", "promote", "rewind"],
  ...["start-primary", "start-replica", "stop"],
];
const RESULTS_SHOWN = ["done", "failed"];

function ofTasks({ tasks }: WorkCounts): readonly Metric[] {
  const times = new Map<string, number>();
  for (const task of TASKS_SHOWN) {
    for (const result of RESULTS_SHOWN) times.set(`${task} ${result}`, 0);
  }
  for (const { task, result, times: count } of tasks) times.set(`${task} ${result}`, count);
  return Array.from(times, ([key, value]): Metric => {
    const [task = "", result = ""] = key.split(" ");
    const help = "Jobs on the server that have ended; clone is a copy of another member.";
    return { name: "agent_tasks_total", kind: "counter", help, value, labels: { task, result } };
  });
}

function histogram(name: string, help: string, counts: WorkCounts["ticks"]): Metric {
  return { name, kind: "histogram", help, counts };
}

function count(name: string, help: string, value: number): Metric {
  return { name, kind: "counter", help, value };
}
