import { ConfigError } from "../base/errors.ts";
import { type ConfigSource, readSource, sourceOf } from "../config/config_source.ts";
import type { Where } from "./where.ts";

type Env = Readonly<Record<string, string>>;

/**
 * The named file or folder, else the file in this folder, else the one of Patroni's tool in the user's folder; no file at
 * all when the command line says where the store is. Throws `ConfigError`.
 */
export async function readFirst(
  { configPath, isNamed, dcsUrl }: Where,
  env: Env,
): Promise<ConfigSource> {
  const home = env["XDG_CONFIG_HOME"] ?? `${env["HOME"] ?? ""}/.config`;
  const paths = isNamed ? [configPath] : [configPath, `${home}/patroni/patronictl.yaml`];
  for (const path of paths) {
    if (path === "" || await isThere(path)) return await readSource(path, env);
  }
  if (!isNamed && dcsUrl !== null) return sourceOf("the command line", [], env);
  const hint = "; name one with -c, or the store with -d etcd3://host:port";
  throw new ConfigError(`Cannot read ${configPath}: no such file${isNamed ? "" : hint}`, []);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return false;
    if (cause instanceof Deno.errors.PermissionDenied) return false; // HOME of who became another user
    if (!(cause instanceof Error)) throw cause;
    throw new ConfigError(`Cannot read ${path}: ${cause.message}`, [], { cause });
  }
}
