import { systemClock } from "../base/clock.ts";
import { silentLog } from "../base/log.ts";
import { loadConfig } from "../config/load.ts";
import { openClients } from "./access.ts";
import { openStore } from "./adapters.ts";
import type { CommandContext } from "./command.ts";
import type { Manner } from "./faces.ts";
import type { Output } from "./output.ts";
import { terminalPrompt } from "./prompt.ts";
import { httpRemote } from "./remote.ts";
import { ownApiUrl } from "./self.ts";

const ENDPOINT_MS = 2000;

type Env = Readonly<Record<string, string>>;

/** Opens the cluster of a configuration file: its store for reading, its members by REST. Throws `ConfigError`. */
export async function openCluster(
  configPath: string,
  env: Env,
  face: { readonly output: Output; readonly manner: Manner },
): Promise<CommandContext> {
  const config = await loadConfig(configPath, env);
  const { scope, ctl } = config;
  const clients = await openClients(config, silentLog);
  const store = openStore(config, clients, () => ENDPOINT_MS);
  return {
    ...face.manner,
    cluster: { scope, read: (signal) => store.read(signal) },
    remote: httpRemote(ctl, clients.members.fetch),
    ownApiUrl: ownApiUrl(config),
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
