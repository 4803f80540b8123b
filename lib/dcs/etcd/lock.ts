import { isAbsent, leaseIs, put, remove, valueIs } from "./txn.ts";
import type { GuardedWrite } from "./writer.ts";

/** Who wants the lock, and under which lease. */
export interface Claim {
  readonly name: string;
  readonly lease: string;
}

/** Creates the leader key; done as well when it is there under exactly this claim. */
export function takeLock(leader: string, { name, lease }: Claim): GuardedWrite {
  return {
    compare: [isAbsent(leader)],
    steps: [put(leader, name, lease)],
    witness: leader,
    isDone: (found) => found?.value === name && found.lease === lease,
  };
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
