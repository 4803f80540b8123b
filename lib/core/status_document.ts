import type { JsonObject } from "../base/json.ts";
import { unreachable } from "../base/never.ts";
import type { Decision } from "./action.ts";
import type { ClusterView } from "./cluster_view.ts";
import type { PromiseView } from "./failsafe.ts";
import type {
  LeaseView,
  NodeView,
  PostgresView,
  PrimaryView,
  ReplicaView,
  SenderView,
} from "./node_view.ts";
import {
  filled,
  pendingRestart,
  positionNumber,
  present,
  replicationState,
  scheduledRestart,
} from "./publish.ts";
import type { Field } from "./publish.ts";
import { answering, roleOf, runStateOf } from "./server_texts.ts";
import type { SwitchStatus } from "./switch_status.ts";
import { isPaused, isSyncStandby, syncMode } from "./sync_duty.ts";
import { watchdogObstacle } from "./watchdog.ts";
import type { WatchdogView } from "./watchdog.ts";
import { AGENT_VERSION, COMPATIBLE_VERSION } from "./version.ts";

/** An endpoint of the store as this member sees it. */
export interface EndpointFacts {
  readonly url: string;
  /** null: not asked yet. */
  readonly reachable: boolean | null;
  readonly lastError: string | null;
}

/** What the documents and health checks of one member are made of. */
export interface StatusFacts {
  readonly scope: string;
  readonly name: string;
  /** Boot clock. */
  readonly nowMs: number;
  /** The last look of the loop, null before the first one; its server may be a fresher probe. */
  readonly view: NodeView | null;
  readonly decision: Pick<Decision, "rule" | "why"> | null;
  /** The lease as the keeper knows it now. */
  readonly lease: LeaseView;
  /** The last cluster view, null when it is older than its ttl. */
  readonly cluster: ClusterView | null;
  /** Epoch milliseconds of the last answer of the store; 0: never. */
  readonly dcsSeenWallMs: number;
  readonly endpoints: readonly EndpointFacts[];
  /** The dead-man's switch; null or absent: there is none. */
  readonly deadMan?: SwitchStatus | null;
  /** The promise in force to a leader without the store; null or absent: none. */
  readonly promise?: PromiseView | null;
}

/** True while consents stand in for the store: they extend the own lease, or this member has given one. */
export function isFailsafeActive({ lease, promise }: StatusFacts): boolean {
  return lease.kind === "held" && lease.consented === true || (promise?.to ?? null) !== null;
}

/**
 * The document of `/patroni` and of every health check (spec 3.3): Patroni's fields in Patroni's order, then `agent`
 * with what only this agent knows. It is the wire protocol of the race: a document without `xlog` means "cannot be
 * asked", so `xlog` is there exactly when the server answered and is running or starting.
 */
export function statusDocument(facts: StatusFacts): JsonObject {
  const { view, cluster } = facts;
  const server = view === null ? null : queried(view);
  return present([
    ["state", stateText(view)],
    ["postmaster_start_time", server?.startTime ?? null],
    ["role", view === null ? "unknown" : roleOf({ ...view, lease: facts.lease })],
    ["server_version", server?.serverVersion ?? null],
    ["xlog", server === null ? null : xlog(server)],
    ...syncFields(facts, server),
    ["timeline", server?.timeline ?? null],
    ["replication_state", server?.kind === "replica" ? replicationState(server) : null],
    ["replication", server === null ? null : senders(server)],
    ["pause", cluster !== null && isPaused(cluster) ? true : null],
    ["cluster_unlocked", cluster === null || cluster.lock === null ? true : null],
    ["failsafe_mode_is_active", isFailsafeActive(facts) ? true : null],
    ["dcs_last_seen", Math.floor(facts.dcsSeenWallMs / 1000)],
    ["tags", view === null ? null : filled(view.self.tags.published)],
    ["database_system_identifier", view === null ? null : systemId(view.postgres)],
    ...pendingRestart(server),
    ["patroni", { version: COMPATIBLE_VERSION, scope: facts.scope, name: facts.name }],
    ["scheduled_restart", view === null ? null : scheduledRestart(view, "without")],
    ["watchdog_failed", watchdogObstacle(view?.watchdog) === null ? null : true],
    ["agent", agentFields(facts)],
  ]);
}

