import { DcsUnreachable, Refused } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import type { Entry } from "../codec.ts";
import type { Keys } from "../keys.ts";
import type { WriteResult } from "../port.ts";
import type { Gateway } from "./gateway.ts";
import {
  entriesRead,
  hasSucceeded,
  isAbsent,
  readKey,
  removePrefix,
  revisionOf,
  txnBody,
  valueIs,
} from "./txn.ts";
import type { Compare, Step } from "./txn.ts";

/** A write that happens only while its conditions hold, and what proves afterwards that it had happened already. */
export interface GuardedWrite {
  readonly compare: readonly Compare[];
  readonly steps: readonly Step[];
  /** The key to look at when the conditions do not hold. */
  readonly witness: string;
  /**
   * True when the witness shows that nothing is left to do. A reply that was lost makes the repeated transaction fail
   * its own condition; without this the success would be reported as a refusal.
   */
  readonly isDone: (found: Entry | null) => boolean;
}

/** Like `WriteResult`; a failed condition brings what the witness held. */
export type GuardedResult =
  | WriteResult
  | { readonly kind: "condition-failed"; readonly found: Entry | null };

/** Runs a guarded write; never throws for a store that refuses or does not answer. */
export async function writeGuarded(
  gateway: Gateway,
  write: GuardedWrite,
  signal: AbortSignal,
): Promise<GuardedResult> {
  const { compare, steps, witness, isDone } = write;
  const body = txnBody({ compare, success: steps, failure: [readKey(witness)] });
  return await asResult(async () => {
    const answer = await gateway.call({ path: "/v3/kv/txn", body }, signal);
    if (hasSucceeded(answer)) return { kind: "done", revision: revisionOf(answer) };
    const found = entriesRead(answer)[0] ?? null;
    if (!isDone(found)) return { kind: "condition-failed", found };
    return { kind: "done", revision: found?.revision ?? revisionOf(answer) };
  });
}

/** Runs a plain put; only for what its writer alone writes. */
export async function writePlain(
  gateway: Gateway,
  body: JsonObject,
  signal: AbortSignal,
): Promise<WriteResult> {
  return await asResult<WriteResult>(async () => {
    const answer = await gateway.call({ path: "/v3/kv/put", body }, signal);
    return { kind: "done", revision: revisionOf(answer) };
  });
}

/**
 * Deletes every key of a cluster in one transaction, if `holder` (null: nobody) has the lock at that moment; when its
 * lock has ended meanwhile, too. For an operator only: agents that run write their keys again.
 */
export async function removeCluster(
  gateway: Gateway,
  { prefix, leader }: Keys,
  holder: string | null,
  signal: AbortSignal,
): Promise<WriteResult> {
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

/** A failed condition in words, for results that need no more. */
export function refusedIfFailed(result: GuardedResult): WriteResult {
  if (result.kind !== "condition-failed") return result;
  const { found } = result;
  const state = found === null ? "the key is absent" : `the key holds ${quoted(found.value)}`;
  return { kind: "refused", why: `Cannot write: ${state}` };
}

const SHOWN_MAX = 80;

function quoted(value: string | null): string {
  return value === null ? "no text" : JSON.stringify(value.slice(0, SHOWN_MAX));
}

async function asResult<T extends GuardedResult>(
  write: () => Promise<T>,
): Promise<T | WriteResult> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof Refused) return { kind: "refused", why: error.message };
    if (error instanceof DcsUnreachable) return { kind: "unknown", why: error.message };
    throw error;
  }
}
