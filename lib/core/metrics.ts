import { agentMetrics } from "./agent_metrics.ts";
import type { HealthFacts } from "./health.ts";
import type { Lsn } from "./lsn.ts";
import { gauge } from "./metric.ts";
import type { Metric } from "./metric.ts";
import type { PrimaryView, ReplicaView } from "./node_view.ts";
import { replicationState } from "./publish.ts";
import { roleOf, RUN_STATES, runStateOf } from "./server_texts.ts";
import { isFailsafeActive, queried } from "./status_document.ts";
import { isPaused, isSyncStandby, syncMode } from "./sync_duty.ts";
import { COMPATIBLE_VERSION } from "./version.ts";
import type { WorkCounts } from "./work_counts.ts";

/** Everything that `GET /metrics` tells: Patroni's metrics in its order (spec 3.6), then what only this agent has. */
export function metricsOf(facts: HealthFacts, work: WorkCounts): readonly Metric[] {
  const server = facts.view === null ? null : queried(facts.view);
  return [
    ...ofServer(facts, server),
    ...ofPositions(
      server?.kind === "primary" ? server : null,
      server?.kind === "replica" ? server : null,
    ),
    ...ofCluster(facts, server),
    ...agentMetrics(facts, work),
  ];
}

type Server = PrimaryView | ReplicaView | null;

function ofServer(facts: HealthFacts, server: Server): readonly Metric[] {
  const { view, cluster, name } = facts;
  const state = view === null ? "unknown" : runStateOf(view);
  const role = view === null ? "unknown" : roleOf(view);
  const listed = cluster !== null && server?.kind === "replica" && isSyncStandby(cluster, name);
  const duty = listed ? syncMode(cluster) : "off";
  return [
    gauge("patroni_version", "Version of Patroni that this agent speaks.", versionNumber()),
    gauge("patroni_postgres_running", "1 while PostgreSQL runs.", state === "running"),
    gauge(
      "patroni_postmaster_start_time",
      "Start of the postmaster, seconds since the epoch.",
      server === null ? 0 : secondsOf(server.startTime),
    ),
    gauge("patroni_primary", "1 on a primary.", role === "primary"),
    gauge("patroni_standby_leader", "1 on the leader of a standby cluster.", false),
    gauge("patroni_replica", "1 on a replica.", role === "replica"),
    gauge("patroni_sync_standby", "1 on a synchronous standby.", duty === "on"),
    gauge("patroni_quorum_standby", "1 on a quorum standby.", duty === "quorum"),
  ];
}

function ofPositions(primary: PrimaryView | null, replica: ReplicaView | null): readonly Metric[] {
  const received = replica?.receivedLsn ?? replica?.replayedLsn ?? null;
  const version = primary ?? replica;
  const replication = replica === null ? null : replicationState(replica);
  const whenUp = (is: boolean): number | null => version === null ? null : Number(is);
  return [
    counter("patroni_xlog_location", "Flush position of a primary in bytes.", primary?.lsn),
    counter("patroni_xlog_received_location", "Received position of a replica in bytes.", received),
    counter(
      "patroni_xlog_replayed_location",
      "Replayed position of a replica in bytes.",
      replica?.replayedLsn,
    ),
    gauge(
      "patroni_xlog_replayed_timestamp",
      "Time of the last replayed transaction, seconds since the epoch.",
      replica?.replayedAt ? secondsOf(replica.replayedAt) : 0,
    ),
    gauge("patroni_xlog_paused", "1 while replay is paused.", replica?.replayPaused === true),
    gauge("patroni_postgres_streaming", "1 while streaming.", whenUp(replication === "streaming")),
    gauge(
      "patroni_postgres_in_archive_recovery",
      "1 while restoring from an archive.",
      whenUp(replication === "in archive recovery"),
    ),
    gauge("patroni_postgres_server_version", "Version of PostgreSQL.", version?.serverVersion ?? 0),
    gauge("patroni_postgres_timeline", "Timeline of PostgreSQL.", version?.timeline ?? 0),
  ];
}

function ofCluster(facts: HealthFacts, server: Server): readonly Metric[] {
  const { view, cluster } = facts;
  const state = view === null ? -1 : RUN_STATES.indexOf(runStateOf(view));
  const isUnlocked = cluster === null || cluster.lock === null;
  const tags = view?.self.tags;
  const values = RUN_STATES.map((text, number) => `${number}=${text}`).join(", ");
  return [
    gauge("patroni_cluster_unlocked", "1 while nobody is known to hold the lock.", isUnlocked),
    ...ofFailsafe(facts),
    gauge(
      "patroni_dcs_last_seen",
      "Last answer of the store, seconds since the epoch.",
      Math.floor(facts.dcsSeenWallMs / 1000),
    ),
    gauge(
      "patroni_pending_restart",
      "1 while a changed setting waits for a restart.",
      Object.keys(server?.pendingRestart ?? {}).length > 0,
    ),
    gauge("patroni_is_paused", "1 in maintenance mode.", cluster !== null && isPaused(cluster)),
    gauge("patroni_postgres_state", `State of PostgreSQL: ${values}.`, state),
    gauge(
      "patroni_failover_priority",
      "Priority in a failover; 0: never leads.",
      tags === undefined || tags.nofailover ? 0 : tags.failoverPriority,
    ),
  ];
}

function ofFailsafe(facts: HealthFacts): readonly Metric[] {
  const { settings, name, listed } = facts;
  const isActive = isFailsafeActive(facts);
  return [
    gauge("patroni_failsafe_mode_is_active", "1 while consents stand in for the store.", isActive),
    gauge("patroni_failsafe_mode_enabled", "1 if failsafe mode is on.", settings.failsafeMode),
    gauge(
      "patroni_failsafe_member",
      "1 if this member is in the list of failsafe mode.",
      Object.hasOwn(listed ?? {}, name),
    ),
  ];
}

function counter(name: string, help: string, lsn: Lsn | null | undefined): Metric {
  return { name, kind: "counter", help, value: Number(lsn ?? 0n) };
}

/** `4.1.4` is 40104. */
function versionNumber(): number {
  return COMPATIBLE_VERSION.split(".").reduce((sum, part) => 100 * sum + Number(part), 0);
}

/** A time of PostgreSQL in seconds; 0 when it cannot be read. */
function secondsOf(text: string): number {
  const ms = Date.parse(text.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00"));
  return Number.isNaN(ms) ? 0 : ms / 1000;
}
