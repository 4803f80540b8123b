import { systemClock as clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { AgentConfig } from "../config/agent_config.ts";
import type { LeaseTiming } from "../core/lease_timing.ts";
import { decodeSettings, defaultSettings } from "../core/settings.ts";
import type { Settings } from "../core/settings.ts";
import { slotNameOf } from "../core/slot_name.ts";
import { switchDeadline } from "../core/switch_status.ts";
import { COMPATIBLE_VERSION } from "../core/version.ts";
import { startHook } from "../host/hooks.ts";
import { watchdogDevice } from "../host/watchdog.ts";
import { EtcdDcs } from "../dcs/etcd/etcd_dcs.ts";
import { ShellSwitch } from "../host/dead_man_switch.ts";
import { PostgresManager } from "../postgres/manager.ts";
import type { AskPeers } from "../runtime/act.ts";
import type { LeaseSwitch } from "../runtime/lease_switch.ts";
import { Callbacks } from "../runtime/callbacks.ts";
import { feeding } from "../runtime/fed_store.ts";
import type { LeaseStore } from "../runtime/lease_keeper.ts";
import { askPeers } from "../runtime/peers.ts";
import { WatchdogGuard } from "../runtime/watchdog_guard.ts";

/** In force until the store has shown settings: those of `bootstrap.dcs`. */
export function settingsAtFirst({ bootstrap }: AgentConfig): Settings {
  const decoded = decodeSettings(bootstrap?.dcs ?? {});
  return "settings" in decoded ? decoded.settings : defaultSettings;
}

/** The store of this cluster. */
export function openStore(
  { etcd, scope, namespace }: AgentConfig,
  endpointMs: () => number,
): EtcdDcs {
  return new EtcdDcs({ ...etcd, scope, namespace, endpointMs, clock });
}

/** The local server. */
export function openServer({ name, scope, postgresql, bootstrap }: AgentConfig): PostgresManager {
  return new PostgresManager({
    ...postgresql,
    name,
    scope,
    slotName: slotNameOf(name),
    clock,
    bootstrap: bootstrap === null ? null : { initdb: bootstrap.initdb, pgHba: bootstrap.pgHba },
  });
}

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

/** The store for the lease keeper: each proof of the lock feeds the watchdog. */
export function fedStore(store: LeaseStore, watchdog: WatchdogGuard): LeaseStore {
  return feeding(store, clock, (askedMs) => void watchdog.feed(askedMs));
}

/** The operator's callbacks. */
export function openCallbacks({ scope, postgresql }: AgentConfig, log: Log): Callbacks {
  return new Callbacks({ commands: postgresql.hooks.callbacks, scope, start: startHook, log });
}

/** Calls to other members, with the credentials of `ctl` or `restapi`. */
export function memberCalls({ ctl, restapi }: AgentConfig): AskPeers {
  const login = ctl ?? restapi.authentication;
  const options = { login, userAgent: `Patroni/${COMPATIBLE_VERSION} agent` };
  return (members, signal) => askPeers(members, options, signal);
}

/** The switch of this configuration's data directory; nothing is started yet. */
export function openSwitch({ postgresql, stateDir }: AgentConfig, log: Log): ShellSwitch {
  return new ShellSwitch({ dataDir: postgresql.dataDir, stateDir, clock, log });
}

/** The switch under the lease budget in force at each renewal. */
export function leaseSwitch(deadMan: ShellSwitch, timing: () => LeaseTiming): LeaseSwitch {
  return {
    ready: () => deadMan.ready(),
    renew: (endsMs) => deadMan.arm(switchDeadline(endsMs, timing())),
    disarm: () => deadMan.disarm(),
    view: () => deadMan.view(),
  };
}
