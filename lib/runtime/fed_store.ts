import type { Clock } from "../base/clock.ts";
import type { LeaseStore } from "./session_lease.ts";

/** The same store; `feed` hears of each proof of the lock, with the boot clock from before its request. */
export function feeding(
  store: LeaseStore,
  clock: Clock,
  feed: (askedMs: number) => void,
): LeaseStore {
  return {
    read: (signal) => store.read(signal),
    grantLease: (ttlS, signal) => store.grantLease(ttlS, signal),
    keepLeaseAlive: (lease, signal) => store.keepLeaseAlive(lease, signal),
    takeLock: (...words) => store.takeLock(...words),
    retakeLock: (name, lease, signal) => store.retakeLock(name, lease, signal),
    releaseLock: (name, lease, signal) => store.releaseLock(name, lease, signal),
    renewLock: async (name, lease, signal) => {
      const askedMs = clock.bootMs();
      const result = await store.renewLock(name, lease, signal);
      if (result.kind === "held") feed(askedMs);
      return result;
    },
  };
}
