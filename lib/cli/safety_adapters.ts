import { systemClock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { AgentConfig } from "../config/agent_config.ts";
import type { LeaseTiming } from "../core/lease_timing.ts";
import type { Settings } from "../core/settings.ts";
import { switchDeadline } from "../core/switch_status.ts";
import { ShellSwitch } from "../host/dead_man_switch.ts";
import { watchdogDevice } from "../host/watchdog.ts";
import { feeding } from "../runtime/fed_store.ts";
import type { LeaseFile } from "../runtime/lease_file.ts";
import { DiskLeaseFile } from "../runtime/lease_file.ts";
import { LeaseKeeper } from "../runtime/lease_keeper.ts";
import type { LeaseStore } from "../runtime/session_lease.ts";
import type { LeaseSwitch } from "../runtime/lease_switch.ts";
import { Promises } from "../runtime/promises.ts";
import { WatchdogGuard } from "../runtime/watchdog_guard.ts";

const clock = systemClock;

/** The host's watchdog; not opened yet. */
export function openWatchdog(
  { watchdog }: AgentConfig,
  settings: () => Settings,
  log: Log,
): WatchdogGuard {
  const { mode, safetyMarginS, device: path, driver } = watchdog;
  const device = watchdogDevice(path, driver);
  return new WatchdogGuard({ mode, safetyMarginS, device, settings, clock, log });
}

/** What the keeper of the lease is made of, beside the configuration. */
export interface KeeperParts {
  readonly dcs: LeaseStore;
  readonly watchdog: WatchdogGuard;
  readonly deadMan: ShellSwitch;
  readonly timing: () => LeaseTiming;
  readonly onLost: (why: string) => void;
  readonly log: Log;
}

/**
 * The keeper of lease and lock: each proof feeds the watchdog and counts only under the switch. With it what this member
 * promises to others: neither goes without asking the other.
 */
export function openKeeper(
  config: AgentConfig,
  parts: KeeperParts,
): { readonly keeper: LeaseKeeper; readonly promises: Promises } {
  const { name } = config;
  const { dcs, watchdog, deadMan, timing, onLost, log } = parts;
  const promises: Promises = new Promises({
    clock,
    name,
    ttlMs: () => timing().ttlMs,
    isReaching: () => keeper.isReaching(),
  });
  const keeper = new LeaseKeeper({
    store: fedStore(dcs, watchdog),
    clock,
    name,
    file: leaseFileOf(config),
    timing,
    whyNotTake: () => promises.whyNotTake(),
    onLost,
    log,
    deadMan: leaseSwitch(deadMan, timing),
  });
  return { keeper, promises };
}

/** Where the lease of this member survives its process. */
export function leaseFileOf(
  { name, stateDir, namespace, scope, postgresql: { dataDir } }: AgentConfig,
): LeaseFile {
  return new DiskLeaseFile(stateDir, { name, scope: `${namespace}${scope}`, dataDir });
}

/** The store for the lease keeper: each proof of the lock feeds the watchdog. */
function fedStore(store: LeaseStore, watchdog: WatchdogGuard): LeaseStore {
  return feeding(store, clock, (askedMs) => void watchdog.feed(askedMs));
}

/** The switch of this configuration's data directory; nothing is started yet. */
export function openSwitch({ postgresql, stateDir }: AgentConfig, log: Log): ShellSwitch {
  return new ShellSwitch({ dataDir: postgresql.dataDir, stateDir, clock, log });
}

/** The switch under the lease budget in force at each renewal. */
function leaseSwitch(deadMan: ShellSwitch, timing: () => LeaseTiming): LeaseSwitch {
  return {
    ready: () => deadMan.ready(),
    renew: (endsMs) => deadMan.arm(switchDeadline(endsMs, timing())),
    disarm: () => deadMan.disarm(),
    rest: () => deadMan.rest(),
    view: () => deadMan.view(),
  };
}
