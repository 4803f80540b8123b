import type { ClusterView } from "./cluster_view.ts";
import type { Handover } from "./requests.ts";

/** A request that was written into the store. */
export interface WrittenHandover {
  readonly handover: Handover;
  /** Of the view that it was judged with; older pictures say nothing. */
  readonly readRevision: bigint;
  /** Revision of the key as written; null when no answer told whether it was. */
  readonly revision: bigint | null;
}

/** How it ended, with status and text of spec 3.5; null: not ended yet. */
export interface HandoverEnd {
  readonly status: number;
  readonly text: string;
}

/**
 * Reads from a later cluster view how a request ended. Only a member that holds the lock is a new leader: between
 * release and race nobody is, and that is no success (F9).
 */
export function handoverEnd(written: WrittenHandover, cluster: ClusterView): HandoverEnd | null {
  const { handover, readRevision, revision } = written;
  if (cluster.revision < (revision ?? readRevision)) return null;
  return endByLock(handover, cluster, revision !== null && isWithdrawn(cluster, revision));
}

function endByLock(handover: Handover, cluster: ClusterView, failed: boolean): HandoverEnd | null {
  const { action, candidate, oldLeader } = handover;
  const holder = cluster.lock?.holder ?? null;
  const isSwitchover = action === "switchover";
  if (holder === null || holder === oldLeader) {
    return failed
      ? { status: 503, text: `${isSwitchover ? "Switchover" : "Failover"} failed` }
      : null;
  }
  if (candidate === null || candidate === holder) {
    const verb = isSwitchover ? "Successfully switched over" : "Successfully failed over";
    return { status: 200, text: `${verb} to "${holder}"` };
  }
  const verb = isSwitchover ? "Switched over" : "Failed over";
  return { status: 200, text: `${verb} to "${holder}" instead of "${candidate}"` };
}

/** The key no longer carries our request: cleared, or replaced by another one. */
function isWithdrawn({ handover }: ClusterView, revision: bigint): boolean {
  return handover === null || handover.revision !== revision;
}

/** The answer when the time is over before the end was seen. */
export function handoverUnknown({ action }: Handover, seconds: number): HandoverEnd {
  const what = action === "switchover" ? "Switchover" : "Failover";
  const text =
    `${what} status unknown after ${seconds} seconds; operation may still be in progress`;
  return { status: 503, text };
}
