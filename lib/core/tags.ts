import { type Json, type JsonObject, plainText } from "../base/json.ts";

/** The tags of a member (patroni.yml `tags`), with their defaults applied. */
export interface Tags {
  /** Never leads. True for `nofailover: true`, or `failover_priority <= 0` when `nofailover` is absent. */
  readonly nofailover: boolean;
  /** Compared only between equal WAL positions; the higher one wins. Default 1, 0 when `nofailover`. */
  readonly failoverPriority: number;
  readonly noloadbalance: boolean;
  readonly clonefrom: boolean;
  /** Never synchronous. True for `nosync: true`, or `sync_priority <= 0` when `nosync` is absent. */
  readonly nosync: boolean;
  readonly nostream: boolean;
  /** Name of the member to stream from, or null for the leader. */
  readonly replicatefrom: string | null;
  /** The effective tags as they are published: false ones of the boolean tags are left out. */
  readonly published: JsonObject;
}

/** Reads a member's tags; unknown tags are kept in `published`, garbage counts as absent. */
export function readTags(raw: JsonObject): Tags {
  const priority = readPriority(raw["failover_priority"]);
  const syncPriority = readPriority(raw["sync_priority"]);
  const explicit = readFlag(raw["nofailover"]);
  const nofailover = explicit ?? (priority !== null && priority <= 0);
  const from = raw["replicatefrom"];
  return {
    nofailover,
    failoverPriority: nofailover ? 0 : Math.max(priority ?? 1, explicit === false ? 1 : 0),
    noloadbalance: readFlag(raw["noloadbalance"]) ?? false,
    clonefrom: readFlag(raw["clonefrom"]) ?? false,
    nosync: readFlag(raw["nosync"]) ?? (syncPriority !== null && syncPriority <= 0),
    nostream: readFlag(raw["nostream"]) ?? false,
    replicatefrom: typeof from === "string" && from !== "" ? from : null,
    published: publishedTags(raw),
  };
}

/** Tags that say the same in two ways: the first of each pair wins where they contradict (spec 1.10). */
const PAIRS = [["nofailover", "failover_priority"], ["nosync", "sync_priority"]] as const;

/** One sentence for each pair of tags that contradict each other. */
export function tagConflicts(raw: JsonObject): readonly string[] {
  return PAIRS.flatMap(([flag, priority]) => {
    const [isBarred, number] = [readFlag(raw[flag]), readPriority(raw[priority])];
    if (isBarred === null || number === null || isBarred === number <= 0) return [];
    return [`${flag} ${isBarred} contradicts ${priority} ${number}: ${flag} ${isBarred} counts`];
  });
}

const BOOLEAN_TAGS = ["clonefrom", "nofailover", "noloadbalance", "nostream", "nosync"] as const;

function publishedTags(raw: JsonObject): JsonObject {
  const kept: Record<string, Json> = {};
  for (const [key, value] of Object.entries(raw)) {
    const isBooleanTag = BOOLEAN_TAGS.some((tag) => tag === key);
    const isPaired = PAIRS.some(([flag, priority]) => key === flag && raw[priority] !== undefined);
    if (isBooleanTag && readFlag(value) !== true && !isPaired) continue;
    kept[key] = value;
  }
  return kept;
}

function readFlag(value: Json | undefined): boolean | null {
  const text = plainText(value).toLowerCase();
  if (["on", "true", "yes", "1"].includes(text)) return true;
  if (["off", "false", "no", "0"].includes(text)) return false;
  return null;
}

function readPriority(value: Json | undefined): number | null {
  const number = typeof value === "string" ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) ? number : null;
}
