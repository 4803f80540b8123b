import type { ControlData } from "../core/node_view.ts";
import { LSN_ZERO, parseLsn } from "../core/lsn.ts";

/** pg_controldata's answer with the values that a standby's settings must not fall below. */
export interface FullControlData extends ControlData {
  /** By setting name, as text. */
  readonly settings: Readonly<Record<string, string>>;
  readonly segmentBytes: bigint;
}

/** The usual size. */
const SEGMENT = 1 << 24;

const SETTINGS = [
  "max_connections",
  "max_worker_processes",
  "max_wal_senders",
  "max_prepared_xacts",
  "max_locks_per_xact",
] as const;

/** Reads pg_controldata's output (C locale); other lines, such as warnings, are passed over. Null: not complete. */
export function parseControlData(text: string): FullControlData | null {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, name, value] = /^([^:]+):\s*(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) values.set(name.trim(), value.trim());
  }
  const systemId = values.get("Database system identifier");
  const state = values.get("Database cluster state");
  const timeline = Number(values.get("Latest checkpoint's TimeLineID"));
  const checkpointLsn = parseLsn(values.get("Latest checkpoint location") ?? "");
  if (systemId === undefined || state === undefined || checkpointLsn === null) return null;
  if (!/^\d+$/.test(systemId) || !Number.isInteger(timeline)) return null;
  return {
    systemId,
    state,
    timeline,
    checkpointLsn,
    minRecovery: readMinRecovery(values),
    settings: readSettings(values),
    segmentBytes: BigInt(/^\d+$/.exec(values.get("Bytes per WAL segment") ?? "")?.[0] ?? SEGMENT),
    ...(isRewindable(values) ? { rewindable: true } : {}),
  };
}

function isRewindable(values: ReadonlyMap<string, string>): boolean {
  const checksums = values.get("Data page checksum version") ?? "0";
  return values.get("wal_log_hints setting") === "on" || Number(checksums) > 0;
}

function readMinRecovery(values: ReadonlyMap<string, string>): ControlData["minRecovery"] {
  const lsn = parseLsn(values.get("Minimum recovery ending location") ?? "");
  const timeline = Number(values.get("Min recovery ending loc's timeline") ?? "0");
  return lsn === null || lsn === LSN_ZERO ? null : { lsn, timeline };
}

function readSettings(values: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of SETTINGS) {
    const value = values.get(`${name} setting`);
    const setting = name.replace("_xacts", "_transactions").replace("_xact", "_transaction");
    if (value !== undefined) found[setting] = value;
  }
  return found;
}

/** States of a server that ended in order: the last record in its WAL is the shutdown checkpoint. */
export function endedCleanly(control: ControlData): boolean {
  return control.state === "shut down" || control.state === "shut down in recovery";
}
