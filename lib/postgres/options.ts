import type { Clock } from "../base/clock.ts";
import type { ContentByRole } from "../core/role_content.ts";

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
  /** The same for replication connections; absent: no. */
  readonly useUnixSocketRepl?: boolean;
  /** Kerberos service name of the servers; null or absent: libpq's own. */
  readonly krbsrvname?: string | null;
  readonly authentication: {
    readonly superuser: RoleLogin;
    readonly replication: RoleLogin;
    readonly rewind: RoleLogin | null;
  };
  /** Local parameters, values as text. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly pgHba: readonly string[] | null;
  readonly pgIdent: readonly string[] | null;
  /** What counts in one role only; null or absent: nothing. */
  readonly byRole?: ContentByRole | null;
  readonly recoveryConf: Readonly<Record<string, string>>;
  readonly pgCtlTimeoutS: number;
  /** Options of pg_basebackup as command line words. */
  readonly basebackup: readonly string[];
  /** Options of pg_rewind as command line words; absent: none. */
  readonly rewind?: readonly string[];
  /** What a rewind that was cut short has left is not replaced by a copy; absent: it is. */
  readonly keepsHalfRewound?: boolean;
  /** Folder of the configuration files; null or absent: the data directory. */
  readonly configDir?: string | null;
  /** Name of postgresql.conf without `.conf`; absent: `postgresql`. */
  readonly configBaseName?: string;
  /** Included instead of the base file that is kept of what initdb or a copy made; null or absent: none. */
  readonly customConf?: string | null;
  /** How a member is copied, in this order; absent: by pg_basebackup. */
  readonly replicaMethods?: readonly CopyMethod[];
  /** Absent: none. */
  readonly hooks?: ServerHooks;
  /** null: may not found a cluster. */
  readonly bootstrap: FoundingOptions | null;
  /** Told of each parameter that this version of the server refuses and that is left out, whenever they are checked. */
  readonly onLeftOut?: (remark: string) => void;
}

/** What may change while the server runs. */
export type Reloadable = Pick<
  PostgresOptions,
  | "authentication"
  | "krbsrvname"
  | "parameters"
  | "pgHba"
  | "pgIdent"
  | "byRole"
  | "recoveryConf"
  | "pgCtlTimeoutS"
  | "basebackup"
  | "rewind"
  | "keepsHalfRewound"
  | "customConf"
  | "replicaMethods"
  | "hooks"
>;

/** How a cluster is founded. */
export interface FoundingOptions {
  /** Options of initdb as command line words. */
  readonly initdb: readonly string[];
  /** Lines to append to pg_hba.conf. */
  readonly pgHba: readonly string[];
  /** null or absent: by initdb. */
  readonly custom?: FoundingProgram | null;
  /** Words of a program that is run once when the server is up; null or absent: none. */
  readonly postBootstrap?: readonly string[] | null;
}

/** A program of the operator that fills the data directory. */
export interface FillingProgram {
  readonly name: string;
  /** The words of its command line. */
  readonly words: readonly string[];
  /** Whether `--scope`, `--datadir` and so on are appended. */
  readonly withParameters: boolean;
}

/** A program that founds the cluster from elsewhere, by a backup for example. */
export interface FoundingProgram extends FillingProgram {
  /** Recovery settings and signal files that it left stay as they are. */
  readonly keepRecovery: boolean;
  /** Recovery settings of the first start; empty: none. */
  readonly recovery: Readonly<Record<string, string>>;
}

/** One way to copy a member. `keepData`: what a copy that was not finished has left is not removed before. */
export type CopyMethod =
  | { readonly kind: "basebackup" }
  | (FillingProgram & { readonly kind: "custom"; readonly keepData: boolean });

/** Programs of the operator around a promotion and a stop, as command line words; null: none. */
export interface ServerHooks {
  readonly prePromote: readonly string[] | null;
  readonly beforeStop: readonly string[] | null;
}

/** The programs of a PostgreSQL installation that are run here. */
export type ProgramName =
  | "postgres"
  | "initdb"
  | "pg_ctl"
  | "pg_basebackup"
  | "pg_controldata"
  | "pg_rewind"
  | "pg_waldump";

/** Path of a program under `bin_dir` and `bin_name`; a bare name is looked up in PATH. */
export function programPath(
  options: Pick<PostgresOptions, "binDir" | "binName">,
  name: ProgramName,
): string {
  const file = options.binName[name] ?? name;
  return options.binDir === "" ? file : `${options.binDir}/${file}`;
}
