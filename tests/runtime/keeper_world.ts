import { strictEqual } from "node:assert/strict";
import { silentLog } from "../../lib/base/log.ts";
import { leaseTiming } from "../../lib/core/lease_timing.ts";
import { LeaseKeeper } from "../../lib/runtime/lease_keeper.ts";
import { MemoryLeaseFile, VirtualClock } from "./fakes.ts";
import { MemoryDcs } from "./memory_dcs.ts";
import { MemorySwitch } from "./memory_switch.ts";

/** ttl 30, renewal every 10 s, stop 5 s before the end. */
export interface World {
  readonly clock: VirtualClock;
  readonly dcs: MemoryDcs;
  readonly file: MemoryLeaseFile;
  readonly keeper: LeaseKeeper;
  readonly deadMan: MemorySwitch;
  readonly lost: string[];
  ttlS: number;
  /** Why the lock must not be asked for. */
  obstacle: string | null;
}

/** A signal that never aborts. */
export const signal = new AbortController().signal;

/** A keeper that has asked for nothing yet. */
export function world(): World {
  const clock = new VirtualClock();
  const dcs = new MemoryDcs(clock);
  const made = {
    clock,
    dcs,
    file: new MemoryLeaseFile(),
    deadMan: new MemorySwitch(),
    lost: [],
    ttlS: 30,
    obstacle: null,
  };
  return Object.assign(made, { keeper: keeperOf(made) });
}

/** Another keeper over the same parts: the next process of this member. */
export function keeperOf(parts: Omit<World, "keeper">): LeaseKeeper {
  return new LeaseKeeper({
    store: parts.dcs,
    clock: parts.clock,
    name: "a",
    file: parts.file,
    timing: () => leaseTiming(parts.ttlS, 10),
    whyNotTake: () => parts.obstacle,
    onLost: (why) => parts.lost.push(why),
    log: silentLog,
    deadMan: parts.deadMan,
  });
}

/** A keeper that holds the lock. */
export async function leader(): Promise<World> {
  const made = world();
  strictEqual((await made.keeper.take(signal)).kind, "done");
  return made;
}

/** What the keeper may hold, in milliseconds from now. */
export function leftMs({ keeper, clock }: World): number | string {
  const lease = keeper.lease();
  return lease.kind === "held" ? lease.endsMs - clock.bootMs() : lease.kind;
}
