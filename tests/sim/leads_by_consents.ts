import type { SimNode } from "./sim_node.ts";

/** True for a primary whose lease lasts by the promises of the others. */
export function leadsByConsents(node: SimNode | null): boolean {
  const lease = node?.leaseView();
  if (node === null || lease?.kind !== "held" || lease.consented !== true) return false;
  return node.server.writable && node.bootMs() < lease.endsMs;
}
