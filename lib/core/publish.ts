import type { Json, JsonObject } from "../base/json.ts";
import type { Lsn } from "./lsn.ts";
import { maxLsn } from "./lsn.ts";
import type { Memory } from "./memory.ts";
import type { NodeView, PrimaryView, ReplicaView } from "./node_view.ts";
import { isPaused } from "./rules/facts.ts";
import { answering, roleOf, runStateOf } from "./server_texts.ts";
import { COMPATIBLE_VERSION } from "./version.ts";

/**
 * What this node writes to `members/<name>`: fields and their order as in spec 1.14, so that Patroni members and its
 * tools read it as their own. Positions are published only by a server that answered and that no job is changing.
 */
export function memberRecord(view: NodeView, memory: Memory): JsonObject {
  const { self, postgres, lease } = view;
  const server = answering(postgres);
  return present([
    ["conn_url", self.connUrl],
    ["api_url", self.apiUrl],
    ["state", runStateOf(view)],
    ["role", isPromoted(view, memory) ? "promoted" : roleOf(view)],
    ["version", COMPATIBLE_VERSION],
    ["proxy_url", self.proxyUrl],
    ["checkpoint_after_promote", awaitsCheckpoint(view) && lease.kind === "held" ? false : null],
    ["tags", filled(self.tags.published)],
    ...pendingRestart(server),
    ...(server !== null && mayPublishPositions(view) ? positions(server) : []),
    ["scheduled_restart", scheduledRestart(view, "with start time")],
    ["pause", isPaused(view, memory) ? true : null],
    ["switch_fired", firingNote(view)],
  ]);
}

/** The scheduled restart as it is published (spec 1.14); the document of a member leaves the start time out. */
export function scheduledRestart(
  { wishes }: NodeView,
  form: "with start time" | "without",
): JsonObject | null {
  for (const wish of wishes) {
    if (wish.kind !== "scheduled-restart" || wish.schedule === null) continue;
    const { shown, startTime } = wish.schedule;
    return form === "without" ? shown : { ...shown, postmaster_start_time: startTime };
  }
  return null;
}

/** Long enough for a leader to see it, also after a night without this member. */
const FIRING_SHOWN_MS = 24 * 3_600_000;

function firingNote({ firing, wallMs }: NodeView): JsonObject | null {
  if (firing === undefined || firing === null) return null;
  if (wallMs - firing.wallMs > FIRING_SHOWN_MS) return null;
  return { at: new Date(firing.wallMs).toISOString(), signal: firing.what };
}

/** A field of a document and its value; null leaves it out. */
export type Field = readonly [key: string, value: Json];

/** An object of the fields that are not null, in this order. */
export function present(fields: readonly Field[]): JsonObject {
  return Object.fromEntries(fields.filter(([, value]) => value !== null));
}

/** The object, or null when it has no key. */
export function filled(object: JsonObject): JsonObject | null {
  return Object.keys(object).length > 0 ? object : null;
}

/** `pending_restart` and its reason; both values are texts, because `patronictl` concatenates them. */
export function pendingRestart(server: PrimaryView | ReplicaView | null): readonly Field[] {
  const settings = Object.entries(server?.pendingRestart ?? {});
  if (settings.length === 0) return [];
  const reasons = settings.map(([name, { oldValue, newValue }]): [string, JsonObject] => {
    return [name, { old_value: oldValue, new_value: newValue }];
  });
  return [
    ["pending_restart", true],
    ["pending_restart_reason", Object.fromEntries(reasons)],
  ];
}

/** `streaming`, `in archive recovery`, or null when the replica gets WAL from nowhere. */
export function replicationState(server: ReplicaView): string | null {
  if (server.streaming) return "streaming";
  return server.restores ? "in archive recovery" : null;
}

/** A position as the JSON number that Patroni writes; null stays null. Exact up to 2^53 bytes, 8 PiB of WAL. */
export function positionNumber(lsn: Lsn | null): number | null {
  return lsn === null ? null : Number(lsn);
}

/** Between the order to promote and the end of recovery. */
function isPromoted({ postgres }: NodeView, memory: Memory): boolean {
  return postgres.kind === "replica" && memory.promoteAskedMs !== null;
}

function awaitsCheckpoint({ postgres }: NodeView): boolean {
  return postgres.kind === "primary" && !postgres.checkpointed;
}

function mayPublishPositions(view: NodeView): boolean {
  const { task } = view;
  return task.kind !== "running" || ["pre-promote", "promote"].includes(task.task.kind);
}

function positions(server: PrimaryView | ReplicaView): readonly Field[] {
  if (server.kind === "primary") {
    return [
      ["xlog_location", positionNumber(server.lsn)],
      ["timeline", server.timeline],
    ];
  }
  const { receivedLsn, replayedLsn, timeline } = server;
  return [
    ["xlog_location", positionNumber(maxLsn(receivedLsn, replayedLsn))],
    ["replay_lsn", positionNumber(replayedLsn) || null],
    ["receive_lsn", positionNumber(receivedLsn) || null],
    ["replication_state", replicationState(server)],
    ["timeline", timeline || null],
  ];
}
