import type { AgentConfig, Credentials } from "./agent_config.ts";

const HIDDEN = "********";

/** The configuration without passwords, for logs and REST. Programs' own settings may hold secrets too: they are left out by name. */
export function redact(config: AgentConfig): AgentConfig {
  const { restapi, etcd, postgresql, ctl } = config;
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
      parameters: hideCommands(postgresql.parameters),
      recoveryConf: hideCommands(postgresql.recoveryConf),
    },
    ctl: hideLogin(ctl),
  };
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
    [name, /command|conninfo|passphrase|password/i.test(name) ? HIDDEN : value] as const
  );
  return Object.fromEntries(entries);
}
