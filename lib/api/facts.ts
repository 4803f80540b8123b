import type { ClusterView } from "../core/cluster_view.ts";
import type { HealthFacts } from "../core/health.ts";
import type { NodeView } from "../core/node_view.ts";
import { defaultSettings } from "../core/settings.ts";
import type { Settings } from "../core/settings.ts";
import type { BoardState } from "../runtime/board.ts";
import type { ServedContext } from "./context.ts";

/** What the board shows now, with lease and wishes of this moment: the input of documents and health checks. */
export function factsOf(context: ServedContext): HealthFacts {
  const { board, clock, dcs, mailbox, name, scope, startedMs } = context;
  const state = board.state();
  const nowMs = clock.bootMs();
  const store = dcs.health();
  return {
    scope,
    name,
    nowMs,
    view: state.view === null ? null : { ...state.view, wishes: mailbox.wishes() },
    decision: state.decision,
    lease: board.lease(),
    cluster: presentCluster(state, nowMs),
    dcsSeenWallMs: Math.max(state.clusterSeenWallMs, store.lastSeenWallMs),
    endpoints: store.endpoints,
    deadMan: context.deadMan?.() ?? null,
    promise: context.promises?.view() ?? null,
    listed: state.cluster?.failsafe?.members ?? {},
    nextTickMs: Math.max(state.nextTickMs, startedMs),
    settings: settingsOf(state),
  };
}

/** The last cluster view, or null when it is older than its ttl: then it says nothing about now. */
export function presentCluster(state: BoardState, nowMs: number): ClusterView | null {
  const { cluster, clusterSeenMs } = state;
  if (cluster === null) return null;
  return nowMs - clusterSeenMs <= cluster.settings.ttlS * 1000 ? cluster : null;
}

/** The settings in force at the last look. */
export function settingsOf(state: BoardState): Settings {
  return state.cluster?.settings ?? state.memory?.lastSettings ?? defaultSettings;
}

/** The view with a fresher look at its server. */
export function withServer(view: NodeView | null, server: NodeView["postgres"]): NodeView | null {
  return view === null ? null : { ...view, postgres: server };
}
