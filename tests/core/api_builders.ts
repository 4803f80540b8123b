import type { HealthFacts } from "../../lib/core/health.ts";
import type { NodeView } from "../../lib/core/node_view.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import { nodeView, NOW_MS, replicaView } from "./builders.ts";

/** What the board shows of a view that was just taken. */
export function facts(view: NodeView | null, overrides: Partial<HealthFacts> = {}): HealthFacts {
  const cluster = view?.cluster.kind === "seen" ? view.cluster : null;
  return {
    scope: "demo",
    name: "a",
    nowMs: NOW_MS,
    view,
    decision: { rule: "lead", why: "I hold the lock" },
    lease: view?.lease ?? { kind: "none" },
    cluster,
    dcsSeenWallMs: 1_767_261_600_000,
    endpoints: [{ url: "http://e1:2379", reachable: true, lastError: null }],
    nextTickMs: NOW_MS + 10_000,
    settings: cluster?.settings ?? defaultSettings,
    ...overrides,
  };
}

/** The leader "a". */
export function leaderFacts(
  view: Partial<NodeView> = {},
  overrides: Partial<HealthFacts> = {},
): HealthFacts {
  return facts(nodeView(view), overrides);
}

/** The replica "a" of leader "b". */
export function replicaFacts(
  view: Partial<NodeView> = {},
  overrides: Partial<HealthFacts> = {},
): HealthFacts {
  return facts(replicaView(view), overrides);
}
