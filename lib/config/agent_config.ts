import type { JsonObject } from "../base/json.ts";
import type { LogOptions } from "../base/log.ts";
import type { CallbackKind } from "../core/callbacks.ts";
import type { ContentByRole } from "../core/role_content.ts";
import type { PemFiles } from "./pem_files.ts";

/** A name and password with the connection options of one role. */
export interface Credentials {
  readonly username: string;
  readonly password: string | null;
  /** `sslmode`, `sslcert` and so on, as given (spec keys of libpq). */
  readonly options: Readonly<Record<string, string>>;
}

/** HTTPS of the REST API. */
export interface ServerTlsFiles extends PemFiles {
  /** Whether clients need a certificate: never, to change something, or for everything. */
  readonly verifyClient: "none" | "optional" | "required";
}

/** What is shown to members, and how they are checked. */
export interface ClientTlsFiles extends PemFiles {
  /** They are not checked. */
  readonly insecure: boolean;
}

/** Addresses to listen on and their port; `*` is every address. */
export interface ListenAddress {
  readonly hosts: readonly string[];
  readonly port: number;
}

/** Programs of the operator, each as the words of its command line. */
export interface Hooks {
  /** By action; each gets the action, the role and the scope as further words. */
  readonly callbacks: Readonly<Partial<Record<CallbackKind, readonly string[]>>>;
  /** Its refusal (any exit code but 0) gives the lock up. */
  readonly prePromote: readonly string[] | null;
  /** Its result does not count. */
  readonly beforeStop: readonly string[] | null;
}

/** A program of the operator that fills a data directory, as `bootstrap` and `postgresql` name them. */
export interface CustomMethod {
  readonly name: string;
  /** The words of its command line, further options included. */
  readonly words: readonly string[];
  /** Whether the usual options (scope, data directory and so on) are appended. */
  readonly withParameters: boolean;
}

/** How a cluster is founded from elsewhere. */
export interface CustomBootstrap extends CustomMethod {
  /** Recovery settings and signal files that the program left stay as they are. */
  readonly keepRecovery: boolean;
  /** Recovery settings for the first start; empty: none. */
  readonly recovery: Readonly<Record<string, string>>;
}

/** How a member is copied; null words: pg_basebackup. */
export type ReplicaMethod =
  | { readonly kind: "basebackup" }
  | (CustomMethod & { readonly kind: "custom"; readonly keepData: boolean });

/** The configuration of one agent: file and environment, checked, defaults applied. Paths are absolute. */
export interface AgentConfig {
  readonly scope: string;
  /** `/service/` form: one leading and one trailing slash. */
  readonly namespace: string;
  readonly name: string;
  readonly log: LogOptions & {
    /** Where log files go; null: lines go to stderr. */
    readonly files: {
      readonly dir: string;
      /** Older files that are kept. */
      readonly count: number;
      /** Bytes at which a file is closed; 0: never. */
      readonly sizeMax: number;
      /** Permissions; null: by the umask. */
      readonly mode: number | null;
    } | null;
    /** Unchanged heartbeats: true once, false each time, null once a minute. */
    readonly foldHeartbeats: boolean | null;
  };
  readonly restapi: {
    readonly listen: ListenAddress;
    /** `host:port` for others. */
    readonly connectAddress: string;
    readonly authentication: { readonly username: string; readonly password: string } | null;
    /** null: plain http. */
    readonly tls: ServerTlsFiles | null;
    /** Addresses, networks and host names that may change something; empty: all. */
    readonly allowlist: readonly string[];
    readonly allowlistIncludeMembers: boolean;
    readonly headers: Readonly<Record<string, string>>;
    /** Of answers by HTTPS, in addition. */
    readonly httpsHeaders: Readonly<Record<string, string>>;
    /** Connections that wait to be accepted; null: the system's own number. */
    readonly requestQueueSize: number | null;
    readonly serverTokens: "Original" | "Minimal" | "ProductOnly";
  };
  readonly etcd: {
    /** `http://host:port` each. */
    readonly endpoints: readonly string[];
    readonly username: string | null;
    readonly password: string | null;
    readonly tls: PemFiles;
  };
  readonly bootstrap: {
    /** Initial content of the `config` key. */
    readonly dcs: JsonObject;
    /** Options for initdb, as command line words without pgdata. */
    readonly initdb: readonly string[];
    readonly pgHba: readonly string[];
    /** null: by initdb. */
    readonly custom: CustomBootstrap | null;
    /** Words of a program run once after founding, with a connection string appended; null: none. */
    readonly postBootstrap: readonly string[] | null;
  } | null;
  readonly postgresql: {
    readonly listen: ListenAddress;
    readonly connectAddress: string;
    readonly proxyAddress: string | null;
    readonly dataDir: string;
    /** "" means PATH. */
    readonly binDir: string;
    readonly binName: Readonly<Record<string, string>>;
    readonly pgpass: string;
    readonly database: string;
    readonly useUnixSocket: boolean;
    readonly useUnixSocketRepl: boolean;
    /** Kerberos service name; null: libpq's own, `postgres`. */
    readonly krbsrvname: string | null;
    readonly authentication: {
      readonly superuser: Credentials;
      readonly replication: Credentials;
      readonly rewind: Credentials | null;
    };
    /** Local parameters, values as text. */
    readonly parameters: Readonly<Record<string, string>>;
    readonly pgHba: readonly string[] | null;
    readonly pgIdent: readonly string[] | null;
    /** What counts in one role only; null: nothing. */
    readonly byRole: ContentByRole | null;
    readonly recoveryConf: Readonly<Record<string, string>>;
    readonly pgCtlTimeoutS: number;
    /** false: a diverged directory stays as it is, and an operator decides. */
    readonly removeDataDirectoryOnDivergedTimelines: boolean;
    /** null: the cluster's settings say whether pg_rewind is used. */
    readonly usePgRewind: boolean | null;
    /** Options of `postgresql.rewind` as command line words. */
    readonly rewind: readonly string[];
    /** Neither key allows a copy in place of what a failed rewind has left. */
    readonly keepsHalfRewound: boolean;
    /** Folder and base name of the configuration files; a null folder is the data directory. */
    readonly configDir: string | null;
    readonly configBaseName: string;
    /** Included instead of the base file that the agent keeps. */
    readonly customConf: string | null;
    /** How a member is copied, in this order. */
    readonly replicaMethods: readonly ReplicaMethod[];
    /** Options of `postgresql.basebackup` as command line words. */
    readonly basebackup: readonly string[];
    readonly hooks: Hooks;
  };
  readonly watchdog: {
    readonly mode: "off" | "automatic" | "required";
    readonly device: string;
    /** Seconds between the reset of the host and the end of the lease; -1: half of the ttl. */
    readonly safetyMarginS: number;
    readonly driver: "default" | "testing";
  };
  readonly tags: JsonObject;
  readonly ctl: { readonly username: string; readonly password: string } | null;
  /** Calls to members by HTTPS. */
  readonly ctlTls: ClientTlsFiles;
  /** Where the agent keeps small files of this host (lease id, recorder), not in the data directory. */
  readonly stateDir: string;
  /** Unknown keys and other remarks, with file, line and the nearest known key. */
  readonly warnings: readonly string[];
}
