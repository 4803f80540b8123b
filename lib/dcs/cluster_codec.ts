import type { ClusterView, LeaderStatus, MemberState } from "../core/cluster_view.ts";
import { decodeSettings, readModes } from "../core/settings.ts";
import type { Settings } from "../core/settings.ts";
import {
  decodeConfig,
  decodeFailsafe,
  decodeHandover,
  decodeHistory,
  decodeInitialize,
  decodeLeader,
  decodeStatus,
  decodeSync,
  faultOf,
  textOf,
} from "./codec.ts";
import type { Entry } from "./codec.ts";
import { memberNameOf } from "./keys.ts";
import type { Keys } from "./keys.ts";
import { decodeMember } from "./member_codec.ts";

/** All keys of the cluster at one revision. */
export interface Snapshot {
  readonly revision: bigint;
  readonly entries: readonly Entry[];
}

const NO_STATUS: LeaderStatus = { lsn: null, slots: {}, retainSlots: [] };

/**
 * Reads a whole cluster. Never throws for content: a key that cannot be read counts as absent and is listed in
 * `faults`; settings that cannot be used leave `before` in force.
 */
export function decodeCluster(keys: Keys, snapshot: Snapshot, before: Settings): ClusterView {
  const { revision, entries } = snapshot;
  const reader = new TolerantReader(entries);
  const config = reader.read(keys.config, decodeConfig);
  const view: ClusterView = {
    kind: "seen",
    revision,
    systemId: reader.read(keys.initialize, decodeInitialize),
    lock: reader.read(keys.leader, decodeLeader),
    members: readMembers(keys, reader),
    config,
    settings: config === null ? before : settingsOf(config.raw, before, reader),
    sync: reader.read(keys.sync, decodeSync),
    handover: reader.read(keys.failover, decodeHandover),
    failsafe: reader.read(keys.failsafe, decodeFailsafe),
    status: readStatus(keys, reader),
    history: reader.read(keys.history, decodeHistory),
    faults: reader.faults,
  };
  return Object.freeze(view);
}

/** Collects the faults of a document while it goes on reading. */
class TolerantReader {
  readonly faults: string[] = [];
  readonly #byKey: ReadonlyMap<string, Entry>;

  constructor(entries: readonly Entry[]) {
    this.#byKey = new Map(entries.map((entry) => [entry.key, entry]));
  }

  get keys(): readonly string[] {
    return [...this.#byKey.keys()];
  }

  read<T>(key: string, decode: (entry: Entry) => T): T | null {
    const entry = this.#byKey.get(key);
    if (entry === undefined) return null;
    try {
      return decode(entry);
    } catch (error) {
      this.faults.push(faultOf(error));
      return null;
    }
  }
}

function settingsOf(
  raw: Parameters<typeof decodeSettings>[0],
  before: Settings,
  reader: TolerantReader,
): Settings {
  const decoded = decodeSettings(raw);
  if ("settings" in decoded) return decoded.settings;
  reader.faults.push(`Cannot use config: ${decoded.fault}`);
  return { ...before, ...readModes(raw) };
}

function readMembers(keys: Keys, reader: TolerantReader): readonly MemberState[] {
  const members: MemberState[] = [];
  for (const key of [...reader.keys].sort()) {
    const name = memberNameOf(keys, key);
    if (name === null) continue;
    const member = reader.read(
      key,
      (entry) => decodeMember(name, textOf(`members/${name}`, entry)),
    );
    if (member !== null) members.push(member);
  }
  return members;
}

/** `optime/leader` counts only where `status` is missing: then every member is older than 2.1.0. */
function readStatus(keys: Keys, reader: TolerantReader): LeaderStatus {
  const status = reader.read(keys.status, (entry) => decodeStatus("status", entry));
  if (status !== null) return status;
  return reader.read(keys.legacyOptime, (entry) => decodeStatus("optime/leader", entry)) ??
    NO_STATUS;
}
