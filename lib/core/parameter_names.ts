/** Settings of PostgreSQL that the agent sets itself (spec 1.6.3). */
export const OWN_PARAMETERS: readonly string[] = [
  "listen_addresses",
  "port",
  "cluster_name",
  "hot_standby",
];

/** Settings of PostgreSQL that must be equal on all members: only the cluster's settings count (spec 1.6.3). */
export const CLUSTER_WIDE_PARAMETERS: readonly string[] = [
  "max_connections",
  "max_locks_per_transaction",
  "max_worker_processes",
  "max_prepared_transactions",
  "wal_level",
  "track_commit_timestamp",
  "max_wal_senders",
  "max_replication_slots",
  "wal_keep_segments",
  "wal_keep_size",
  "wal_log_hints",
];
