import type { Action } from "../action.ts";
import type { Memory } from "../memory.ts";
import type { ClusterView } from "../cluster_view.ts";
import type { NodeView } from "../node_view.ts";
import { watchdogObstacle } from "../watchdog.ts";
import {
  hasDataElsewhere,
  hasEnded,
  isRunning,
  isUnfounded,
  lockSide,
  restUntilMs,
} from "./facts.ts";
import { act } from "./rule.ts";
import type { Answer, Rule } from "./rule.ts";
import { cloneFrom } from "./sources.ts";

const LOOK_AGAIN_MS = 1000;

/** The own bootstrap has ended: its claim is filled in and the lock taken, or the claim is given back. */
export const founding: Rule = {
  name: "founding",
  when: "a bootstrap has ended and the cluster is not founded yet",
  answer: (view, memory): Answer | null => {
    const { cluster, postgres } = view;
    if (cluster.kind !== "seen" || view.task.kind === "running") return null;
    if (cluster.systemId === "" && hasFailedBootstrap(view)) {
      return act("the bootstrap failed: giving the claim back", [{ kind: "abandon-bootstrap" }]);
    }
    if (postgres.kind !== "primary" || cluster.lock !== null) return null;
    if (cluster.systemId === "") return found(view, postgres.systemId, memory);
    if (!isUnfounded(view, memory)) return null;
    if (cluster.systemId === null) {
      const claim: Action = { kind: "claim-bootstrap" };
      const againMs = view.nowMs + LOOK_AGAIN_MS;
      return act("the bootstrap claim ran out: claiming again", [claim], againMs);
    }
    return null;
  },
};

/**
 * Refused unless the claim is our own; a process that was started again cannot know whether it is, so it tries. No second
 * round in this tick: after a refusal it would only be refused again.
 */
function found(view: NodeView, systemId: string, memory: Memory): Answer {
  const why = isUnfounded(view, memory)
    ? "the bootstrap is done: founding the cluster"
    : "a member bootstraps; founding the cluster if the claim is mine";
  const actions = [{ kind: "found-cluster", systemId }, { kind: "take-lock" }] as const;
  return act(why, actions, view.nowMs + LOOK_AGAIN_MS);
}

function hasFailedBootstrap(view: NodeView): boolean {
  if (isRunning(view.postgres)) return false;
  return hasEnded(view, "bootstrap", "failed") || hasEnded(view, "bootstrap", "cancelled");
}

/** An empty data directory: a copy of the leader, or of nobody yet, or a new cluster when there is none. */
export const bootstrap: Rule = {
  name: "bootstrap",
  when: "the data directory is empty",
  answer: (view, memory): Answer | null => {
    const { cluster } = view;
    if (cluster.kind !== "seen" || view.postgres.kind !== "no-data") return null;
    if (lockSide(view) === "other") {
      return cloneFrom(view, memory, { old: "refuse", why: "the data directory is empty" });
    }
    if (cluster.systemId === "") {
      return act("waiting for the member that bootstraps", abandonOwn(view));
    }
    if (cluster.systemId !== null) return act("waiting for a leader to copy", []);
    return startCluster(view, cluster, memory);
  },
};

/** A claim whose reply was lost, or of the process before us, is our own and would block everybody; else refused. */
function abandonOwn(view: NodeView): readonly Action[] {
  return view.self.mayBootstrap ? [{ kind: "abandon-bootstrap" }] : [];
}

function startCluster(view: NodeView, cluster: ClusterView, memory: Memory): Answer {
  const obstacle = whyNotFound(view, cluster, memory);
  if (obstacle !== null) return act(`no cluster yet; ${obstacle}`, []);
  const restMs = restUntilMs(view, memory, "bootstrap");
  if (restMs !== null) return act("the bootstrap failed; trying again later", [], restMs);
  return act("trying to bootstrap a new cluster", [
    { kind: "claim-bootstrap" },
    { kind: "start-task", task: { kind: "bootstrap" } },
  ]);
}

function whyNotFound(view: NodeView, cluster: ClusterView, memory: Memory): string | null {
  if (!view.self.mayBootstrap) return "the configuration has no bootstrap section";
  if (memory.lastLeader !== null || hasDataElsewhere(cluster, view.self.name)) {
    return "but there are members with data";
  }
  if (view.self.tags.nofailover) return "this node is tagged nofailover";
  const obstacle = watchdogObstacle(view.watchdog);
  if (obstacle !== null) return `the watchdog is required and cannot be used: ${obstacle}`;
  const [unsupported] = cluster.settings.unsupported;
  return unsupported === undefined ? null : `the setting ${unsupported} is not implemented`;
}
