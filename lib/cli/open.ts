import { systemClock } from "../base/clock.ts";
import { silentLog } from "../base/log.ts";
import { loadConfig, loadSource } from "../config/load.ts";
import { openClients } from "./access.ts";
import { clusterOf } from "./cluster_access.ts";
import type { CommandContext } from "./command.ts";
import type { Manner } from "./faces.ts";
import { readFirst } from "./first_source.ts";
import { operatorSql } from "./operator_sql.ts";
import type { Screen } from "./output.ts";
import { terminalPrompt } from "./prompt.ts";
import { httpRemote } from "./remote.ts";
import { ownApiUrl } from "./self.ts";
import { describesMember, environmentOf, type Where } from "./where.ts";
import { localWorkplace } from "./workplace.ts";

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
    cluster: clusterOf(config, scope, { fetch: store.fetch, output: face.output }),
    clusterNamed: (name) => clusterOf(config, name, { fetch: store.fetch, output: face.output }),
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

/** The recording of the member that the file describes. Throws `ConfigError`. */
export async function recordingOf(configPath: string, env: Env): Promise<string> {
  const { stateDir } = await loadConfig(configPath, env);
  return `${stateDir}/ticks.jsonl`;
}
