import { systemClock } from "../base/clock.ts";
import type { HttpFetch } from "../base/http.ts";
import type { AgentConfig } from "../config/agent_config.ts";
import { EtcdDcs } from "../dcs/etcd/etcd_dcs.ts";
import type { ClusterAccess, CommandContext } from "./command.ts";
import { READ_MS } from "./look.ts";
import type { Output } from "./output.ts";

const ENDPOINT_MS = 2000;
const TELL_MS = 3000;

/** A cluster in the store of this configuration; a look that takes long is told to `output`. */
export function clusterOf(
  { namespace, etcd }: Pick<AgentConfig, "namespace" | "etcd">,
  scope: string,
  { fetch, output }: { readonly fetch: HttpFetch; readonly output: Output },
): ClusterAccess {
  const endpointMs = (): number => ENDPOINT_MS;
  const store = new EtcdDcs({ ...etcd, scope, namespace, endpointMs, clock: systemClock, fetch });
  return {
    scope,
    read: tellingSlow((signal) => store.read(signal), { output, clock: systemClock }),
    writeConfig: (config, revision, signal) => store.writeConfig(config, revision, signal),
    clearHandover: (revision, signal) => store.clearHandover(revision, signal),
    remove: (holder, signal) => store.removeCluster(holder, signal),
  };
}

/** The same look at the store; the first one that takes long is told on stderr while it waits, later ones are not. */
export function tellingSlow(
  read: ClusterAccess["read"],
  { output, clock }: Pick<CommandContext, "clock"> & { readonly output: Output },
): ClusterAccess["read"] {
  let isTold = false;
  const tell = async (signal: AbortSignal): Promise<void> => {
    await clock.sleep(TELL_MS, signal);
    if (signal.aborted || isTold) return;
    isTold = true;
    const [seconds, more] = [TELL_MS / 1000, (READ_MS - TELL_MS) / 1000];
    await output.err(`etcd: no answer within ${seconds} s, waiting ${more} s more\n`);
  };
  return async (signal) => {
    const over = new AbortController();
    const telling = tell(over.signal);
    try {
      return await read(signal);
    } finally {
      over.abort();
      await telling;
    }
  };
}
