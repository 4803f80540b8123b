import type { Source } from "../core/action.ts";
import type { CopiedBytes } from "../core/node_view.ts";
import type { CommandResult } from "../host/port.ts";
import { run } from "../host/spawn.ts";
import { isKnown, parseConnUrl, printConninfo } from "./conninfo.ts";
import type { PostgresOptions, RoleLogin } from "./options.ts";
import { programPath } from "./options.ts";
import type { JobContext } from "./port.ts";
import { NO_SYNC } from "./sync_data.ts";

/** A copy may take days; it ends by its own faults or by a cancel. */
const BACKUP_MS = 7 * 24 * 3600 * 1000;

const VERSION_MS = 10_000;

/** A source that vanishes without a word is given up after about half a minute, not by TCP after hours. */
const STALL_WORDS = [
  ["keepalives_idle", "10"],
  ["keepalives_interval", "5"],
  ["keepalives_count", "4"],
  ["tcp_user_timeout", "30000"],
] as const;

/** A base backup to take. */
export interface BackupOrder {
  readonly source: Source;
  /** An existing, unused slot on the source; null: pg_basebackup makes a temporary one. */
  readonly slot: string | null;
  /** That of `majorVersionOf`. */
  readonly majorVersion: number;
  readonly report: JobContext["report"];
}

/** Runs pg_basebackup with its WAL streamed beside it, and forces nothing to disk; the password comes from the passfile. */
export async function runBasebackup(
  options: PostgresOptions,
  order: BackupOrder,
  signal: AbortSignal,
): Promise<CommandResult> {
  const args = [
    `--pgdata=${options.dataDir}`,
    "-X",
    "stream",
    `--dbname=${sourceConninfo(options, order.source, order.majorVersion)}`,
    "--checkpoint=fast",
    "--no-password",
    "--progress",
    ...(order.slot === null ? [] : [`--slot=${order.slot}`]),
    ...options.basebackup,
    NO_SYNC,
  ];
  return await run({
    program: programPath(options, "pg_basebackup"),
    args,
    env: { PGPASSFILE: options.pgpass },
    timeoutMs: BACKUP_MS,
    onStderrLine: (line) => {
      const progress = parseProgress(line);
      if (progress !== null) order.report(progress.text, progress.bytes);
    },
  }, signal);
}

/** The places outside of the data directory that a copy with these words writes to, for a source with these tablespaces. */
export function outerPlaces(
  words: readonly string[],
  tablespaces: readonly string[],
): readonly string[] {
  const valuesOf = (option: string): readonly string[] =>
    words.flatMap((word) => word.startsWith(`${option}=`) ? [word.slice(option.length + 1)] : []);
  const mapping = new Map(valuesOf("--tablespace-mapping").map(mappingOf));
  const mapped = tablespaces.map((place) => mapping.get(place) ?? place);
  return [...mapped, ...valuesOf("--waldir")];
}

/** `OLD=NEW`, where `\\=` stands for a `=` in a name. */
function mappingOf(value: string): readonly [string, string] {
  const [, from = "", to = ""] = /^((?:[^=\\]|\\.)*)=(.*)$/.exec(value) ?? [];
  return [from.replaceAll("\\=", "="), to.replaceAll("\\=", "=")];
}

/** How far a copy is. */
export interface CopyProgress {
  /** `copied 120 of 400 MB`. */
  readonly text: string;
  readonly bytes: CopiedBytes;
}

/** Reads a progress line `122880/409600 kB (30%), 0/1 tablespace`; null for other lines. */
export function parseProgress(line: string): CopyProgress | null {
  const [, done, total] = /^\s*(\d+)\/(\d+) kB \(/.exec(line) ?? [];
  if (done === undefined || total === undefined) return null;
  const [doneKb, totalKb] = [Number(done), Number(total)];
  const text = `copied ${Math.floor(doneKb / 1024)} of ${Math.ceil(totalKb / 1024)} MB`;
  return { text, bytes: { done: doneKb * 1024, total: totalKb * 1024 } };
}

/** Of the program, whose libpq reads the connection string; 0 when it does not tell, so that only old words are used. */
export async function majorVersionOf(
  options: PostgresOptions,
  signal: AbortSignal,
): Promise<number> {
  const program = programPath(options, "pg_basebackup");
  const { stdout } = await run({ program, args: ["--version"], timeoutMs: VERSION_MS }, signal);
  return Number(/\) (\d+)/.exec(stdout)?.[1] ?? 0);
}

/** The words that reach the source as the replication role; its password is in the passfile. */
export function sourceConninfo(
  options: PostgresOptions,
  source: Source,
  majorVersion: number,
): string {
  const login = options.authentication.replication;
  return conninfoTo(options, source, { login, own: [["dbname", "replication"]], majorVersion });
}

/** Who connects, with further words of the connection, for a libpq of this version. */
export interface ConnectionWords {
  readonly login: RoleLogin;
  readonly own: readonly (readonly [string, string])[];
  readonly majorVersion: number;
}

/** The words that reach a member; the password is in the passfile. */
export function conninfoTo(
  options: Pick<PostgresOptions, "name" | "krbsrvname">,
  source: Source,
  { login, own, majorVersion }: ConnectionWords,
): string {
  const address = parseConnUrl(source.connUrl);
  const { username, options: words } = login;
  const { krbsrvname = null } = options;
  return printConninfo([
    ["host", address?.host ?? ""],
    ["port", String(address?.port ?? 5432)],
    ["user", username],
    ...own,
    ["application_name", options.name],
    ...(krbsrvname === null ? [] : [["krbsrvname", krbsrvname] as const]),
    ...STALL_WORDS,
    ...Object.entries(words).filter(([word]) => isKnown(word, majorVersion)),
  ]);
}
