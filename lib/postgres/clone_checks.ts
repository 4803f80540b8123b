import { within } from "../base/deadline.ts";
import { PostgresUnreachable, Refused } from "../base/errors.ts";
import { realPathOf } from "../base/real_path.ts";
import type { OldData, Source } from "../core/action.ts";
import { run } from "../host/spawn.ts";
import { parseConnUrl } from "./conninfo.ts";
import type { DirState } from "./data_dir.ts";
import { identifySystem, replicationTarget } from "./leader_history.ts";
import type { PostgresOptions } from "./options.ts";
import { withSession } from "./session.ts";

const ASK_MS = 5000;
const TOOL_MS = 60_000;
/** Room for the WAL that is written while the copy runs. */
const SPARE_BYTES = 64n * 1024n * 1024n;

/** What a superuser may know; `sizeBytes` null: it was not let in, and nothing of this is known. */
interface SourceFacts {
  readonly sizeBytes: bigint | null;
  readonly slot: string | null;
  /** Where its tablespaces lie. */
  readonly tablespaces: readonly string[];
}

const NO_FACTS: SourceFacts = { sizeBytes: null, slot: null, tablespaces: [] };

/** What is known of a source before anything is destroyed for its copy. */
export type SourceReport =
  | ({ readonly kind: "usable" } & SourceFacts)
  | { readonly kind: "unusable"; readonly why: string };

/**
 * May this login copy from the source, and is it of the system that is wanted? Proved by a replication connection. Size and slot are asked as superuser and
 * stay null when that is not let in.
 */
export async function inspectSource(
  options: PostgresOptions,
  source: Source,
  signal: AbortSignal,
): Promise<SourceReport> {
  const target = replicationTarget(source, options.authentication.replication);
  if (target === null) return { kind: "unusable", why: `no address in "${source.connUrl}"` };
  using deadline = within(ASK_MS, signal);
  try {
    const { systemId } = await withSession(
      target,
      (session) => identifySystem(session, deadline.signal),
      deadline.signal,
    );
    if (source.systemId !== undefined && systemId !== source.systemId) {
      const why = `${source.name} has the system identifier ${systemId}, not ${source.systemId}`;
      return { kind: "unusable", why };
    }
  } catch (error) {
    if (!isExpected(error)) throw error;
    return { kind: "unusable", why: error.message };
  }
  return { kind: "usable", ...await askFacts(options, source, signal) };
}

const FACTS = `SELECT (SELECT sum(pg_tablespace_size(oid)) FROM pg_tablespace)::text AS size,
  (SELECT coalesce(array_agg(place), '{}') FROM
    (SELECT pg_tablespace_location(oid) AS place FROM pg_tablespace) AS places
    WHERE place LIKE '/%') AS places,
  EXISTS (SELECT 1 FROM pg_replication_slots
    WHERE slot_name = $1 AND slot_type = 'physical' AND NOT active) AS has_slot`;

async function askFacts(
  options: PostgresOptions,
  source: Source,
  signal: AbortSignal,
): Promise<SourceFacts> {
  const address = parseConnUrl(source.connUrl);
  if (address === null) return NO_FACTS;
  const login = options.authentication.superuser;
  const database = address.database ?? options.database;
  const target = { host: address.host, port: address.port, database, login, mode: "sql" } as const;
  using deadline = within(ASK_MS, signal);
  try {
    const [row] = await withSession(
      target,
      (session) => session.query(FACTS, [options.slotName], deadline.signal),
      deadline.signal,
    );
    return {
      sizeBytes: BigInt(String(row?.["size"] ?? "0")),
      slot: row?.["has_slot"] === true ? options.slotName : null,
      tablespaces: textsOf(row?.["places"]),
    };
  } catch (error) {
    if (!isExpected(error)) throw error;
    return NO_FACTS;
  }
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** Where a data directory goes that is kept. */
export const KEPT_SUFFIX = ".diverged";

/** Is what lies here renamed for the copy? Also under a mark "move-aside": that is of a directory that was to be kept. */
export function isKept(dir: DirState, old: OldData): boolean {
  if (dir.kind === "half-made") return dir.mark === "move-aside";
  return dir.kind !== "empty" && old !== "remove";
}

/** What the copy replaces, so that its room counts as free; null: nothing. */
export async function replacedBy(
  dataDir: string,
  dir: DirState,
  old: OldData,
): Promise<string | null> {
  if (dir.kind === "empty") return null;
  return isKept(dir, old) ? `${await realPathOf(dataDir)}${KEPT_SUFFIX}` : dataDir;
}

/** Why a copy of `size` bytes does not fit beside the data directory, with the room of what is `replaced`; null when it does. */
export async function lackOfSpace(
  dataDir: string,
  { size, replaced }: { readonly size: bigint; readonly replaced: string | null },
  signal: AbortSignal,
): Promise<string | null> {
  const parent = dataDir.slice(0, dataDir.lastIndexOf("/")) || "/";
  const place = await isDirectory(dataDir) ? dataDir : parent;
  const free = await freeBytes(place, signal);
  const needed = size + SPARE_BYTES;
  if (free === null || free >= needed) return null;
  const reclaimed = replaced === null ? 0n : await sizeOfTree(replaced, signal);
  if (free + reclaimed >= needed) return null;
  return `${megabytes(needed)} MB needed, ${megabytes(free)} MB free at "${place}"`;
}

/** Room on the disk of `path`; null when it cannot be told. */
export async function freeBytes(path: string, signal: AbortSignal): Promise<bigint | null> {
  const command = { program: "df", args: ["-P", "-B1", path], timeoutMs: TOOL_MS };
  return parseFreeBytes((await run(command, signal)).stdout);
}

/** The fourth column of `df -P`'s second line; null for anything else. */
export function parseFreeBytes(output: string): bigint | null {
  const column = output.split("\n")[1]?.trim().split(/\s+/)[3];
  return column !== undefined && /^\d+$/.test(column) ? BigInt(column) : null;
}

async function sizeOfTree(path: string, signal: AbortSignal): Promise<bigint> {
  if (!await isDirectory(path)) return 0n;
  const command = { program: "du", args: ["-s", "-B1", path], timeoutMs: TOOL_MS };
  const [, bytes] = /^(\d+)/.exec((await run(command, signal)).stdout) ?? [];
  return BigInt(bytes ?? "0");
}

async function isDirectory(path: string): Promise<boolean> {
  const info = await Deno.stat(path).catch(() => null);
  return info?.isDirectory === true;
}

function megabytes(bytes: bigint): string {
  return String(bytes / (1024n * 1024n));
}

function isExpected(error: unknown): error is PostgresUnreachable | Refused {
  return error instanceof PostgresUnreachable || error instanceof Refused;
}
