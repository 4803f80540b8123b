import type { JsonObject } from "../base/json.ts";
import type { MemberRole, MemberRunState, MemberState, SwitchNote } from "../core/cluster_view.ts";
import { readTags } from "../core/tags.ts";
import { readLsn, readObject, readText, readTimeline, required } from "./fields.ts";
import { decodeWire, isWireObject } from "./wire_json.ts";
import type { WireJson, WireObject } from "./wire_json.ts";

const RUN_STATES: readonly MemberRunState[] = [
  "initializing new cluster",
  "initdb failed",
  "running custom bootstrap script",
  "custom bootstrap failed",
  "creating replica",
  "running",
  "starting",
  "starting after custom bootstrap",
  "start failed",
  "restarting",
  "restart failed",
  "stopping",
  "stopped",
  "stop failed",
  "crashed",
];

const ROLES: readonly MemberRole[] = [
  "primary",
  "standby_leader",
  "replica",
  "demoted",
  "uninitialized",
  "promoted",
];

/**
 * Reads `members/<name>`. A field of the wrong form counts as absent, an unknown state or role as `unknown`;
 * text that is no JSON object throws `DecodeError`.
 */
export function decodeMember(name: string, text: string): MemberState {
  const path = `members/${name}`;
  const wire = decodeWire(path, text);
  const record = required(path, "an object", isWireObject(wire) ? wire : null);
  const switchFired = noteOf(readObject(record["switch_fired"]));
  return { name, ...identityOf(record), ...statusOf(record), ...positionOf(record), switchFired };
}

function noteOf(record: JsonObject | null): SwitchNote | null {
  const { at = null, signal = null } = record ?? {};
  if (typeof at !== "string" || Number.isNaN(Date.parse(at))) return null;
  return typeof signal === "string" ? { at, signal } : null;
}

type Identity = Pick<
  MemberState,
  "connUrl" | "apiUrl" | "proxyUrl" | "state" | "role" | "version" | "tags"
>;

function identityOf(record: WireObject): Identity {
  return {
    connUrl: readText(record["conn_url"]),
    apiUrl: readText(record["api_url"]),
    proxyUrl: readText(record["proxy_url"]),
    state: RUN_STATES.find((state) => state === record["state"]) ?? "unknown",
    role: readRole(record["role"]),
    version: readText(record["version"]),
    tags: readTags(readObject(record["tags"]) ?? {}),
  };
}

/** Members before 4.0 say `master`. */
function readRole(value: WireJson | undefined): MemberRole {
  if (value === "master") return "primary";
  return ROLES.find((role) => role === value) ?? "unknown";
}

type Status = Pick<
  MemberState,
  | "checkpointAfterPromote"
  | "pendingRestart"
  | "pendingRestartReason"
  | "scheduledRestart"
  | "pause"
>;

function statusOf(record: WireObject): Status {
  return {
    checkpointAfterPromote: record["checkpoint_after_promote"] !== false,
    pendingRestart: record["pending_restart"] === true,
    pendingRestartReason: readObject(record["pending_restart_reason"]),
    scheduledRestart: readObject(record["scheduled_restart"]),
    pause: record["pause"] === true,
  };
}

type Position = Pick<
  MemberState,
  "xlogLocation" | "receiveLsn" | "replayLsn" | "replicationState" | "timeline"
>;

function positionOf(record: WireObject): Position {
  return {
    xlogLocation: readLsn(record["xlog_location"]),
    receiveLsn: readLsn(record["receive_lsn"]),
    replayLsn: readLsn(record["replay_lsn"]),
    replicationState: readText(record["replication_state"]),
    timeline: readTimeline(record["timeline"]),
  };
}
