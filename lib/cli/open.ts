import { systemClock } from "../base/clock.ts";
import { loadConfig } from "../config/load.ts";
import { EtcdDcs } from "../dcs/etcd/etcd_dcs.ts";
import type { CommandContext } from "./command.ts";
import type { Manner } from "./faces.ts";
import type { Output } from "./output.ts";
import { terminalPrompt } from "./prompt.ts";
import { httpRemote } from "./remote.ts";

const ENDPOINT_MS = 2000;

type Env = Readonly<Record<string, string>>;

/** Opens the cluster of a configuration file: its store for reading, its members by REST. Throws `ConfigError`. */
export async function openCluster(
  configPath: string,
  env: Env,
  face: { readonly output: Output; readonly manner: Manner },
): Promise<CommandContext> {
  const { scope, namespace, etcd, ctl, restapi } = await loadConfig(configPath, env);
  const clock = systemClock;
  const store = new EtcdDcs({ ...etcd, scope, namespace, endpointMs: () => ENDPOINT_MS, clock });
  return {
    ...face.manner,
    cluster: { scope, read: (signal) => store.read(signal) },
    remote: httpRemote(ctl),
    ownApiUrl: `http://${restapi.connectAddress}`,
    output: face.output,
    prompt: terminalPrompt(face.output),
    clock,
  };
}

/** The recording of the member that the file describes. Throws `ConfigError`. */
export async function recordingOf(configPath: string, env: Env): Promise<string> {
  const { stateDir } = await loadConfig(configPath, env);
  return `${stateDir}/ticks.jsonl`;
}
