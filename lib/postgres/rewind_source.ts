import { within } from "../base/deadline.ts";
import { PostgresUnreachable, Refused } from "../base/errors.ts";
import type { Source } from "../core/action.ts";
import { run } from "../host/spawn.ts";
import { conninfoTo, majorVersionOf } from "./basebackup.ts";
import { confPaths } from "./conf_paths.ts";
import { parseConnUrl } from "./conninfo.ts";
import type { PostgresOptions, RoleLogin } from "./options.ts";
import { programPath } from "./options.ts";
import { renderPassfile, writePrivateFile } from "./pgpass.ts";
import { REWIND_FUNCTIONS } from "./roles.ts";
import type { Row } from "./session.ts";
import { withSession } from "./session.ts";

const ASK_MS = 10_000;
const SETTING_MS = 10_000;

/** What is to be rewound to whom. */
export interface RewindOrder {
  readonly source: Source;
  /** System identifier and version of the local directory. */
  readonly systemId: string;
  readonly majorVersion: number;
}

const SOURCE_SQL = `SELECT pg_is_in_recovery() AS in_recovery,
  (SELECT system_identifier::text FROM pg_control_system()) AS system_id,
  (SELECT timeline_id FROM pg_control_checkpoint()) AS control_timeline,
  CASE WHEN NOT pg_is_in_recovery() THEN substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END
    AS wal_timeline,
  (SELECT coalesce(jsonb_agg(oid::text), '[]') FROM pg_tablespace
    WHERE spcname NOT IN ('pg_default', 'pg_global')) AS tablespaces,
  (SELECT string_agg(f, ', ') FROM unnest($1::text[]) f
    WHERE NOT has_function_privilege(f, 'EXECUTE')) AS missing`;

/** The words of the command, once the source is known to be a primary that can be read; or why there are none. */
export async function prepareRewind(
  options: PostgresOptions,
  order: RewindOrder,
  signal: AbortSignal,
): Promise<{ readonly words: readonly string[] } | { readonly fault: string }> {
  const { rewind, superuser } = options.authentication;
  const login = rewind ?? superuser;
  const address = parseConnUrl(order.source.connUrl);
  if (address === null) return { fault: `no address in "${order.source.connUrl}"` };
  const { host, port } = address;
  const database = address.database ?? options.database;
  const target = { host, port, database, login, mode: "sql" } as const;
  using deadline = within(ASK_MS, signal);
  try {
    const [row] = await withSession(
      target,
      (session) => session.query(SOURCE_SQL, [REWIND_FUNCTIONS], deadline.signal),
      deadline.signal,
    );
    const fault = faultOf(row ?? {}, order, login) ??
      await lackOfTablespaces(row ?? {}, order.source, options.dataDir);
    if (fault !== null) return { fault };
  } catch (error) {
    if (!(error instanceof PostgresUnreachable) && !(error instanceof Refused)) throw error;
    return { fault: `${order.source.name} cannot be read as ${login.username}: ${error.message}` };
  }
  if (login.password !== null) {
    await writePrivateFile(options.pgpass, renderPassfile([{ host, port, login }]));
  }
  return { words: await wordsOf(options, order, login, signal) };
}

/** Before its checkpoint a promoted source still shows the old timeline, and pg_rewind would see nothing to do. */
function faultOf(row: Row, { source, systemId }: RewindOrder, login: RoleLogin): string | null {
  const timeline = Number.parseInt(String(row["wal_timeline"]), 16);
  if (row["system_id"] !== systemId) return `${source.name} belongs to another cluster`;
  if (row["in_recovery"] === true) return `${source.name} is no primary`;
  if (Number(row["control_timeline"]) !== timeline) {
    return `${source.name} has not written a checkpoint since its promotion`;
  }
  const missing = row["missing"] ?? null;
  return missing === null
    ? null
    : `${login.username} lacks a privilege on ${source.name}: GRANT EXECUTE ON FUNCTION ${missing}`;
}

/**
 * pg_rewind links a tablespace that is not here to the place that it has on the source's host; here that may be free,
 * somebody else's, or, on the same host, the source's own.
 */
async function lackOfTablespaces(
  row: Row,
  source: Source,
  dataDir: string,
): Promise<string | null> {
  const wanted: unknown = row["tablespaces"];
  const here = await Array.fromAsync(Deno.readDir(`${dataDir}/pg_tblspc`), ({ name }) => name);
  const oids = Array.isArray(wanted) ? wanted.map(String) : [];
  const lacking = oids.filter((oid) => !here.includes(oid));
  return lacking.length === 0
    ? null
    : `${source.name} has tablespaces that are not here (${lacking.join(", ")})`;
}

async function wordsOf(
  options: PostgresOptions,
  { source, majorVersion }: RewindOrder,
  login: RoleLogin,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { dataDir } = options;
  const database = parseConnUrl(source.connUrl)?.database ?? options.database;
  const own = [["dbname", database], ["target_session_attrs", "read-write"]] as const;
  const words = { login, own, majorVersion: await majorVersionOf(options, signal) };
  const paths = confPaths(options);
  const isElsewhere = paths.words.length > 0;
  const mayRestore = majorVersion >= 13 && (!isElsewhere || majorVersion >= 15) &&
    await readOffline(options, "restore_command", signal) !== "";
  return [
    `--target-pgdata=${dataDir}`,
    `--source-server=${conninfoTo(options, source, words)}`,
    "--progress",
    ...(majorVersion >= 13 ? ["--no-ensure-shutdown"] : []),
    ...(mayRestore ? ["--restore-target-wal"] : []),
    ...(mayRestore && isElsewhere ? [`--config-file=${paths.conf}`] : []),
    ...options.rewind ?? [],
  ];
}

/** A setting as the stopped server's files have it; "" when it cannot be told. */
export async function readOffline(
  options: PostgresOptions,
  name: string,
  signal: AbortSignal,
): Promise<string> {
  const args = ["-C", name, "-D", options.dataDir, ...confPaths(options).words];
  const program = programPath(options, "postgres");
  const result = await run({ program, args, timeoutMs: SETTING_MS }, signal);
  return result.exitCode === 0 ? result.stdout.replace(/\n$/, "") : "";
}
