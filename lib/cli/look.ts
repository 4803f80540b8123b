import { within } from "../base/deadline.ts";
import { ConfigError, DcsUnreachable } from "../base/errors.ts";
import type { ClusterView } from "../core/cluster_view.ts";
import type { ClusterAccess } from "./command.ts";

/** Milliseconds that one look into the store may take. */
export const READ_MS = 10_000;

/** One look at the cluster, linearizable. Throws `DcsUnreachable`, also when the time is over. */
export async function lookAny(cluster: ClusterAccess): Promise<ClusterView> {
  using deadline = within(READ_MS);
  return await cluster.read(deadline.signal);
}

/** The same for those who want something of a cluster: throws `ConfigError` when the store has nothing of that name. */
export async function look(cluster: ClusterAccess): Promise<ClusterView> {
  const view = await lookAny(cluster);
  if (isEmpty(view)) throw new ConfigError(nothingOf(cluster.scope), []);
  return view;
}

function isEmpty({ systemId, lock, members, config }: ClusterView): boolean {
  return systemId === null && lock === null && members.length === 0 && config === null;
}

function nothingOf(scope: string): string {
  return `the store has nothing of the cluster "${scope}": look at its name, --dcs-url and the namespace`;
}

/** The same for loops that look again anyway: null when the store does not answer. */
export async function lookOrNull(cluster: ClusterAccess): Promise<ClusterView | null> {
  try {
    return await lookAny(cluster);
  } catch (error) {
    if (error instanceof DcsUnreachable) return null;
    throw error;
  }
}
