import type { Entry } from "../codec.ts";
import { encodeFailsafe } from "../codec.ts";
import type { Keys } from "../keys.ts";
import type { FailsafeWrite, Look, RenewResult } from "../port.ts";
import type { Call } from "./gateway.ts";
import {
  exists,
  isAbsent,
  leaseIs,
  put,
  readKey,
  readPrefix,
  remove,
  revisionIs,
  txnBody,
  unchangedSince,
  valueIs,
} from "./txn.ts";
import type { Compare, Txn } from "./txn.ts";
import type { GuardedWrite } from "./writer.ts";

/** Who wants the lock, and under which lease. */
export interface Claim {
  readonly name: string;
  readonly lease: string;
}

/** Creates the leader key, under more conditions or none; done as well when it is there under exactly this claim. */
export function takeLock(
  leader: string,
  { name, lease }: Claim,
  conditions: readonly Compare[] = [],
): GuardedWrite {
  return {
    compare: [isAbsent(leader), ...conditions],
    steps: [put(leader, name, lease)],
    witness: leader,
    isDone: (found) => found?.value === name && found.lease === lease,
  };
}

/** What must be as in the look; `blankList`: revision of a `failsafe` that exists and counts as absent, else 0n. */
export function asLooked(
  { failsafe, history, status }: Keys,
  blankList: bigint,
  { list = 0n, revision }: Look = {},
): readonly Compare[] {
  const isSame = revisionIs(failsafe, list || blankList);
  if (revision === undefined) return [isSame];
  return [isSame, unchangedSince(status, revision), unchangedSince(history, revision)];
}

/** Moves a leader key that holds our name to our lease. */
export function retakeLock(leader: string, { name, lease }: Claim): GuardedWrite {
  return {
    compare: [valueIs(leader, name)],
    steps: [put(leader, name, lease)],
    witness: leader,
    isDone: () => false,
  };
}

/** Deletes the leader key of exactly this claim; one that is gone already is fine. */
export function releaseLock(leader: string, { name, lease }: Claim): GuardedWrite {
  return {
    compare: [valueIs(leader, name), leaseIs(leader, lease)],
    steps: [remove(leader)],
    witness: leader,
    isDone: (found) => found === null,
  };
}

/** Reads the whole cluster while the lock is held by exactly this claim, else only the leader key. */
export function proveLock({ leader, prefix }: Keys, { name, lease }: Claim): Call {
  const compare = [valueIs(leader, name), leaseIs(leader, lease)];
  return callOf({ compare, success: [readPrefix(prefix)], failure: [readKey(leader)] });
}

/** Changes nothing, and is refused to a user who may not write the lock or read the cluster. */
export function proveRights({ leader, prefix }: Keys): Call {
  const compare = [isAbsent(leader), exists(leader)]; // never true
  return callOf({ compare, success: [put(leader, "")], failure: [readPrefix(prefix)] });
}

function callOf(txn: Txn): Call {
  return { path: "/v3/kv/txn", body: txnBody(txn) };
}

/** What the leader key says when the proof failed. */
export function notProven(name: string, found: Entry | null): RenewResult {
  if (found === null) {
    return { kind: "refused", why: "the leader key is gone", keyIsFreeOrOurs: true };
  }
  const why = `the leader key holds "${found.value ?? "no text"}" under lease ${found.lease}`;
  return { kind: "refused", why, keyIsFreeOrOurs: found.value === name };
}

/** Replaces or deletes the list of failsafe mode; only while `name` holds the lock and the list is the one that was read. */
export function replaceFailsafe(
  { failsafe, leader }: Keys,
  name: string,
  { members, revision }: FailsafeWrite,
): GuardedWrite {
  const text = members === null ? null : encodeFailsafe(members);
  return {
    compare: [valueIs(leader, name), revisionIs(failsafe, revision)],
    steps: [text === null ? remove(failsafe) : put(failsafe, text)],
    witness: failsafe,
    isDone: (found) => (found?.value ?? null) === text,
  };
}
