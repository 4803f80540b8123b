import type { Action } from "../action.ts";
import type { ClusterView } from "../cluster_view.ts";
import type { PromiseView } from "../failsafe.ts";
import type { Memory } from "../memory.ts";
import type { NodeView, PeerReport } from "../node_view.ts";

/** The promise in force at this look, or null. */
export function promiseOf({ promise, nowMs }: NodeView): PromiseView | null {
  return promise !== undefined && promise !== null && nowMs < promise.untilMs ? promise : null;
}

/**
 * Why the promise to a leader keeps this node from the free lock (case C3), or null. It binds until its end, unless
 * whoever may rely on it answers that it does not lead (case C4). To be asked with the peers' answers.
 */
export function whyPromised(view: NodeView, cluster: ClusterView): string | null {
  const promise = promiseOf(view);
  if (promise === null) return null;
  const peers = view.peers === "not asked" ? [] : view.peers;
  const follows = (name: string): boolean => {
    return peers.some((peer) => peer.name === name && doesNotLead(peer));
  };
  if (promise.to !== null) {
    if (follows(promise.to)) return null;
    return `${promise.to} may lead without the store: it was promised that this node waits`;
  }
  const others = Object.keys(cluster.failsafe?.members ?? {}).filter((name) => {
    return name !== view.self.name;
  });
  const silent = others.filter((name) => !follows(name));
  if (silent.length === 0) return null;
  return `${
    silent.join(", ")
  } may lead without the store by a promise from before this agent's start`;
}

/**
 * Why the data of this node must not lead an emptied tree, or null: the list of failsafe mode is gone with it, so a silent
 * member may be a leader that goes on by the consents of others. To be asked with the peers' answers.
 */
export function whyListLost(view: NodeView, memory: Memory, cluster: ClusterView): string | null {
  if (cluster.systemId !== null || memory.lastSettings?.failsafeMode !== true) return null;
  const peers = view.peers === "not asked" ? [] : view.peers;
  const names = memory.lastHealthyMembers.map(({ name }) => name);
  const silent = names.filter((name) =>
    name !== view.self.name && !peers.some((peer) => peer.name === name && doesNotLead(peer))
  );
  if (silent.length === 0) return null;
  return `${
    silent.join(", ")
  } may lead without the store, whose key tree is gone: make sure that no ` +
    "primary runs, then write initialize again";
}

/** A replica, or a member that says of itself that it has neither a writable server nor a lease. */
function doesNotLead(peer: PeerReport): boolean {
  return peer.kind === "answered" ? !peer.isPrimary : peer.idle === true;
}

/** Before the lock is taken: a promise that nobody relies on any more is forgotten, lest it refuse the taking. */
export function forgetPromise(view: NodeView): readonly Action[] {
  const promise = promiseOf(view);
  return promise === null ? [] : [{ kind: "forget-promise", untilMs: promise.untilMs }];
}
