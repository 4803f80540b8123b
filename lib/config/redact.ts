import { isJsonObject, type Json, type JsonObject } from "../base/json.ts";
import type { AgentConfig, Credentials } from "./agent_config.ts";

const HIDDEN = "********";
/** Names of settings whose values may hold a secret. */
const SECRETIVE = /command|conninfo|passphrase|password/i;

/** The configuration without passwords, for logs and REST. Programs' own settings may hold secrets too: they are left out by name. */
export function redact(config: AgentConfig): AgentConfig {
  const { restapi, etcd, postgresql, ctl, bootstrap } = config;
  const { superuser, replication, rewind } = postgresql.authentication;
  return {
    ...config,
    restapi: { ...restapi, authentication: hideLogin(restapi.authentication) },
    etcd: { ...etcd, password: etcd.password === null ? null : HIDDEN },
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
      parameters: hideCommands(postgresql.parameters),
      recoveryConf: hideCommands(postgresql.recoveryConf),
    },
    ctl: hideLogin(ctl),
    bootstrap: bootstrap === null ? null : hideBootstrap(bootstrap),
  };
}

function hideBootstrap(
  bootstrap: NonNullable<AgentConfig["bootstrap"]>,
): NonNullable<AgentConfig["bootstrap"]> {
  const { dcs, custom } = bootstrap;
  const recovery = hideCommands(custom?.recovery ?? {});
  return {
    ...bootstrap,
    dcs: hideDeep(dcs),
    custom: custom === null ? null : { ...custom, words: hideWords(custom.words), recovery },
  };
}

function hideDeep(values: JsonObject): JsonObject {
  const entries = Object.entries(values).map(([name, value]): [string, Json] => {
    if (isJsonObject(value)) return [name, hideDeep(value)];
    return [name, SECRETIVE.test(name) ? HIDDEN : value];
  });
  return Object.fromEntries(entries);
}

/** `--password=x` and the like, as further keys of a method's section become. */
function hideWords(words: readonly string[]): readonly string[] {
  return words.map((word) => {
    return word.replace(
      /^(-[^=]*(?:password|passphrase|secret|token|key)[^=]*=).*/is,
      `$1${HIDDEN}`,
    );
  });
}

function hideLogin<T extends { readonly password: string }>(login: T | null): T | null {
  return login === null ? null : { ...login, password: HIDDEN };
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
