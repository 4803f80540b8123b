import { Refused } from "../base/errors.ts";
import { parseConninfo } from "./conninfo.ts";
import type { SessionTarget } from "./session.ts";
import { withSession } from "./session.ts";

type Env = Readonly<Record<string, string>>;

/** A running server as a configuration file describes it. */
export interface ServerProfile {
  readonly clusterName: string;
  /** `listen_addresses` with the port. */
  readonly listen: string;
  readonly dataDir: string;
  readonly configFile: string;
  /** null: the server does not tell. */
  readonly binDir: string | null;
  /** Lines of pg_hba.conf and pg_ident.conf without comments. */
  readonly hba: readonly string[];
  readonly ident: readonly string[];
  /** Every setting that can be changed, with its value as text. `isSet`: by a file or the command line. */
  readonly settings: readonly {
    readonly name: string;
    readonly value: string;
    readonly isSet: boolean;
  }[];
}

const SETTINGS = `SELECT name, current_setting(name) AS value,
  source IN ('configuration file', 'command line', 'environment variable', 'override') AS is_set
  FROM pg_settings WHERE context <> 'internal' ORDER BY name`;
const FACTS = `SELECT current_setting('cluster_name') AS cluster_name,
  current_setting('listen_addresses') AS listen, current_setting('port') AS port,
  current_setting('data_directory') AS data_dir, current_setting('config_file') AS config_file,
  pg_read_file(current_setting('hba_file')) AS hba,
  pg_read_file(current_setting('ident_file')) AS ident,
  (SELECT setting FROM pg_config WHERE name = 'BINDIR') AS bin_dir`;

/**
 * Asks a server for what a configuration file needs; changes nothing. Throws `Refused` where the login is no superuser's
 * and `PostgresUnreachable` without an answer.
 */
export async function readServerProfile(
  target: SessionTarget,
  signal: AbortSignal,
): Promise<ServerProfile> {
  return await withSession(target, async (session) => {
    const [facts] = await session.query(FACTS, [], signal);
    const settings = await session.query(SETTINGS, [], signal);
    if (facts === undefined) throw new Refused("Cannot read the server's settings: no answer");
    const text = (name: string): string => String(facts[name] ?? "");
    return {
      clusterName: text("cluster_name"),
      listen: `${text("listen") || "localhost"}:${text("port")}`,
      dataDir: text("data_dir"),
      configFile: text("config_file"),
      binDir: text("bin_dir") || null,
      hba: linesOf(text("hba")),
      ident: linesOf(text("ident")),
      settings: settings.map((row) => ({
        name: String(row["name"]),
        value: String(row["value"]),
        isSet: row["is_set"] === true,
      })),
    };
  }, signal);
}

function linesOf(text: string): readonly string[] {
  return text.split("\n").map((line) => line.replace(/\s+/g, " ").trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

const DEFAULT_SOCKET = "/var/run/postgresql";

/** The target of a libpq connection string, words or URL, with `PG*` variables and libpq's defaults below it. */
export function targetOfDsn(dsn: string, env: Env): SessionTarget {
  const given = /^postgres(ql)?:\/\//.test(dsn) ? wordsOfUrl(dsn) : parseConninfo(dsn);
  const { host, port, user, password, dbname, ...options } = given;
  const username = user ?? env["PGUSER"] ?? env["USER"] ?? "postgres";
  return {
    host: host ?? env["PGHOST"] ?? DEFAULT_SOCKET,
    port: Number(port ?? env["PGPORT"] ?? 5432),
    database: dbname ?? env["PGDATABASE"] ?? "postgres",
    login: { username, password: password ?? env["PGPASSWORD"] ?? null, options },
    mode: "sql",
  };
}

function wordsOfUrl(dsn: string): Readonly<Record<string, string>> {
  // A URL of another scheme may lack a host, as libpq allows: `postgres:///db?host=/run`.
  if (!URL.canParse(dsn)) return {};
  const url = new URL(dsn);
  const words: Record<string, string> = {};
  const put = (name: string, value: string): void => {
    if (value !== "") words[name] = decodeURIComponent(value);
  };
  put("host", url.hostname.replace(/^\[|\]$/g, ""));
  put("port", url.port);
  put("user", url.username);
  put("password", url.password);
  put("dbname", url.pathname.slice(1));
  for (const [name, value] of url.searchParams) words[name] = value;
  return words;
}
