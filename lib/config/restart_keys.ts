import type { AgentConfig } from "./agent_config.ts";

type Read = (config: AgentConfig, now: AgentConfig) => unknown;

/** Parts of the record that a running agent cannot change, by their keys in the file. */
const BY_RESTART: Readonly<Record<string, Read>> = {
  scope: ({ scope }) => scope,
  namespace: ({ namespace }) => namespace,
  name: ({ name }) => name,
  // Certificates, name and password are read again.
  etcd3: ({ etcd }) => ({ ...etcd, tls: null, username: null, password: null }),
  // A login is changed while the agent runs, and never dropped: etcd may still ask for one.
  "etcd3.username": ({ etcd }, now) => etcd.username === null && now.etcd.username !== null,
  watchdog: ({ watchdog }) => watchdog,
  "postgresql.listen": ({ postgresql }) => postgresql.listen,
  "postgresql.data_dir": ({ postgresql }) => postgresql.dataDir,
  "postgresql.config_dir": ({ postgresql }) => postgresql.configDir,
  "postgresql.config_base_name": ({ postgresql }) => postgresql.configBaseName,
  "postgresql.bin_dir": ({ postgresql }) => postgresql.binDir,
  "postgresql.bin_name": ({ postgresql }) => postgresql.binName,
  "postgresql.pgpass": ({ postgresql }) => postgresql.pgpass,
  "postgresql.database": ({ postgresql }) => postgresql.database,
  "postgresql.use_unix_socket": ({ postgresql }) => postgresql.useUnixSocket,
  "postgresql.use_unix_socket_repl": ({ postgresql }) => postgresql.useUnixSocketRepl,
  AGENT_STATE_DIR: ({ stateDir }) => stateDir,
};

/** Keys that differ and count only after a restart of the agent, in the order of the file, with commas between. */
export function restartKeys(now: AgentConfig, next: AgentConfig): string {
  const text = (value: unknown): string => JSON.stringify(value) ?? "";
  return Object.entries(BY_RESTART)
    .filter(([, read]) => text(read(now, now)) !== text(read(next, now)))
    .map(([key]) => key)
    .join(", ");
}
