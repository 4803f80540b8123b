import * as v from "valibot";
import { parseSeconds } from "../base/units.ts";
import { addressForOthers, issueAt } from "./addresses.ts";
import type { ReplicaMethod } from "./agent_config.ts";
import { key, type Noted, unread } from "./key_notes.ts";
import { programOptions } from "./program_options.ts";
import { methodIssue, replicaMethod } from "./schema_methods.ts";
import { role } from "./schema_roles.ts";
import {
  absolutePath,
  commandLine,
  flag,
  form,
  lines,
  listen,
  reachable,
  text,
  texts,
} from "./values.ts";

const OWN_BASEBACKUP = [
  ...["pgdata", "format", "wal-method", "xlog-method", "gzip", "version"],
  ...["dbname", "host", "port", "username", "password"],
];

const OWN_REWIND = [
  ...["target-pgdata", "source-pgdata", "source-server", "write-recovery-conf", "dry-run"],
  ...["restore-target-wal", "config-file", "no-ensure-shutdown", "progress", "version", "help"],
];

const seconds = form<number>((input) => {
  const value = parseSeconds(input);
  return value !== null && value > 0 ? { value } : { expected: "seconds above 0" };
});

const methodNames = form<readonly string[]>((input) => {
  const read = v.safeParse(lines, input);
  const isUsable = read.success && read.output.length > 0 &&
    new Set(read.output).size === read.output.length;
  return isUsable ? { value: read.output } : { expected: "a list of different names" };
});

const pathOrNone = v.optional(v.union([v.literal(""), absolutePath], "an absolute path"));

const fileName = v.pipe(text, v.regex(/^[A-Za-z0-9_.-]+$/, "a file name"));

/** The new member's files are written as they are, so only the source can compress what it sends (PostgreSQL 15). */
const backupOptions = form<readonly string[]>((input) => {
  const read = v.safeParse(programOptions(OWN_BASEBACKUP), input);
  if (!read.success) return { expected: read.issues[0].message };
  const isHere = read.output.some((word) => /^--compress(?!=server-)/.test(word));
  return isHere ? { expected: "compress only as server-gzip, server-lz4 or server-zstd" } : {
    value: read.output,
  };
});

function program(name: string): Noted<v.OptionalSchema<typeof text, undefined>> {
  return key(v.optional(text), `name of the program ${name}`, {
    env: `PATRONI_POSTGRESQL_BIN_${name.toUpperCase()}`,
  });
}

const binName = v.optional(
  v.looseObject({
    pg_ctl: program("pg_ctl"),
    initdb: program("initdb"),
    pg_controldata: program("pg_controldata"),
    pg_basebackup: program("pg_basebackup"),
    postgres: program("postgres"),
    pg_isready: program("pg_isready"),
    pg_rewind: program("pg_rewind"),
  }, "a mapping"),
  {},
);

const authentication = v.looseObject({
  superuser: role("PATRONI_SUPERUSER", "superuser"),
  replication: role("PATRONI_REPLICATION", "role that streams"),
  rewind: v.optional(role("PATRONI_REWIND", "role of pg_rewind")),
}, "a mapping");

const connection = {
  listen: key(listen(5432), "addresses and port of PostgreSQL, e.g. 0.0.0.0:5432", {
    env: "PATRONI_POSTGRESQL_LISTEN",
  }),
  connect_address: key(v.optional(reachable(5432)), "host:port of PostgreSQL for others", {
    env: "PATRONI_POSTGRESQL_CONNECT_ADDRESS",
  }),
  proxy_address: key(v.optional(reachable(5432)), "host:port of a pooler beside PostgreSQL", {
    env: "PATRONI_POSTGRESQL_PROXY_ADDRESS",
  }),
  data_dir: key(absolutePath, "data directory", { env: "PATRONI_POSTGRESQL_DATA_DIR" }),
  bin_dir: key(pathOrNone, "folder of PostgreSQL's programs; PATH when empty or left out", {
    env: "PATRONI_POSTGRESQL_BIN_DIR",
  }),
  bin_name: binName,
  pgpass: key(v.optional(absolutePath), "password file that the agent writes", {
    env: "PATRONI_POSTGRESQL_PGPASS",
  }),
  database: key(v.optional(text, "postgres"), "database the agent connects to"),
  use_unix_socket: key(v.optional(flag, false), "connect locally by a socket"),
  use_unix_socket_repl: key(v.optional(flag, false), "the same for replication connections"),
  krbsrvname: key(v.optional(text), "Kerberos service name of the servers, to stream and to copy"),
  authentication,
};

