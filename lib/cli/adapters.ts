import { systemClock as clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { AgentConfig } from "../config/agent_config.ts";
import { decodeSettings, defaultSettings } from "../core/settings.ts";
import type { Settings } from "../core/settings.ts";
import { slotNameOf } from "../core/slot_name.ts";
import { COMPATIBLE_VERSION } from "../core/version.ts";
import { startHook } from "../host/hooks.ts";
import { EtcdDcs } from "../dcs/etcd/etcd_dcs.ts";
import { PostgresManager } from "../postgres/manager.ts";
import type { AskPeers } from "../runtime/act.ts";
import { Callbacks } from "../runtime/callbacks.ts";
import { askPeers } from "../runtime/peers.ts";

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
    bootstrap,
  });
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
