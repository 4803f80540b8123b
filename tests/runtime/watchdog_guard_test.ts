import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { type Log, silentLog } from "../../lib/base/log.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import type { Settings } from "../../lib/core/settings.ts";
import { leaseTiming } from "../../lib/core/lease_timing.ts";
import type { WatchdogAnswer, WatchdogDevice } from "../../lib/host/port.ts";
import { feeding } from "../../lib/runtime/fed_store.ts";
import { LeaseKeeper } from "../../lib/runtime/lease_keeper.ts";
import { WatchdogGuard } from "../../lib/runtime/watchdog_guard.ts";
import { MemoryLeaseFile, settle, VirtualClock } from "./fakes.ts";
import { MemoryDcs } from "./memory_dcs.ts";
import { MemorySwitch } from "./memory_switch.ts";

/** A device that keeps what it was told. */
class FakeDevice implements WatchdogDevice {
  events = "";
  fault: string | null = null;
  /** What the hardware makes of any timeout; null: what was wanted. */
  fixedS: number | null = null;

  check(): Promise<string | null> {
    return Promise.resolve(this.fault);
  }

  open(timeoutS: number): Promise<WatchdogAnswer> {
    return this.setTimeout(timeoutS);
  }

  setTimeout(timeoutS: number): Promise<WatchdogAnswer> {
    if (this.fault !== null) return Promise.resolve({ kind: "failed", why: this.fault });
    this.events += `${timeoutS},`;
    return Promise.resolve({ kind: "done", timeoutS: this.fixedS ?? timeoutS });
  }

  keepAlive(): Promise<string | null> {
    if (this.fault === null) this.events += "1";
    return Promise.resolve(this.fault);
  }

  close(): Promise<string | null> {
    this.events += "V";
    return Promise.resolve(this.fault);
  }
}

interface World {
  readonly clock: VirtualClock;
  readonly device: FakeDevice;
  readonly guard: WatchdogGuard;
  settings: Settings;
}

function world(
  mode: "off" | "automatic" | "required" = "required",
  safetyMarginS = 5,
  log: Log = silentLog,
): World {
  const clock = new VirtualClock();
  const device = new FakeDevice();
  const made = { clock, device, settings: defaultSettings };
  const settings = (): Settings => made.settings;
  const options = { mode, safetyMarginS, device, settings, clock, log };
  return Object.assign(made, { guard: new WatchdogGuard(options) });
}

async function opened(): Promise<World> {
  const made = world();
  await made.guard.open();
  return made;
}

Deno.test("open() sets ttl less the margin, and close() ends it once", async () => {
  const { device, guard } = await opened();
  deepStrictEqual(guard.state(), { kind: "active", timeoutS: 25 });
  await guard.open();
  await guard.close();
  await guard.close();
  strictEqual(device.events, "25,V");
  strictEqual((await guard.look()).kind, "ready");
});

Deno.test("open() does nothing in mode off", async () => {
  const { device, guard } = world("off");
  await guard.open();
  deepStrictEqual([device.events, guard.state().kind], ["", "off"]);
});

Deno.test("look() tells a device that is not there, by mode", async () => {
  for (const mode of ["automatic", "required"] as const) {
    const { device, guard } = world(mode);
    device.fault = "no such device";
    const view = await guard.look();
    strictEqual(view.kind === "unusable" && view.required, mode === "required");
  }
});

Deno.test("look() tells a timeout that would reset a healthy host", async () => {
  const { guard } = world("required", 21);
  strictEqual((await guard.look()).kind, "unusable");
});

Deno.test("look() tells the log of each reason once", async () => {
  const lines: string[] = [];
  const log = { ...silentLog, error: (line: string) => void lines.push(line) };
  const { device, guard } = world("required", 5, log);
  for (const fault of ["gone", "gone", null, "gone"]) {
    device.fault = fault;
    await guard.look();
  }
  strictEqual(lines.length, 2);
});

Deno.test("open() that failed is not tried again for a lease", async () => {
  const { clock, device, guard } = world();
  device.fault = "busy";
  await guard.open();
  device.fault = null;
  strictEqual((await guard.look()).kind, "unusable");
  await clock.advance(30_000);
  strictEqual((await guard.look()).kind, "ready");
});

Deno.test("open() closes a device whose own timeout is of no use", async () => {
  const made = world();
  made.device.fixedS = 60;
  await made.guard.open();
  deepStrictEqual([made.device.events, made.guard.state().kind], ["25,V", "unusable"]);
});

Deno.test("feed() passes over a renewal so slow that the host would outlive the lease", async () => {
  const { clock, device, guard } = await opened();
  const askedMs = clock.bootMs();
  await clock.advance(5000);
  await guard.feed(askedMs);
  await clock.advance(1);
  await guard.feed(askedMs);
  strictEqual(device.events, "25,1");
});

Deno.test("feed() follows a change of the ttl", async () => {
  const made = await opened();
  made.settings = { ...defaultSettings, ttlS: 40 };
  await made.guard.feed(made.clock.bootMs());
  strictEqual(made.device.events, "25,35,1");
  deepStrictEqual(made.guard.state(), { kind: "active", timeoutS: 35 });
});

Deno.test("feed() that fails makes the watchdog unusable", async () => {
  const made = await opened();
  made.device.fault = "gone";
  await made.guard.feed(made.clock.bootMs());
  ok(made.guard.state().kind === "unusable" && made.device.events === "25,V");
});

Deno.test("feeding() feeds after each proof of the lock, and not while the store is silent", async () => {
  const { clock, device, guard } = await opened();
  const dcs = new MemoryDcs(clock);
  const store = feeding(dcs, clock, (askedMs) => void guard.feed(askedMs));
  const timing = (): ReturnType<typeof leaseTiming> => guard.budget(leaseTiming(30, 10));
  const [name, file] = ["a", new MemoryLeaseFile()];
  const onLost = (): void => {};
  const deadMan = new MemorySwitch();
  const options = { store, clock, name, file, timing, onLost, deadMan };
  const keeper = new LeaseKeeper({ ...options, log: silentLog });
  const { signal } = new AbortController();
  await keeper.take(signal);
  await keeper.view(signal);
  await settle();
  strictEqual(device.events, "25,1");
  strictEqual(keeper.stopAtMs(), clock.bootMs() + 20_000);
  dcs.fault = "cut";
  await keeper.view(signal).catch(() => null);
  await settle();
  strictEqual(device.events, "25,1");
});