function callback(when: string): Noted<v.OptionalSchema<typeof commandLine, undefined>> {
  return key(v.optional(commandLine), `program run after ${when}, with action, role and scope`);
}

const hooks = {
  callbacks: v.optional(
    v.looseObject({
      on_start: callback("a start"),
      on_stop: callback("a stop"),
      on_restart: callback("a restart"),
      on_reload: callback("a reload"),
      on_role_change: callback("a change between primary and replica"),
    }, "a mapping"),
    {},
  ),
  pre_promote: key(v.optional(commandLine), "program that may refuse a promotion"),
  before_stop: key(v.optional(commandLine), "program run before a stop; its result is ignored"),
};

const content = {
  parameters: key(v.optional(texts, {}), "settings of PostgreSQL on this member", {
    holds: "mapping",
  }),
  pg_hba: key(v.optional(lines), "lines that replace pg_hba.conf"),
  pg_ident: key(v.optional(lines), "lines that replace pg_ident.conf"),
  recovery_conf: key(v.optional(texts, {}), "further settings of a replica", { holds: "mapping" }),
  config_dir: key(v.optional(absolutePath), "folder of the configuration files", {
    env: "PATRONI_POSTGRESQL_CONFIG_DIR",
  }),
  config_base_name: key(
    v.optional(fileName, "postgresql"),
    "name of postgresql.conf without .conf",
  ),
  custom_conf: key(v.optional(absolutePath), "a file included instead of postgresql.base.conf"),
  pg_ctl_timeout: key(v.optional(seconds, 60), "wait for a start", { unit: "s" }),
  remove_data_directory_on_diverged_timelines: key(
    v.optional(flag, true),
    "a diverged member is copied anew, its old directory kept as .diverged",
  ),
  use_pg_rewind: key(
    v.optional(flag),
    "a diverged member is brought back by pg_rewind, and copied anew only when that fails",
  ),
  rewind: key(v.optional(programOptions(OWN_REWIND), []), "options of pg_rewind"),
  remove_data_directory_on_rewind_failure: key(
    v.optional(flag, false),
    "copied anew after a failed rewind, also where diverged data are not",
  ),
  basebackup: key(v.optional(backupOptions, []), "options of pg_basebackup"),
  create_replica_methods: key(v.optional(methodNames), "how a member is copied, in this order", {
    holds: "list",
  }),
  create_replica_method: key(v.optional(methodNames), "older name of create_replica_methods", {
    holds: "list",
  }),
};

const settingsIn = (who: string) =>
  key(v.optional(texts, {}), `settings of PostgreSQL while it is a ${who}, over parameters`, {
    holds: "mapping",
  });
const linesIn = (file: string, who: string) =>
  key(v.optional(lines), `lines that replace ${file} while PostgreSQL is a ${who}`);

const byRole = {
  parameters_primary: settingsIn("primary"),
  parameters_replica: settingsIn("replica"),
  pg_hba_primary: linesIn("pg_hba.conf", "primary"),
  pg_hba_replica: linesIn("pg_hba.conf", "replica"),
  pg_ident_primary: linesIn("pg_ident.conf", "primary"),
  pg_ident_replica: linesIn("pg_ident.conf", "replica"),
};

const STANDBY_LEADER = "content of a standby leader, which no cluster here has";

const unreadKeys = {
  use_slots: unread("not-yet", "counts only in the cluster's settings, ignored in the file"),
  parameters_standby_leader: unread("not-yet", STANDBY_LEADER),
  pg_hba_standby_leader: unread("not-yet", STANDBY_LEADER),
  pg_ident_standby_leader: unread("not-yet", STANDBY_LEADER),
};

const postgresqlKeys = v.looseObject(
  { ...connection, ...content, ...byRole, ...hooks, ...unreadKeys },
  "a mapping",
);

/** `postgresql`: the local server, with the address for others filled in and the ways to copy it read. */
export const postgresqlSchema = v.pipe(
  postgresqlKeys,
  v.rawTransform(({ dataset: { value }, addIssue, NEVER }) => {
    const address = addressForOthers(value.connect_address, value.listen);
    if ("expected" in address) addIssue(issueAt(value, "connect_address", address.expected));
    const names = value.create_replica_methods ?? value.create_replica_method ?? ["basebackup"];
    const methods: ReplicaMethod[] = [];
    for (const name of names) {
      const method = replicaMethod(name, value[name]);
      if ("value" in method) methods.push(method.value);
      else addIssue(methodIssue(value, name, method));
    }
    if ("expected" in address || methods.length < names.length) return NEVER;
    return { ...value, connect_address: address.value, methods };
  }),
);
