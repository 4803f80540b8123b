import { keysOf } from "../keys.ts";
import type { WriteResult } from "../port.ts";
import { Gateway, type GatewayOptions } from "./gateway.ts";
import { isAbsent, removePrefix, valueIs } from "./txn.ts";
import { refusedIfFailed, writeGuarded } from "./writer.ts";

/** Which cluster in which etcd. */
export interface RemoveOptions extends GatewayOptions {
  readonly scope: string;
  readonly namespace: string;
}

/**
 * Deletes every key of a cluster in one transaction, if `holder` (null: nobody) has the lock at that moment. For an
 * operator only: agents that run write their keys again.
 */
export async function removeCluster(
  options: RemoveOptions,
  holder: string | null,
  signal: AbortSignal,
): Promise<WriteResult> {
  const { prefix, leader } = keysOf(options);
  const result = await writeGuarded(new Gateway(options), {
    compare: [holder === null ? isAbsent(leader) : valueIs(leader, holder)],
    steps: [removePrefix(prefix)],
    witness: leader,
    // A reply that was lost: the keys are gone, and with them the lock.
    isDone: (found) => holder !== null && found === null,
  }, signal);
  return refusedIfFailed(result);
}
