import { within } from "../base/deadline.ts";
import type { HttpFetch } from "../base/http.ts";
import type { ClusterView } from "../core/cluster_view.ts";

/** Patroni's limit for this question. */
const LIVENESS_MS = 3000;
/** Enough for an agent on the same host or in the same network. */
const PATIENCE_MIN_MS = 100;

/**
 * How long the question may take, in milliseconds: a lock that the process before us held must be renewed in time. Nobody
 * renews it meanwhile, so one renewal and the stop must still fit in.
 */
export function namePatienceMs(
  { stopAtMs, nowMs, renewalMs }: {
    /** When the lock must be given up; null: none is held. */
    readonly stopAtMs: number | null;
    readonly nowMs: number;
    readonly renewalMs: number;
  },
): number {
  if (stopAtMs === null) return LIVENESS_MS;
  return Math.min(LIVENESS_MS, Math.max(PATIENCE_MIN_MS, stopAtMs - nowMs - renewalMs));
}

/**
 * Does another agent run under our name? Its published address is asked for `/liveness`; any HTTP answer is a yes. Must be
 * asked before our own API listens, since after a restart the address may be ours. `road` must not check certificates:
 * who cannot prove a name may still be there.
 */
export async function isNameInUse(
  cluster: ClusterView,
  name: string,
  road: HttpFetch,
  patienceMs = LIVENESS_MS,
): Promise<boolean> {
  const apiUrl = cluster.members.find((member) => member.name === name)?.apiUrl ?? null;
  if (apiUrl === null || !URL.canParse("/liveness", apiUrl)) return false;
  using deadline = within(patienceMs);
  try {
    const response = await road(new URL("/liveness", apiUrl).href, { signal: deadline.signal });
    await response.body?.cancel();
    return true;
  } catch {
    return false; // refused, silent or no HTTP: nobody who could answer for the name
  }
}
