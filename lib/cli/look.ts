import { within } from "../base/deadline.ts";
import { DcsUnreachable } from "../base/errors.ts";
import type { ClusterView } from "../core/cluster_view.ts";
import type { ClusterAccess } from "./command.ts";

/** Milliseconds that one look into the store may take. */
export const READ_MS = 10_000;

/** One look at the cluster, linearizable. Throws `DcsUnreachable`, also when the time is over. */
export async function look(cluster: ClusterAccess): Promise<ClusterView> {
  using deadline = within(READ_MS);
  return await cluster.read(deadline.signal);
}

/** The same for loops that look again anyway: null when the store does not answer. */
export async function lookOrNull(cluster: ClusterAccess): Promise<ClusterView | null> {
  try {
    return await look(cluster);
  } catch (error) {
    if (error instanceof DcsUnreachable) return null;
    throw error;
  }
}
