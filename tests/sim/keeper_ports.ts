import type { Clock } from "../../lib/base/clock.ts";
import type { LeaseTiming } from "../../lib/core/lease_timing.ts";
import type { Look } from "../../lib/dcs/port.ts";
import type { Steps } from "./schedule.ts";
import type { SimSwitch } from "./sim_switch.ts";
import type { Store } from "./store.ts";

/** One request to the store as an agent sees it: an answer, or nothing known. */
export type StoreAnswer<T> = { readonly kind: "answer"; readonly value: T } | {
  readonly kind: "lost";
};

/** What the keeper needs of its node. */
export interface KeeperPorts {
  readonly name: string;
  readonly timing: LeaseTiming;
  /** null: this host has no switch. */
  readonly deadMan: SimSwitch | null;
  /** The lock was proved by a request sent at `askedMs`. */
  proved(askedMs: number): void;
  /** Boot clock of the node. */
  bootMs(): number;
  /** True time, for the store's own count. */
  trueMs(): number;
  ask<T>(deadlineMs: number, request: (store: Store) => T): Steps<StoreAnswer<T>>;
  wake(): void;
  /** Why the lock must not be asked for now, or null. */
  whyNotTake(): string | null;
}

/** Deliberate faults of a keeper; the simulator must find each. */
export interface KeeperFaults {
  /** The lease counts from the answer instead of the request. */
  readonly countsFromAnswer?: boolean;
  /** A renewal without an answer counts as success. */
  readonly trustsLostRenewal?: boolean;
  /** The lease of a lock that was given up is kept alive with the member key. */
  readonly feedsDropped?: boolean;
  /** The lease never ends by itself. */
  readonly neverEnds?: boolean;
  /** A proof counts although the switch was not told of it. */
  readonly forgetsSwitch?: boolean;
  /** The switch is given the end of the lease for the moment to stop at. */
  readonly armsLate?: boolean;
  /** The switch is laid to rest whenever that is asked for. */
  readonly disarmsAlways?: boolean;
  /** The lock is taken whatever has become of the list of failsafe mode. */
  readonly takesUnderAnyList?: boolean;
  /** The lock is taken whatever a leader has written since the look. */
  readonly takesByAnyLook?: boolean;
  /** Maintenance mode lays a switch to rest that the process before has armed, before any rule has seen it. */
  readonly restsUnseen?: boolean;
  /** A definite no to a renewal counts as no answer. */
  readonly refusalIsSilence?: boolean;
  /** Maintenance mode lays the switch to rest, and its end does not arm it again. */
  readonly staysDisarmed?: boolean;
}

/** What is asked of the store with a request for the lock. */
export function lookOf(look: Look, faults: KeeperFaults): Look | "any" {
  if (faults.takesUnderAnyList) return "any";
  return faults.takesByAnyLook ? { list: look.list ?? 0n } : look;
}

/** What the product's lock claim reads of a clock. */
export function clockOf(ports: Pick<KeeperPorts, "bootMs">): Clock {
  return {
    bootMs: () => ports.bootMs(),
    wallMs: () => ports.bootMs(),
    sleep: () => Promise.resolve(),
    beat: () => Promise.resolve(),
  };
}