/** The server, when it answered and its state allows Patroni's documents to show what it said. */
export function queried(view: NodeView): PrimaryView | ReplicaView | null {
  const state = runStateOf(view);
  const isShown = state === "running" || state === "starting" || state === "restarting";
  return isShown ? answering(view.postgres) : null;
}

function stateText(view: NodeView | null): string {
  if (view === null) return "unknown";
  const state = runStateOf(view);
  return state === "running" && answering(view.postgres) === null ? "unknown" : state;
}

function xlog(server: PrimaryView | ReplicaView): JsonObject {
  if (server.kind === "primary") return { location: Number(server.lsn) };
  const received = positionNumber(server.receivedLsn) || positionNumber(server.replayedLsn);
  return {
    received_location: received ?? 0,
    replayed_location: positionNumber(server.replayedLsn) ?? 0,
    replayed_timestamp: server.replayedAt,
    paused: server.replayPaused,
  };
}

function syncFields(facts: StatusFacts, server: PrimaryView | ReplicaView | null): Field[] {
  const { cluster, name } = facts;
  if (cluster === null || server?.kind !== "replica" || !isSyncStandby(cluster, name)) return [];
  return [[syncMode(cluster) === "quorum" ? "quorum_standby" : "sync_standby", true]];
}

function senders(server: PrimaryView | ReplicaView): readonly JsonObject[] | null {
  return server.senders.length > 0 ? server.senders.map(senderFields) : null;
}

function senderFields(sender: SenderView): JsonObject {
  return {
    usename: sender.username,
    application_name: sender.applicationName,
    client_addr: sender.clientAddress,
    state: sender.state,
    sync_state: sender.syncState,
    sync_priority: sender.syncPriority,
  };
}

function systemId(postgres: PostgresView): string | null {
  if (postgres.kind === "no-data" || postgres.kind === "unreadable") return null;
  return postgres.kind === "down" ? postgres.control.systemId : postgres.systemId;
}

function agentFields(facts: StatusFacts): JsonObject {
  return {
    version: AGENT_VERSION,
    lease: leaseFields(facts.lease, facts.nowMs),
    ...switchFields(facts.deadMan ?? null, facts.nowMs),
    rule: facts.decision?.rule ?? null,
    why: facts.decision?.why ?? null,
    ...watchdogFields(facts.view?.watchdog),
    etcd: facts.endpoints.map(({ url, reachable, lastError }) => ({
      url,
      reachable,
      last_error: lastError,
    })),
  };
}

function switchFields(deadMan: SwitchStatus | null, nowMs: number): JsonObject {
  if (deadMan === null) return {};
  const { armed, endsMs, pid } = deadMan;
  const firings = deadMan.firings.map(({ wallMs, what, pid: target }) => {
    return { at: new Date(wallMs).toISOString(), signal: what, pid: target };
  });
  const leftS = endsMs === null ? null : (endsMs - nowMs) / 1000;
  return { switch: { armed, seconds_left: leftS, pid, firings } };
}

/** Left out where no watchdog is wanted. */
function watchdogFields(watchdog: WatchdogView | undefined): JsonObject {
  switch (watchdog?.kind) {
    case undefined:
    case "off":
      return {};
    case "ready":
      return { watchdog: { kind: "ready" } };
    case "active":
      return { watchdog: { kind: "active", timeout: watchdog.timeoutS } };
    case "unusable":
      return { watchdog: { kind: "unusable", why: watchdog.why } };
    default:
      return unreachable(watchdog);
  }
}

function leaseFields(lease: LeaseView, nowMs: number): JsonObject {
  if (lease.kind === "none" && lease.neverManaged) return { kind: "none", never_managed: true };
  if (lease.kind !== "held") return { kind: lease.kind };
  return { kind: lease.kind, seconds_left: Math.max(0, lease.endsMs - nowMs) / 1000 };
}
