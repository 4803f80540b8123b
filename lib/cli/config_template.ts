import { dirname } from "node:path";
import type { JsonObject } from "../base/json.ts";
import { CLUSTER_WIDE_PARAMETERS } from "../core/parameter_names.ts";
import type { ServerProfile } from "../postgres/server_profile.ts";

/** What is known of the host that a file is written for. */
export interface HostFacts {
  readonly hostname: string;
  /** An address that others may reach. */
  readonly address: string;
  /** Folder and major version of PostgreSQL's programs; null: none are installed in the usual place. */
  readonly programs: { readonly folder: string; readonly major: number } | null;
}

/** A configuration to begin with, and the keys that nobody but the operator knows. */
export interface Template {
  readonly values: JsonObject;
  readonly unknown: readonly string[];
}

/** Stands for what the operator must fill in; it is a text that every reader accepts. */
const UNKNOWN = "change-me";
const REPLICATOR = "replicator";
const TIMING = { ttl: 30, loop_wait: 10, retry_timeout: 10, maximum_lag_on_failover: 1048576 };
const PASSWORDS = ["superuser", "replication"].map((role) =>
  `postgresql.authentication.${role}.password`
);

/** A file for a host without a server. */
export function sampleTemplate({ hostname, address, programs }: HostFacts): Template {
  const major = programs?.major ?? 15;
  const network = `${address}/24`;
  const values = {
    ...head("demo", hostname, address),
    bootstrap: {
      dcs: { ...TIMING, postgresql: { use_slots: true, parameters: {} } },
      initdb: [{ encoding: "UTF8" }, "data-checksums"],
    },
    postgresql: {
      listen: `0.0.0.0:5432`,
      connect_address: `${address}:5432`,
      data_dir: `/var/lib/postgresql/${major}/demo`,
      ...(programs === null ? {} : { bin_dir: programs.folder }),
      authentication: logins("postgres", null),
      parameters: { unix_socket_directories: "/var/run/postgresql" },
      pg_hba: [
        "local all all scram-sha-256",
        "host all all 127.0.0.1/32 scram-sha-256",
        `host all all ${network} scram-sha-256`,
        `host replication ${REPLICATOR} ${network} scram-sha-256`,
      ],
    },
  };
  return { values, unknown: ["scope", "etcd3.hosts", ...PASSWORDS, "postgresql.pg_hba"] };
}

/** The agent sets these itself. */
const OWN =
  /^(listen_addresses|port|cluster_name|hot_standby|data_directory|config_file|hba_file|ident_file|external_pid_file|primary_conninfo|primary_slot_name|promote_trigger_file|synchronous_standby_names|recovery_target.*)$/;
/** Of one member alone: places on its disks, and commands that hold them. */
const LOCAL = /(_command|_directory|_directories|_file|_dir|_keyfile)$/;
/** Equal on all members, so they are written down although nobody set them; the agent keeps WAL by its own default. */
const ALWAYS = CLUSTER_WIDE_PARAMETERS.filter((name) => !name.startsWith("wal_keep"));

/** A file for a running server that is to become the first member of a cluster. */
export function serverTemplate(
  { hostname, address }: HostFacts,
  server: ServerProfile,
  login: { readonly username: string; readonly password: string | null },
): Template {
  const scope = server.clusterName === "" ? "demo" : server.clusterName;
  const port = server.listen.slice(server.listen.lastIndexOf(":") + 1);
  const configDir = dirname(server.configFile);
  const values = {
    ...head(scope, hostname, address),
    bootstrap: {
      dcs: {
        ...TIMING,
        postgresql: { use_slots: true, parameters: parametersOf(server, false) },
      },
    },
    postgresql: {
      listen: server.listen,
      connect_address: `${address}:${port}`,
      data_dir: server.dataDir,
      ...(configDir === server.dataDir ? {} : { config_dir: configDir }),
      ...(server.binDir === null ? {} : { bin_dir: server.binDir }),
      authentication: logins(login.username, login.password),
      parameters: parametersOf(server, true),
      pg_hba: withReplication(server.hba),
      ...(server.ident.length === 0 ? {} : { pg_ident: server.ident }),
    },
  };
  const unknown = [
    ...(server.clusterName === "" ? ["scope"] : []),
    "etcd3.hosts",
    ...PASSWORDS.filter((path) => login.password === null || !path.includes("superuser")),
    "postgresql.pg_hba",
  ];
  return { values, unknown };
}

function head(scope: string, name: string, address: string): JsonObject {
  return {
    scope,
    name,
    restapi: { listen: "0.0.0.0:8008", connect_address: `${address}:8008` },
    etcd3: { hosts: [`${address}:2379`] },
  };
}

function logins(superuser: string, password: string | null): JsonObject {
  return {
    superuser: { username: superuser, password: password ?? UNKNOWN },
    replication: { username: REPLICATOR, password: UNKNOWN },
  };
}

function parametersOf({ settings }: ServerProfile, isLocal: boolean): JsonObject {
  const kept = settings.filter(({ name, isSet, value }) => {
    if (OWN.test(name) || value === "(disabled)" || LOCAL.test(name) !== isLocal) return false;
    return isSet || ALWAYS.includes(name);
  });
  return Object.fromEntries(kept.map(({ name, value }) => [name, value]));
}

/** The new replication role must get in, which no line of the old server can provide for. */
function withReplication(hba: readonly string[]): readonly string[] {
  const isOpen = hba.some((line) => /^host\S* replication all (?!127\.|::1|localhost)/.test(line));
  return isOpen ? hba : [...hba, `host replication ${REPLICATOR} samenet scram-sha-256`];
}
