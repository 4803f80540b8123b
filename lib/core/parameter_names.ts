/** Settings of PostgreSQL that the agent sets itself (spec 1.6.3). */
export const OWN_PARAMETERS: readonly string[] = [
  "listen_addresses",
  "port",
  "cluster_name",
  "hot_standby",
];

/** A setting of PostgreSQL that members must agree in. */
export interface ControlledParameter {
  readonly name: string;
  /** What is in force without a value, or with one that is not valid. */
  readonly fallback: string;
  readonly isValid: (value: string) => boolean;
}

const atLeast = (minimum: number) => (value: string): boolean =>
  /^\d+$/.test(value) && Number(value) >= minimum;
const isBoolean = (value: string): boolean =>
  /^(on|off|true|false|yes|no|1|0)$/.test(value.toLowerCase());
const isLevel = (value: string): boolean => /^(hot_standby|replica|logical)$/.test(value);

/** Taken from the cluster's settings only, and given to the postmaster on its command line (spec 1.6.3). */
export const CONTROLLED_PARAMETERS: readonly ControlledParameter[] = [
  { name: "max_connections", fallback: "100", isValid: atLeast(25) },
  { name: "max_locks_per_transaction", fallback: "64", isValid: atLeast(32) },
  { name: "max_worker_processes", fallback: "8", isValid: atLeast(2) },
  { name: "max_prepared_transactions", fallback: "0", isValid: atLeast(0) },
  { name: "max_wal_senders", fallback: "10", isValid: atLeast(3) },
  { name: "max_replication_slots", fallback: "10", isValid: atLeast(4) },
  { name: "wal_level", fallback: "replica", isValid: isLevel },
  { name: "track_commit_timestamp", fallback: "off", isValid: isBoolean },
  { name: "wal_log_hints", fallback: "on", isValid: isBoolean },
];

/** Settings of PostgreSQL that must be equal on all members: only the cluster's settings count (spec 1.6.3). */
export const CLUSTER_WIDE_PARAMETERS: readonly string[] = [
  ...CONTROLLED_PARAMETERS.map(({ name }) => name),
  "wal_keep_segments",
  "wal_keep_size",
];
