import * as v from "valibot";
import { key, type KeyStatus } from "./key_notes.ts";

/**
 * `bootstrap.dcs`: the cluster's first settings. Only the names are known here; the values are judged where the
 * settings are decoded for every tick, so that file and `/config` follow one rule.
 */
const NAMES: Readonly<Record<string, string>> = {
  ttl: "lease of the leader in seconds",
  loop_wait: "pause between two looks in seconds",
  retry_timeout: "budget of one operation with its retries in seconds",
  primary_race_backoff: "pause before the race in seconds; this version has none",
  maximum_lag_on_failover: "bytes a candidate may be behind",
  maximum_lag_on_syncnode:
    "bytes a synchronous standby may be behind; counts in synchronous mode only",
  check_timeline: "whether a candidate must be on the newest timeline",
  max_timelines_history: "lines of history kept",
  primary_start_timeout: "seconds a crashed primary may take to come back",
  master_start_timeout: "older name of primary_start_timeout",
  primary_stop_timeout: "seconds a primary may take to stop; counts in synchronous mode only",
  master_stop_timeout: "older name of primary_stop_timeout",
  synchronous_mode: "synchronous replication",
  synchronous_mode_strict: "no writes without a synchronous standby",
  synchronous_node_count: "number of synchronous standbys; counts in synchronous mode only",
  failsafe_mode: "a leader without the store goes on if all members agree",
  pause: "maintenance mode",
  standby_cluster: "follow another cluster",
  slots: "permanent replication slots",
  permanent_slots: "older name of slots",
  permanent_replication_slots: "older name of slots",
  ignore_slots: "slots that are never dropped, each by name, type, database, plugin",
  member_slots_ttl: "seconds that a vanished member's slot is kept",
  postgresql: "settings of PostgreSQL for the whole cluster",
};

/** Switched on they leave a cluster without a leader; which values do that is decided with the settings. */
const BARS: readonly string[] = [
  "synchronous_mode",
  "synchronous_mode_strict",
  "standby_cluster",
  "slots",
  "permanent_slots",
  "permanent_replication_slots",
];

type Known = ReturnType<typeof key<v.OptionalSchema<v.UnknownSchema, undefined>>>;

function known(): Readonly<Record<string, Known>> {
  const entries = Object.entries(NAMES).map(([name, meaning]) =>
    [name, key(v.optional(v.unknown()), meaning, { status: statusOf(name) })] as const
  );
  return Object.fromEntries(entries);
}

function statusOf(name: string): KeyStatus {
  if (BARS.includes(name)) return "unsupported";
  return name === "primary_race_backoff" ? "not-yet" : "used";
}

/** The schema of `bootstrap.dcs`. */
export const dynamicSchema = v.optional(v.looseObject(known(), "a mapping"), {});
