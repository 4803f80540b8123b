import { within } from "../base/deadline.ts";
import type { HttpFetch } from "../base/http.ts";
import type { ClusterView } from "../core/cluster_view.ts";

/** Patroni's limit for this question. */
const LIVENESS_MS = 3000;

/**
 * Does another agent run under our name? Its published address is asked for `/liveness`; any HTTP answer is a yes. Must be
 * asked before our own API listens, since after a restart the address may be ours. `road` must not check certificates:
 * who cannot prove a name may still be there.
 */
export async function isNameInUse(
  cluster: ClusterView,
  name: string,
  road: HttpFetch,
): Promise<boolean> {
  const apiUrl = cluster.members.find((member) => member.name === name)?.apiUrl ?? null;
  if (apiUrl === null || !URL.canParse("/liveness", apiUrl)) return false;
  using deadline = within(LIVENESS_MS);
  try {
    const response = await road(new URL("/liveness", apiUrl).href, { signal: deadline.signal });
    await response.body?.cancel();
    return true;
  } catch {
    return false; // refused, silent or no HTTP: nobody who could answer for the name
  }
}
