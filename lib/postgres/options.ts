import type { Clock } from "../base/clock.ts";

/** A database role of the agent: its name, password and libpq connection options. */
export interface RoleLogin {
  readonly username: string;
  readonly password: string | null;
  /** `sslmode`, `sslcert` and so on, by their libpq names. */
  readonly options: Readonly<Record<string, string>>;
}

/** What the local server is made of; the fields of the `postgresql` section keep their names. Paths are absolute. */
export interface PostgresOptions {
  readonly name: string;
  readonly scope: string;
  /** Slot of this member on its source. */
  readonly slotName: string;
  readonly clock: Clock;
  readonly listen: { readonly hosts: readonly string[]; readonly port: number };
  readonly dataDir: string;
  /** "" means PATH. */
  readonly binDir: string;
  /** Other names of programs, by their usual name. */
  readonly binName: Readonly<Record<string, string>>;
  readonly pgpass: string;
  readonly database: string;
  readonly useUnixSocket: boolean;
  readonly authentication: {
    readonly superuser: RoleLogin;
    readonly replication: RoleLogin;
    readonly rewind: RoleLogin | null;
  };
  /** Local parameters, values as text. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly pgHba: readonly string[] | null;
  readonly pgIdent: readonly string[] | null;
  readonly recoveryConf: Readonly<Record<string, string>>;
  readonly pgCtlTimeoutS: number;
  /** Options of pg_basebackup as command line words. */
  readonly basebackup: readonly string[];
  /** Absent: none. */
  readonly hooks?: ServerHooks;
  /** Options of initdb as command line words, and lines to append to pg_hba.conf; null: may not found a cluster. */
  readonly bootstrap:
    | { readonly initdb: readonly string[]; readonly pgHba: readonly string[] }
    | null;
}

/** Programs of the operator around a promotion and a stop, as command line words; null: none. */
export interface ServerHooks {
  readonly prePromote: readonly string[] | null;
  readonly beforeStop: readonly string[] | null;
}

/** The programs of a PostgreSQL installation that are run here. */
export type ProgramName = "postgres" | "initdb" | "pg_ctl" | "pg_basebackup" | "pg_controldata";

/** Path of a program under `bin_dir` and `bin_name`; a bare name is looked up in PATH. */
export function programPath(
  options: Pick<PostgresOptions, "binDir" | "binName">,
  name: ProgramName,
): string {
  const file = options.binName[name] ?? name;
  return options.binDir === "" ? file : `${options.binDir}/${file}`;
}
