import { keysOf } from "../keys.ts";
import type { WriteResult } from "../port.ts";
import { Gateway, type GatewayOptions } from "./gateway.ts";
import { type Compare, isAbsent, removePrefix, valueIs } from "./txn.ts";
import { type GuardedResult, refusedIfFailed, writeGuarded } from "./writer.ts";

/** Which cluster in which etcd. */
export interface RemoveOptions extends GatewayOptions {
  readonly scope: string;
  readonly namespace: string;
}

/**
 * Deletes every key of a cluster in one transaction, if `holder` (null: nobody) has the lock at that moment; when its
 * lock has ended meanwhile, too. For an operator only: agents that run write their keys again.
 */
export async function removeCluster(
  options: RemoveOptions,
  holder: string | null,
  signal: AbortSignal,
): Promise<WriteResult> {
  const { prefix, leader } = keysOf(options);
  const gateway = new Gateway(options);
  const remove = (condition: Compare): Promise<GuardedResult> =>
    writeGuarded(gateway, {
      compare: [condition],
      steps: [removePrefix(prefix)],
      witness: leader,
      isDone: () => false,
    }, signal);
  const result = await remove(holder === null ? isAbsent(leader) : valueIs(leader, holder));
  const isFree = result.kind === "condition-failed" && result.found === null;
  // Either the reply of a first try was lost or the lease is over: to delete once more suits both.
  return refusedIfFailed(isFree ? await remove(isAbsent(leader)) : result);
}
