import { DecodeError } from "../base/errors.ts";
import { isJsonObject } from "../base/json.ts";
import type { JsonObject } from "../base/json.ts";
import type {
  FailsafeList,
  HandoverWish,
  HistoryLine,
  LeaderStatus,
  LockState,
  SyncState,
} from "../core/cluster_view.ts";
import type { Lsn } from "../core/lsn.ts";
import { readLsn, readText, readTimeline, readWhole, required } from "./fields.ts";
import type { HandoverWrite, StatusWrite } from "./port.ts";
import { decodePlain, decodeWire, encodeWire, isWireObject } from "./wire_json.ts";
import type { WireJson, WireObject } from "./wire_json.ts";

/** One key as the store returned it; `value` is null when its bytes are no UTF-8. */
export interface Entry {
  readonly key: string;
  readonly value: string | null;
  /** etcd lease id in decimal, "0" for none. */
  readonly lease: string;
  readonly revision: bigint;
}

/** The content that says "no request" in `failover`; the key itself stays. */
export const NO_HANDOVER = "{}";

/** The text of an entry; throws `DecodeError` when it is not text. */
export function textOf(path: string, entry: Entry): string {
  return required(path, "UTF-8 text", entry.value);
}

/** Reads `initialize`: "" while somebody bootstraps, else the system identifier (ten digits or more). */
export function decodeInitialize(entry: Entry): string {
  const text = textOf("initialize", entry);
  return required("initialize", "a system identifier", /^(\d{10,})?$/.test(text) ? text : null);
}

/** Reads `leader`: the name of the holder. */
export function decodeLeader(entry: Entry): LockState {
  const holder = required("leader", "a member name", readText(textOf("leader", entry)));
  return { holder, lease: entry.lease, revision: entry.revision };
}

/** Reads `config` as stored; what it means is up to the settings. */
export function decodeConfig(entry: Entry): { raw: JsonObject; revision: bigint } {
  const raw = decodePlain("config", textOf("config", entry));
  return {
    raw: required("config", "an object", isJsonObject(raw) ? raw : null),
    revision: entry.revision,
  };
}

/** Reads `sync`; an empty or absent leader means that the mode is not active. */
export function decodeSync(entry: Entry): SyncState {
  const record = decodeObject("sync", entry);
  const names = (readText(record["sync_standby"]) ?? "").split(",").map((name) => name.trim());
  return {
    leader: readText(record["leader"]) ?? "",
    standbys: names.filter((name) => name !== ""),
    quorum: Number(readWhole(record["quorum"]) ?? 0n),
    revision: entry.revision,
  };
}

/** Reads `failover`, also in its old form `leader:candidate`; null when it holds no request. */
export function decodeHandover(entry: Entry): HandoverWish | null {
  const text = textOf("failover", entry);
  const [, oldLeader, oldCandidate] = /^([^:{}[\]"\s]*):([^:{}[\]"\s]*)$/.exec(text) ?? [];
  const record = oldLeader === undefined
    ? decodeObject("failover", entry)
    : { leader: oldLeader, member: oldCandidate ?? "" };
  const leader = readText(record["leader"]);
  const candidate = readText(record["member"]);
  if (leader === null && candidate === null) return null;
  const scheduledAtMs = readSchedule(record["scheduled_at"]);
  return { leader, candidate, scheduledAtMs, revision: entry.revision };
}

/** An unreadable time must not turn a later switchover into one that happens now, so it spoils the request. */
function readSchedule(value: WireJson | undefined): number | null {
  if (value === undefined || value === null || value === "") return null;
  const text = typeof value === "string" ? value : "";
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/.test(text);
  const at = hasZone ? Date.parse(text.replace(" ", "T")) : NaN;
  return required("failover.scheduled_at", "a time with zone", Number.isNaN(at) ? null : at);
}

/** Writes `failover`: `leader`, `member`, `scheduled_at` in this order, the absent ones left out. */
export function encodeHandover(wish: HandoverWrite): string {
  return encodeWire({
    ...(wish.leader === null ? {} : { leader: wish.leader }),
    ...(wish.candidate === null ? {} : { member: wish.candidate }),
    ...(wish.scheduledAt === null ? {} : { scheduled_at: wish.scheduledAt }),
  });
}

