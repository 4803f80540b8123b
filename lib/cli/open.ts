import { systemClock } from "../base/clock.ts";
import { ConfigError } from "../base/errors.ts";
import type { AgentConfig } from "../config/agent_config.ts";
import { type ConfigSource, readSource, sourceOf } from "../config/config_source.ts";
import { loadConfig, loadSource } from "../config/load.ts";
import { EtcdDcs } from "../dcs/etcd/etcd_dcs.ts";
import type { ClusterAccess, CommandContext } from "./command.ts";
import type { Manner } from "./faces.ts";
import { operatorSql } from "./operator_sql.ts";
import type { Screen } from "./output.ts";
import { terminalPrompt } from "./prompt.ts";
import { httpRemote } from "./remote.ts";
import { describesMember, environmentOf, type Where } from "./where.ts";
import { localWorkplace } from "./workplace.ts";

const ENDPOINT_MS = 2000;

type Env = Readonly<Record<string, string>>;

/** Opens the cluster of a configuration file: its store, its members by REST and SQL. Throws `ConfigError`. */
export async function openCluster(
  where: Where,
  env: Env,
  face: { readonly output: Screen; readonly manner: Manner },
): Promise<CommandContext> {
  const source = await readFirst(where, env);
  const found = { ...where, configPath: source.name };
  const config = await loadSource({
    ...source,
    env: environmentOf(source.values, source.env, found),
  });
  const { scope, ctl, restapi, postgresql } = config;
  const isMember = describesMember(source.values, source.env);
  return {
    ...face.manner,
    cluster: clusterOf(config, scope),
    clusterNamed: (name) => clusterOf(config, name),
    remote: httpRemote(ctl),
    sql: operatorSql({
      superuser: postgresql.authentication.superuser,
      database: postgresql.database,
      env,
    }),
    workplace: localWorkplace(env),
    ownApiUrl: isMember ? `http://${restapi.connectAddress}` : null,
    output: face.output,
    prompt: terminalPrompt(face.output),
    clock: systemClock,
  };
}

function clusterOf({ namespace, etcd }: AgentConfig, scope: string): ClusterAccess {
  const endpointMs = (): number => ENDPOINT_MS;
  const store = new EtcdDcs({ ...etcd, scope, namespace, endpointMs, clock: systemClock });
  return {
    scope,
    read: (signal) => store.read(signal),
    writeConfig: (config, revision, signal) => store.writeConfig(config, revision, signal),
    clearHandover: (revision, signal) => store.clearHandover(revision, signal),
    remove: (holder, signal) => store.removeCluster(holder, signal),
  };
}

/**
 * The named file or folder, else the file in this folder, else the one of Patroni's tool in the user's folder; no file at
 * all when the command line says where the store is.
 */
async function readFirst({ configPath, isNamed, dcsUrl }: Where, env: Env): Promise<ConfigSource> {
  const home = env["XDG_CONFIG_HOME"] ?? `${env["HOME"] ?? ""}/.config`;
  const paths = isNamed ? [configPath] : [configPath, `${home}/patroni/patronictl.yaml`];
  for (const path of paths) {
    if (path === "" || await isThere(path)) return await readSource(path, env);
  }
  if (!isNamed && dcsUrl !== null) return sourceOf("the command line", [], env);
  const hint = "name one with -c, or the store with -d etcd3://host:port";
  throw new ConfigError(`Cannot read ${configPath}: no such file; ${hint}`, []);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return false;
    if (!(cause instanceof Error)) throw cause;
    throw new ConfigError(`Cannot read ${path}: ${cause.message}`, [], { cause });
  }
}

/** The recording of the member that the file describes. Throws `ConfigError`. */
export async function recordingOf(configPath: string, env: Env): Promise<string> {
  const { stateDir } = await loadConfig(configPath, env);
  return `${stateDir}/ticks.jsonl`;
}
