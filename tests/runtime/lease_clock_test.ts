import { ok, strictEqual } from "node:assert/strict";
import { silentLog } from "../../lib/base/log.ts";
import { leadsAt } from "../../lib/core/health.ts";
import { leaseTiming } from "../../lib/core/lease_timing.ts";
import { LeaseKeeper } from "../../lib/runtime/lease_keeper.ts";
import { MemoryLeaseFile, VirtualClock } from "./fakes.ts";
import { leader, leftMs, signal } from "./keeper_world.ts";
import { MemoryDcs } from "./memory_dcs.ts";
import { MemorySwitch } from "./memory_switch.ts";

Deno.test("A14 view() stays the leader over answers of 9 s, and never believes longer than the store", async () => {
  const made = await leader();
  made.dcs.delayMs = 9_000;
  for (let cycle = 0; cycle < 6; cycle++) {
    made.keeper.hold();
    const looking = made.keeper.view(signal);
    await made.clock.advance(9_000);
    await looking;
    const believedMs = leftMs(made);
    const expiresMs = [...made.dcs.store.leases.values()][0]?.expiresMs ?? 0;
    ok(typeof believedMs === "number" && believedMs <= expiresMs - made.clock.bootMs());
    await made.clock.advance(1_000);
  }
  strictEqual(made.lost.length, 0);
});

/** A host whose wall clock is put to another time. */
class JumpyClock extends VirtualClock {
  jumpMs = 0;

  override wallMs(): number {
    return super.wallMs() + this.jumpMs;
  }
}

Deno.test("A16 lease() is what it was when the wall clock jumps an hour back and forth", async () => {
  const clock = new JumpyClock();
  const keeper = new LeaseKeeper({
    store: new MemoryDcs(clock),
    clock,
    name: "a",
    file: new MemoryLeaseFile(),
    timing: () => leaseTiming(30, 10),
    onLost: () => {},
    log: silentLog,
    deadMan: new MemorySwitch(),
  });
  strictEqual((await keeper.take(signal)).kind, "done");
  const before = JSON.stringify(keeper.lease());
  for (const jumpMs of [3_600_000, -3_600_000]) {
    clock.jumpMs = jumpMs;
    strictEqual(JSON.stringify(keeper.lease()), before);
    strictEqual(leadsAt(keeper.lease(), clock.bootMs()), true);
  }
});

Deno.test("A17 lease() is over at the first look after a minute of suspend, before anything else has run", async () => {
  const { keeper, clock } = await leader();
  const waking = clock.advance(60_000); // the boot clock goes on while the host sleeps
  await waking;
  strictEqual(keeper.lease().kind, "lost");
  strictEqual(keeper.hold(), false);
  strictEqual(leadsAt(keeper.lease(), clock.bootMs()), false);
});