/** Reads `failsafe`: addresses by member name; one that is no text spoils the document, for it would be asked nothing. */
export function decodeFailsafe(entry: Entry): FailsafeList {
  const record = decodeObject("failsafe", entry);
  const members = Object.entries(record).map(([name, url]) => {
    return [name, required(`failsafe.${name}`, "an address", readText(url))] as const;
  });
  return { members: Object.fromEntries(members), revision: entry.revision };
}

/** Writes `failsafe`, sorted by name. */
export function encodeFailsafe(members: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(members).sort(([one], [other]) => one < other ? -1 : 1);
  return encodeWire(Object.fromEntries(sorted));
}

/** Reads `status`; also the bare number that `optime/leader` holds. */
export function decodeStatus(path: string, entry: Entry): LeaderStatus {
  const wire = decodeWire(path, textOf(path, entry));
  const lsn = readLsn(wire);
  if (lsn !== null) return { lsn, slots: {}, retainSlots: [] };
  const record = required(path, "an object", isWireObject(wire) ? wire : null);
  return {
    lsn: readLsn(record["optime"]),
    slots: readSlots(record["slots"]),
    retainSlots: readNames(record["retain_slots"]),
    ...readHandoverRevision(record["handover"]),
  };
}

/** Decimal text; anything else is what no leader of ours has written. */
function readHandoverRevision(
  value: WireJson | undefined,
): Pick<LeaderStatus, "handoverRevision"> {
  const isRevision = typeof value === "string" && /^[1-9]\d{0,18}$/.test(value);
  return isRevision ? { handoverRevision: BigInt(value) } : {};
}

function readSlots(value: WireJson | undefined): Readonly<Record<string, Lsn>> {
  const slots: [string, Lsn][] = [];
  for (const [name, position] of Object.entries(isWireObject(value) ? value : {})) {
    const lsn = readLsn(position);
    if (lsn !== null) slots.push([name, lsn]);
  }
  return Object.fromEntries(slots);
}

function readNames(value: WireJson | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((name) => typeof name === "string") : [];
}

/** Writes `status`: empty fields left out, `retain_slots` sorted. */
export function encodeStatus(status: StatusWrite): string {
  const { lsn, slots, retainSlots, handoverRevision } = status;
  return encodeWire({
    optime: lsn,
    ...(Object.keys(slots).length === 0 ? {} : { slots }),
    ...(retainSlots.length === 0 ? {} : { retain_slots: [...retainSlots].sort() }),
    ...(handoverRevision === undefined ? {} : { handover: String(handoverRevision) }),
  });
}

/** Reads `history`; one unreadable line spoils the document, because the last one counts the timelines. */
export function decodeHistory(entry: Entry): readonly HistoryLine[] {
  const wire = decodeWire("history", textOf("history", entry));
  const lines = required("history", "a list", Array.isArray(wire) ? wire : null);
  return lines.map((line: WireJson, index: number) => decodeHistoryLine(`history.${index}`, line));
}

function decodeHistoryLine(path: string, wire: WireJson): HistoryLine {
  const [timeline, position, reason, at, leader] = Array.isArray(wire) ? wire : [];
  return {
    timeline: required(path, "a line with a timeline", readTimeline(timeline)),
    lsn: required(path, "a line with a position", readLsn(position)),
    reason: typeof reason === "string" ? reason : "",
    at: readText(at),
    newLeader: readText(leader),
  };
}

/** Writes `history`: five fields a line, the last one or two left out when they are unknown. */
export function encodeHistory(lines: readonly HistoryLine[]): string {
  return encodeWire(lines.map(({ timeline, lsn, reason, at, newLeader }) => {
    const known = [timeline, lsn, reason];
    if (at === null) return known;
    return newLeader === null ? [...known, at] : [...known, at, newLeader];
  }));
}

function decodeObject(path: string, entry: Entry): WireObject {
  const wire = decodeWire(path, textOf(path, entry));
  return required(path, "an object", isWireObject(wire) ? wire : null);
}

/** The reason of a `DecodeError` in one sentence; any other error is thrown on. */
export function faultOf(error: unknown): string {
  if (error instanceof DecodeError) return error.message;
  throw error;
}
