import { systemClock as clock } from "../base/clock.ts";
import { within } from "../base/deadline.ts";
import type { Log, PartedLog } from "../base/log.ts";
import type { AgentConfig } from "../config/agent_config.ts";
import { decodeSettings, defaultSettings } from "../core/settings.ts";
import type { Settings } from "../core/settings.ts";
import { slotNameOf } from "../core/slot_name.ts";
import { COMPATIBLE_VERSION } from "../core/version.ts";
import { startHook } from "../host/hooks.ts";
import type { CallEnd } from "../dcs/etcd/call_end.ts";
import { EtcdDcs } from "../dcs/etcd/etcd_dcs.ts";
import { PostgresManager } from "../postgres/manager.ts";
import type { AskPeers } from "../runtime/act.ts";
import { Callbacks } from "../runtime/callbacks.ts";
import type { AskConsents } from "../runtime/consents.ts";
import type { StoredLease } from "../runtime/lease_file.ts";
import type { LiveMailbox } from "../runtime/live_mailbox.ts";
import { askConsents, askPeers } from "../runtime/peers.ts";
import type { PeerCallOptions } from "../runtime/peers.ts";
import { TaskSlot } from "../runtime/task_slot.ts";
import type { WorkTally } from "../runtime/work_tally.ts";
import type { Access } from "./access.ts";

/**
 * In force until the store has shown settings: those of `bootstrap.dcs`, but with the ttl of the lease that the process
 * before has left. Under another budget its lock would be late, or its lease replaced, before anything was asked.
 */
export function settingsAtFirst(
  { bootstrap }: AgentConfig,
  inherited: Pick<StoredLease, "ttlS"> | null,
): Settings {
  const decoded = decodeSettings(bootstrap?.dcs ?? {});
  const settings = "settings" in decoded ? decoded.settings : defaultSettings;
  if (inherited === null) return settings;
  const lasting = decodeSettings({ ...bootstrap?.dcs, ttl: inherited.ttlS });
  return "settings" in lasting ? lasting.settings : settings;
}

/** The store of this cluster. */
export function openStore(
  { etcd, scope, namespace }: AgentConfig,
  { store: { fetch } }: Pick<Access, "store">,
  endpointMs: () => number,
  onCallEnd: (end: CallEnd) => void,
): EtcdDcs {
  return new EtcdDcs({ ...etcd, scope, namespace, endpointMs, clock, fetch, onCallEnd });
}

/** How long a reload waits for etcd to take a new name or password. */
const RELOGIN_MS = 5000;

/** Another login of the store from now on: null, or what to say because it cannot be used yet. */
export async function relogin(dcs: EtcdDcs, { etcd }: AgentConfig): Promise<string | null> {
  using deadline = within(RELOGIN_MS);
  const why = await dcs.relogin(etcd, deadline.signal);
  if (why === null) return null;
  return `The new login of etcd3 cannot be used yet, the one before goes on: ${why}`;
}

/** The local server. */
export function openServer(
  { name, scope, postgresql, bootstrap }: AgentConfig,
  log: Log,
): PostgresManager {
  return new PostgresManager({
    ...postgresql,
    name,
    scope,
    slotName: slotNameOf(name),
    clock,
    bootstrap,
    onLeftOut: (remark) => log.warn(`postgresql.parameters: ${remark}`),
  });
}

/** The operator's callbacks. */
export function openCallbacks({ scope, postgresql }: AgentConfig, log: Log): Callbacks {
  return new Callbacks({ commands: postgresql.hooks.callbacks, scope, start: startHook, log });
}

/** What the task slot is made of. */
export interface TaskParts {
  readonly log: PartedLog;
  readonly mailbox: LiveMailbox;
  readonly tally: WorkTally;
}

/** The slot of the one job that changes the server; its end wakes the loop. */
export function openTasks({ log, mailbox, tally }: TaskParts): TaskSlot {
  return new TaskSlot({
    clock,
    log: log.part("tasks"),
    onEnd: () => mailbox.wake("a task has ended"),
    onResult: ({ kind }, result) => tally.task(kind, result.kind),
  });
}

/** Calls to other members, with the credentials of `ctl` or `restapi` and the certificates of `ctl`. */
export function memberCalls(
  access: Access,
): { readonly askPeers: AskPeers; readonly askConsents: AskConsents } {
  const userAgent = `Patroni/${COMPATIBLE_VERSION} agent`;
  const options = (): PeerCallOptions => ({
    login: access.login(),
    userAgent,
    fetch: access.members.call,
  });
  return {
    askPeers: (members, signal) => askPeers(members, options(), signal),
    askConsents: (request, signal) => askConsents(request, options(), signal),
  };
}
