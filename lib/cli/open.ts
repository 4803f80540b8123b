import { systemClock } from "../base/clock.ts";
import type { HttpFetch } from "../base/http.ts";
import { silentLog } from "../base/log.ts";
import type { AgentConfig } from "../config/agent_config.ts";
import { loadConfig, loadSource } from "../config/load.ts";
import { EtcdDcs } from "../dcs/etcd/etcd_dcs.ts";
import { openClients } from "./access.ts";
import type { ClusterAccess, CommandContext } from "./command.ts";
import type { Manner } from "./faces.ts";
import { readFirst } from "./first_source.ts";
import { operatorSql } from "./operator_sql.ts";
import type { Screen } from "./output.ts";
import { terminalPrompt } from "./prompt.ts";
import { httpRemote } from "./remote.ts";
import { ownApiUrl } from "./self.ts";
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
  const { scope, ctl, postgresql } = config;
  const isMember = describesMember(source.values, source.env);
  const { store, members } = await openClients(config, silentLog);
  return {
    ...face.manner,
    cluster: clusterOf(config, scope, store.fetch),
    clusterNamed: (name) => clusterOf(config, name, store.fetch),
    remote: httpRemote(ctl, members.call),
    sql: operatorSql({
      superuser: postgresql.authentication.superuser,
      database: postgresql.database,
      env,
    }),
    workplace: localWorkplace(env),
    ownApiUrl: isMember ? ownApiUrl(config) : null,
    output: face.output,
    prompt: terminalPrompt(face.output),
    clock: systemClock,
  };
}

function clusterOf(
  { namespace, etcd }: AgentConfig,
  scope: string,
  fetch: HttpFetch,
): ClusterAccess {
  const endpointMs = (): number => ENDPOINT_MS;
  const store = new EtcdDcs({ ...etcd, scope, namespace, endpointMs, clock: systemClock, fetch });
  return {
    scope,
    read: (signal) => store.read(signal),
    writeConfig: (config, revision, signal) => store.writeConfig(config, revision, signal),
    clearHandover: (revision, signal) => store.clearHandover(revision, signal),
    remove: (holder, signal) => store.removeCluster(holder, signal),
  };
}

/** The recording of the member that the file describes. Throws `ConfigError`. */
export async function recordingOf(configPath: string, env: Env): Promise<string> {
  const { stateDir } = await loadConfig(configPath, env);
  return `${stateDir}/ticks.jsonl`;
}
