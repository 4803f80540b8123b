import { stringify } from "yaml";
import type { Json, JsonObject } from "../../lib/base/json.ts";
import { ConfigError } from "../../lib/base/errors.ts";
import { put } from "../../lib/config/environment.ts";
import { readConfig } from "../../lib/config/load.ts";
import type { AgentConfig } from "../../lib/config/agent_config.ts";

const SMALLEST: JsonObject = {
  scope: "demo",
  name: "a",
  restapi: { listen: "10.0.0.1:8008" },
  etcd3: { host: "10.0.0.9:2379" },
  postgresql: {
    listen: "10.0.0.1:5432",
    data_dir: "/data/a",
    authentication: { superuser: { username: "postgres" }, replication: { username: "repl" } },
  },
};

/** A value to put at a dotted place. */
export type Change = readonly [path: string, value: Json];

/** A file that holds what must be there, with values put at dotted places. */
export function file(...changes: readonly Change[]): string {
  const filled = changes.reduce(
    (values, [path, value]) => put(values, path.split("."), value),
    SMALLEST,
  );
  return stringify(filled, { version: "1.1" });
}

/** The configuration that such a file gives. */
export function configOf(...changes: readonly Change[]): AgentConfig {
  return readConfig("p.yml", file(...changes), {});
}

/** The error that reading `text` ends with. */
export function errorOf(text: string, env: Readonly<Record<string, string>> = {}): ConfigError {
  try {
    readConfig("p.yml", text, env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new TypeError("Cannot find the expected ConfigError: the file was accepted");
}

/** Dotted paths of the faults in a file with one value put in place. */
export function faultPaths(...changes: readonly Change[]): readonly string[] {
  return errorOf(file(...changes)).faults.map(({ path }) => path);
}
