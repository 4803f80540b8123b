import type {
  PrimaryView,
  ReplicaView,
  RunningServer,
  SenderView,
  SlotView,
  UpstreamView,
} from "../core/node_view.ts";
import type { Lsn } from "../core/lsn.ts";
import { LSN_ZERO, maxLsn, parseLsn } from "../core/lsn.ts";
import { parseConninfo } from "./conninfo.ts";
import type { RunningSetting } from "./parameters.ts";
import { pendingRestart } from "./parameters.ts";
import type { Row } from "./session.ts";

/**
 * Everything of one look in one statement; `$1` is the list of controlled settings. Sessions have search_path
 * pg_catalog, so plain names are the catalog's. Functions of the other role fail, hence the CASEs.
 */
export const PROBE_SQL = `
SELECT pg_is_in_recovery() AS in_recovery,
  (SELECT system_identifier::text FROM pg_control_system()) AS system_id,
  current_setting('server_version_num')::int AS version,
  to_char(pg_postmaster_start_time(), 'YYYY-MM-DD HH24:MI:SS.USTZH:TZM') AS start_time,
  CASE WHEN NOT pg_is_in_recovery() THEN substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END
    AS wal_timeline,
  CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_flush_lsn()::text END AS flush_lsn,
  (SELECT timeline_id FROM pg_control_checkpoint()) AS control_timeline,
  (SELECT min_recovery_end_timeline FROM pg_control_recovery()) AS recovery_timeline,
  pg_last_wal_receive_lsn()::text AS receive_lsn,
  pg_last_wal_replay_lsn()::text AS replay_lsn,
  pg_last_xact_replay_timestamp()::text AS replayed_at,
  CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() END AS replay_paused,
  current_setting('primary_conninfo') AS conninfo,
  current_setting('primary_slot_name') AS slot_name,
  current_setting('restore_command') <> '' AS restores,
  (SELECT to_jsonb(r) FROM pg_stat_wal_receiver r) AS receiver,
  (SELECT jsonb_agg(to_jsonb(s) ORDER BY s.slot_name) FROM pg_replication_slots s) AS slots,
  (SELECT jsonb_agg(to_jsonb(r) ORDER BY r.application_name, r.pid) FROM pg_stat_replication r)
    AS senders,
  (SELECT jsonb_agg(jsonb_build_object('name', s.name, 'setting', s.setting, 'unit', s.unit,
      'vartype', s.vartype, 'pending', s.pending_restart, 'in_file',
      CASE WHEN s.pending_restart THEN coalesce(
        (SELECT f.setting FROM pg_file_settings f WHERE f.name = s.name ORDER BY f.seqno DESC LIMIT 1),
        s.boot_val) END))
    FROM pg_settings s
    WHERE s.name = ANY ($1) OR s.pending_restart) AS settings`;

/** The view of the row that `PROBE_SQL` gave; `wanted` are the controlled settings by name. */
export function viewOfRow(
  row: Row,
  wanted: Readonly<Record<string, string>>,
): PrimaryView | ReplicaView {
  const running = {
    systemId: text(row, "system_id"),
    serverVersion: Number(row["version"]),
    startTime: text(row, "start_time"),
    slots: rows(row["slots"]).map(slotOf),
    senders: rows(row["senders"]).map(senderOf),
    pendingRestart: restartsOf(rows(row["settings"]), wanted),
  };
  if (row["in_recovery"] === true) return { ...running, ...replicaPart(row) };
  const timeline = Number.parseInt(text(row, "wal_timeline"), 16);
  return {
    ...running,
    kind: "primary",
    timeline,
    lsn: lsnOf(row, "flush_lsn") ?? LSN_ZERO,
    checkpointed: Number(row["control_timeline"]) === timeline,
  };
}

/** The timeline that the control file knows of a server in recovery; behind the truth between restart points. */
export function controlTimeline(row: Row): number {
  return Math.max(Number(row["control_timeline"]), Number(row["recovery_timeline"]));
}

/** The settings of the row, as the server runs with them. */
export function runningSettings(row: Row): readonly RunningSetting[] {
  return rows(row["settings"]).map(settingOf);
}

type ReplicaPart = Omit<ReplicaView, keyof RunningServer>;

function replicaPart(row: Row): ReplicaPart {
  const receiver = rows([row["receiver"]])[0] ?? {};
  const endLsn = lsnOf(receiver, "latest_end_lsn");
  return {
    kind: "replica",
    timeline: endLsn === null ? null : numberOrNull(receiver["received_tli"]),
    receivedLsn: maxLsn(lsnOf(row, "receive_lsn"), lsnOf(receiver, "written_lsn")),
    replayedLsn: lsnOf(row, "replay_lsn"),
    replayedAt: textOrNull(row["replayed_at"]),
    replayPaused: row["replay_paused"] === true,
    streaming: receiver["status"] === "streaming",
    restores: row["restores"] === true,
    upstream: upstreamOf(row),
    sourceEndLsn: endLsn,
  };
}

function upstreamOf(row: Row): UpstreamView | null {
  const { host, port } = parseConninfo(text(row, "conninfo"));
  if (host === undefined) return null;
  return { host, port: Number(port ?? 5432), slotName: textOrNull(row["slot_name"]) };
}

function slotOf(row: Row): SlotView {
  return {
    name: text(row, "slot_name"),
    kind: row["slot_type"] === "logical" ? "logical" : "physical",
    active: row["active"] === true,
    temporary: row["temporary"] === true,
    restartLsn: lsnOf(row, "restart_lsn"),
    xmin: textOrNull(row["xmin"]) !== null || textOrNull(row["catalog_xmin"]) !== null,
    walStatus: textOrNull(row["wal_status"]),
  };
}

function senderOf(row: Row): SenderView {
  return {
    applicationName: text(row, "application_name"),
    username: text(row, "usename"),
    clientAddress: textOrNull(row["client_addr"]),
    state: text(row, "state"),
    syncState: text(row, "sync_state"),
    syncPriority: Number(row["sync_priority"] ?? 0),
    sentLsn: lsnOf(row, "sent_lsn"),
    replayLsn: lsnOf(row, "replay_lsn"),
  };
}

/** Controlled settings are compared here (the command line hides file changes); others the server flags itself. */
function restartsOf(
  found: readonly Row[],
  wanted: Readonly<Record<string, string>>,
): ReturnType<typeof pendingRestart> {
  const flagged = found.filter((row) => row["pending"] === true)
    .filter((row) => !text(row, "name").startsWith("recovery_target"));
  const inFile = Object.fromEntries(
    flagged.map((row) => [text(row, "name"), text(row, "in_file")]),
  );
  return pendingRestart(found.map(settingOf), { ...inFile, ...wanted });
}

function settingOf(row: Row): RunningSetting {
  return {
    name: text(row, "name"),
    setting: text(row, "setting"),
    unit: textOrNull(row["unit"]),
    vartype: text(row, "vartype"),
  };
}

function rows(value: unknown): readonly Row[] {
  if (!Array.isArray(value)) return [];
  return value.filter((one): one is Row => typeof one === "object" && one !== null);
}

function text(row: Row, column: string): string {
  return String(row[column] ?? "");
}

function textOrNull(value: unknown): string | null {
  return value === null || value === undefined || value === "" ? null : String(value);
}

function numberOrNull(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

function lsnOf(row: Row, column: string): Lsn | null {
  return parseLsn(text(row, column));
}
