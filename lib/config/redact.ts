import type { AgentConfig, Credentials } from "./agent_config.ts";
import type { PemFiles } from "./pem_files.ts";

const HIDDEN = "********";

/** The configuration without passwords, for logs and REST. Programs' own settings may hold secrets too: they are left out by name. */
export function redact(config: AgentConfig): AgentConfig {
  const { restapi, etcd, postgresql, ctl, ctlTls } = config;
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
      parameters: hideCommands(postgresql.parameters),
      recoveryConf: hideCommands(postgresql.recoveryConf),
    },
    ctl: hideLogin(ctl),
    ctlTls: hideKey(ctlTls),
  };
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
    [name, /command|conninfo|passphrase|password/i.test(name) ? HIDDEN : value] as const
  );
  return Object.fromEntries(entries);
}
