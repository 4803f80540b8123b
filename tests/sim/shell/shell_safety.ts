import { switchDeadline } from "../../../lib/core/switch_status.ts";
import type { LeaseTiming } from "../../../lib/core/lease_timing.ts";
import type { WatchdogDevice } from "../../../lib/host/port.ts";
import type { LeaseSwitch } from "../../../lib/runtime/lease_switch.ts";
import { MemorySwitch } from "../../runtime/memory_switch.ts";
import type { SimSwitch } from "../sim_switch.ts";
import type { SimDevice } from "../sim_watchdog.ts";

/** The host's switch as the keeper sees it; where the plan has none, one that can be armed and never fires. */
export function switchOf(deadMan: SimSwitch | null, timing: () => LeaseTiming): LeaseSwitch {
  if (deadMan === null) return new MemorySwitch();
  return {
    ready: () => Promise.resolve(deadMan.ready()),
    renew: (endsMs) => Promise.resolve(deadMan.arm(switchDeadline(endsMs, timing()))),
    disarm: () => Promise.resolve(deadMan.disarm()),
    rest: () => Promise.resolve(deadMan.disarm()),
    view: () => deadMan.view(),
  };
}

/** The host's timer as the product's guard sees it; `fault` tells why it does not work now. */
export function deviceOf(device: SimDevice, fault: () => string | null): WatchdogDevice {
  const set = (timeoutS: number): ReturnType<WatchdogDevice["open"]> => {
    const why = fault();
    if (why !== null) return Promise.resolve({ kind: "failed", why });
    device.open(timeoutS);
    return Promise.resolve({ kind: "done", timeoutS });
  };
  return {
    check: () => Promise.resolve(fault()),
    open: set,
    setTimeout: set,
    keepAlive: () => {
      const why = fault();
      if (why === null) device.keepAlive();
      return Promise.resolve(why);
    },
    close: () => Promise.resolve((device.close(), null)),
  };
}
