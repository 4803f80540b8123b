import type { ClusterView } from "../core/cluster_view.ts";

/** Where to ask a member; what it published may be garbage, and then it cannot be asked: null. */
export function apiUrlOf({ members }: Pick<ClusterView, "members">, name: string): string | null {
  return askable(members.find((member) => member.name === name)?.apiUrl ?? null);
}

/** The address when a request can be sent to it, else null. */
export function askable(apiUrl: string | null): string | null {
  return apiUrl !== null && /^https?:/.test(apiUrl) && URL.canParse(apiUrl) ? apiUrl : null;
}

/** `api_url` ends in `/patroni`; its neighbours are the endpoints. */
export function endpoint(apiUrl: string, name: string): string {
  return new URL(`/${name}`, apiUrl).href;
}
