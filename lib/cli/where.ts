import type { JsonObject } from "../base/json.ts";
import { ConfigError } from "../base/errors.ts";

/** Where a command finds its cluster, as typed. */
export interface Where {
  /** Empty: the document in `PATRONI_CONFIGURATION`. */
  readonly configPath: string;
  /** False: nobody named the file, so it may be missing when `dcsUrl` says enough. */
  readonly isNamed: boolean;
  /** Name of the cluster; null: that of the file. */
  readonly scope: string | null;
  /** `etcd3://host:port/namespace` instead of the file's `etcd3`. */
  readonly dcsUrl: string | null;
  /** Take any certificate of members. */
  readonly insecure: boolean;
}

type Env = Readonly<Record<string, string>>;

/**
 * The environment under which a command reads its file. What the command line says lies over the file as variables; a
 * file that describes no member (a person's own, with the store and `ctl` only) gets what a member's file would need.
 * Throws `ConfigError`.
 */
export function environmentOf(values: JsonObject, env: Env, where: Where): Env {
  const given = {
    ...env,
    ...(where.scope === null ? {} : { PATRONI_SCOPE: where.scope }),
    ...(where.dcsUrl === null ? {} : storeOf(where.dcsUrl)),
    ...(where.insecure ? { PATRONI_CTL_INSECURE: "on" } : {}),
  };
  if (describesMember(values, env)) return given;
  if (isMissing(values["scope"]) && (given["PATRONI_SCOPE"] ?? "") === "") {
    const what =
      `Cannot tell which cluster: ${where.configPath} has no scope; add --cluster <name>`;
    throw new ConfigError(what, []);
  }
  return { ...PLACEHOLDERS, ...given };
}

/** Whether the file and the variables name a member. */
export function describesMember(values: JsonObject, env: Env): boolean {
  return [values["name"], values["postgresql"], env["PATRONI_NAME"]].some((one) => !isMissing(one));
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null;
}

/** Never used: a command of such a file asks others only. */
const PLACEHOLDERS = {
  PATRONI_NAME: "ctl",
  PATRONI_RESTAPI_LISTEN: "127.0.0.1:8008",
  PATRONI_RESTAPI_CONNECT_ADDRESS: "127.0.0.1:8008",
  PATRONI_POSTGRESQL_LISTEN: "127.0.0.1:5432",
  PATRONI_POSTGRESQL_CONNECT_ADDRESS: "127.0.0.1:5432",
  PATRONI_POSTGRESQL_DATA_DIR: "/nonexistent/data",
  PATRONI_SUPERUSER_USERNAME: "postgres",
  PATRONI_REPLICATION_USERNAME: "replicator",
};

const EXPECTED = "expected etcd3://host:port or etcd3://host:port/namespace";

function storeOf(text: string): Record<string, string> {
  const [, hosts, namespace] = /^etcd3:\/\/([^/?#@\s]+)(?:\/([^?#\s]*))?$/.exec(text.trim()) ?? [];
  if (hosts === undefined) {
    // The text is not repeated: somebody may have written a password into it.
    throw new ConfigError(`Cannot use --dcs-url: ${EXPECTED}`, []);
  }
  const path = (namespace ?? "").replace(/^\/+|\/+$/g, "");
  return { PATRONI_ETCD3_HOSTS: hosts, ...(path === "" ? {} : { PATRONI_NAMESPACE: path }) };
}
