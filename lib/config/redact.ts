import { isJsonObject, type Json, type JsonObject } from "../base/json.ts";
import type { AgentConfig, Credentials, Hooks } from "./agent_config.ts";
import type { PemFiles } from "./pem_files.ts";

const HIDDEN = "********";
/** Names of settings whose values may hold a secret. */
const SECRETIVE = /command|conninfo|passphrase|password|secret|token/i;
/** Options of a line of pg_hba.conf that hold one. */
const HBA_SECRETS = /\b(ldapbindpasswd|radiussecrets)=("[^"]*"|\S+)/gi;
/** An option of a program that is followed by one, after a blank or an equals sign. */
const SECRET_OPTION = /^-[^=]*(?:password|passphrase|secret|token|key)[^=]*(=|$)/is;

/** The configuration without passwords, for logs and REST. Programs' own settings may hold secrets too: they are left out by name. */
export function redact(config: AgentConfig): AgentConfig {
  const { restapi, etcd, postgresql, ctl, ctlTls, bootstrap } = config;
  const { superuser, replication, rewind } = postgresql.authentication;
  return {
    ...config,
    restapi: {
      ...restapi,
      authentication: hideLogin(restapi.authentication),
      tls: restapi.tls === null ? null : hideKey(restapi.tls),
      headers: hideValues(restapi.headers),
      httpsHeaders: hideValues(restapi.httpsHeaders),
    },
    etcd: { ...etcd, password: etcd.password === null ? null : HIDDEN, tls: hideKey(etcd.tls) },
    postgresql: {
      ...postgresql,
      authentication: {
        superuser: hideCredentials(superuser),
        replication: hideCredentials(replication),
        rewind: rewind === null ? null : hideCredentials(rewind),
      },
      replicaMethods: postgresql.replicaMethods.map((method) => {
        return method.kind === "custom" ? { ...method, words: hideWords(method.words) } : method;
      }),
      pgHba: postgresql.pgHba === null ? null : hideInLines(postgresql.pgHba),
      hooks: hideHooks(postgresql.hooks),
      parameters: hideCommands(postgresql.parameters),
      recoveryConf: hideCommands(postgresql.recoveryConf),
    },
    ctl: hideLogin(ctl),
    ctlTls: hideKey(ctlTls),
    bootstrap: bootstrap === null ? null : hideBootstrap(bootstrap),
  };
}

function hideBootstrap(
  bootstrap: NonNullable<AgentConfig["bootstrap"]>,
): NonNullable<AgentConfig["bootstrap"]> {
  const { dcs, custom, pgHba, postBootstrap } = bootstrap;
  const recovery = hideCommands(custom?.recovery ?? {});
  return {
    ...bootstrap,
    dcs: hideDeep(dcs),
    pgHba: hideInLines(pgHba),
    postBootstrap: postBootstrap === null ? null : hideWords(postBootstrap),
    custom: custom === null ? null : { ...custom, words: hideWords(custom.words), recovery },
  };
}

function hideDeep(values: JsonObject): JsonObject {
  const entries = Object.entries(values).map(([name, value]): [string, Json] => {
    if (isJsonObject(value)) return [name, hideDeep(value)];
    if (Array.isArray(value)) return [name, value.map(hideInItem)];
    return [name, SECRETIVE.test(name) ? HIDDEN : value];
  });
  return Object.fromEntries(entries);
}

function hideInItem(item: Json): Json {
  if (isJsonObject(item)) return hideDeep(item);
  return typeof item === "string" ? hideInLine(item) : item;
}

function hideInLines(lines: readonly string[]): readonly string[] {
  return lines.map(hideInLine);
}

function hideInLine(line: string): string {
  return line.replace(HBA_SECRETS, `$1=${HIDDEN}`);
}

function hideHooks({ callbacks, prePromote, beforeStop }: Hooks): Hooks {
  const hidden = Object.entries(callbacks).map(([name, words]) => [name, hideWords(words)]);
  return {
    callbacks: Object.fromEntries(hidden),
    prePromote: prePromote === null ? null : hideWords(prePromote),
    beforeStop: beforeStop === null ? null : hideWords(beforeStop),
  };
}

/** `--password=x`, `--password x` and the like, as people write them and further keys of a method's section become. */
function hideWords(words: readonly string[]): readonly string[] {
  return words.map((word, index) => {
    const before = SECRET_OPTION.exec(words[index - 1] ?? "");
    if (before !== null && before[1] === "") return HIDDEN;
    const own = SECRET_OPTION.exec(word);
    return own === null || own[1] === "" ? word : own[0] + HIDDEN;
  });
}

function hideLogin<T extends { readonly password: string }>(login: T | null): T | null {
  return login === null ? null : { ...login, password: HIDDEN };
}

function hideKey<T extends PemFiles>(files: T): T {
  return files.keyPassword === null ? files : { ...files, keyPassword: HIDDEN };
}

/** A header may carry a token. */
function hideValues(values: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.keys(values).map((name) => [name, HIDDEN]));
}

function hideCredentials({ username, password, options }: Credentials): Credentials {
  const hidden = options["sslpassword"] === undefined
    ? options
    : { ...options, sslpassword: HIDDEN };
  return { username, password: password === null ? null : HIDDEN, options: hidden };
}

/** Commands carry keys of object stores, connection strings carry passwords. */
function hideCommands(values: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(values).map(([name, value]) =>
    [name, SECRETIVE.test(name) ? HIDDEN : value] as const
  );
  return Object.fromEntries(entries);
}
