import { freePorts } from "../playground/processes.ts";

/** A listener that counts who comes and sends everybody away. */
export interface Door extends AsyncDisposable {
  readonly port: number;
  readonly visits: number;
}

/** Opens one on a free port of loopback. */
export function openDoor(): Door {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let visits = 0;
  const ended = (async () => {
    for await (const visitor of listener) {
      visits++;
      visitor.close();
    }
  })();
  return {
    port: listener.addr.port,
    get visits() {
      return visits;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      listener.close();
      await ended;
    },
  };
}

/** A configuration without faults for a member in `folder` whose store is at `storePort`; returns its path. */
export async function writeProbe(folder: string, storePort: number): Promise<string> {
  const [rest, pg] = freePorts(2);
  const path = `${folder}/patroni.yml`;
  const text = `scope: probe
name: probe
restapi: { listen: "127.0.0.1:${rest}", connect_address: "127.0.0.1:${rest}" }
etcd3: { hosts: ["127.0.0.1:${storePort}"] }
bootstrap: { dcs: { ttl: 20, loop_wait: 5, retry_timeout: 5 } }
postgresql:
  listen: 127.0.0.1:${pg}
  connect_address: 127.0.0.1:${pg}
  data_dir: ${folder}/data
  authentication:
    superuser: { username: postgres, password: probe }
    replication: { username: replicator, password: probe }
`;
  await Deno.writeTextFile(path, text, { mode: 0o600 });
  return path;
}
