import { isJsonObject, type Json, type JsonObject } from "../../lib/base/json.ts";
import { secureOverlay, type SecureSite } from "./secure.ts";
import type { Site } from "./site.ts";

/** Where one member of a playground cluster lives. */
export interface MemberPlan {
  readonly scope: string;
  readonly name: string;
  /** What runs it: ours, or the Patroni of the distribution. */
  readonly program: "agent" | "patroni";
  /** Holds everything of this member. */
  readonly folder: string;
  readonly site: Site;
  readonly pgPort: number;
  readonly restPort: number;
  /** `http://host:port` each. */
  readonly etcd: readonly string[];
  /** Initial content of the cluster's settings. */
  readonly dcs: JsonObject;
  /** null: everything is in plain text. */
  readonly secure: SecureSite | null;
  /** Merged over the file, key by key. */
  readonly overrides: JsonObject;
}

/** Passwords of a playground: known to everybody who can read this file. */
export const PASSWORDS = { superuser: "super-pw", replication: "repl-pw", rewind: "rewind-pw" };

/** Everybody on the member's own network; on loopback, this host. */
const HBA: readonly string[] = [
  "local all all scram-sha-256",
  "host replication all samenet scram-sha-256",
  "host all all samenet scram-sha-256",
];

/** The member's `patroni.yml`, as JSON (which is YAML). */
export function memberFile(plan: MemberPlan): string {
  const { secure, overrides } = plan;
  const base = baseFile(plan);
  const file = secure === null ? base : merged(base, secureOverlay(secure, plan.site.host));
  return JSON.stringify(merged(file, overrides), null, 2) + "\n";
}

function baseFile(plan: MemberPlan): JsonObject {
  return {
    scope: plan.scope,
    name: plan.name,
    restapi: address(plan.site, plan.restPort),
    watchdog: { mode: "off" }, // a resetting host is no part of a playground
    etcd3: { hosts: plan.etcd.map((url) => new URL(url).host) },
    bootstrap: {
      dcs: plan.dcs,
      initdb: [{ encoding: "UTF8" }, { locale: "C" }, "data-checksums"],
    },
    postgresql: {
      ...address(plan.site, plan.pgPort),
      data_dir: `${plan.folder}/data`,
      bin_dir: postgresBin(),
      pgpass: `${plan.folder}/pgpass`,
      authentication: {
        superuser: { username: "postgres", password: PASSWORDS.superuser },
        replication: { username: "replicator", password: PASSWORDS.replication },
        rewind: { username: "rewinder", password: PASSWORDS.rewind },
      },
      parameters: {
        unix_socket_directories: plan.folder,
        logging_collector: "on",
        log_directory: `${plan.folder}/log`,
        log_filename: "postgres.log",
        shared_buffers: "16MB",
        fsync: "off", // processes die here, hosts do not
      },
      pg_hba: HBA,
    },
  };
}

function address({ host }: Site, port: number): JsonObject {
  return { listen: `${host}:${port}`, connect_address: `${host}:${port}` };
}

function merged(base: JsonObject, over: JsonObject): JsonObject {
  const pairs = Object.entries(over).map(([key, value]): [string, Json] => {
    const below = base[key];
    return [key, isJsonObject(below) && isJsonObject(value) ? merged(below, value) : value];
  });
  return { ...base, ...Object.fromEntries(pairs) };
}

/** Folder with the programs of the newest installed PostgreSQL; "" means PATH. */
export function postgresBin(): string {
  const root = "/usr/lib/postgresql";
  try {
    const versions = Array.from(Deno.readDirSync(root), ({ name }) => Number(name));
    const newest = versions.filter(Number.isFinite).sort((a, b) => b - a)[0];
    return newest === undefined ? "" : `${root}/${newest}/bin`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
