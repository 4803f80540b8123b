import type { Json, JsonObject } from "../base/json.ts";
import { isJsonObject } from "../base/json.ts";
import { nearest } from "../base/nearest.ts";
import { CONTROLLED_PARAMETERS, OWN_PARAMETERS } from "./parameter_names.ts";
import { SERVER_ROLES } from "./role_content.ts";
import { isActiveStandby } from "./standby_section.ts";
import type { Warn } from "./settings_values.ts";
import { readInteger, readSwitch, textMap } from "./settings_values.ts";

const READ = [
  "ttl",
  "loop_wait",
  "retry_timeout",
  "maximum_lag_on_failover",
  "check_timeline",
  "max_timelines_history",
  "primary_start_timeout",
  "master_start_timeout",
  "primary_stop_timeout",
  "master_stop_timeout",
  "member_slots_ttl",
  "ignore_slots",
  "pause",
  "failsafe_mode",
  "postgresql",
] as const;

/** Of no effect while synchronous mode is off; that mode itself is reported as unsupported. */
const ONLY_WITH_SYNC = [
  "maximum_lag_on_syncnode",
  "synchronous_node_count",
] as const;

const SLOT_KEYS = ["permanent_replication_slots", "permanent_slots", "slots"] as const;

/** What makes the agent refuse to lead when it is switched on, because ignoring it would break a promise. */
const UNSUPPORTED: Readonly<Record<string, (value: Json) => boolean>> = {
  synchronous_mode: (value) => readSwitch(value) || isText(value, "quorum"),
  synchronous_mode_strict: readSwitch,
  standby_cluster: isActiveStandby,
  permanent_replication_slots: isFilled,
  permanent_slots: isFilled,
  slots: isFilled,
};

/** A program that may refuse a promotion, such as a fence: each member reads its own from its file alone. */
const PRE_PROMOTE = "postgresql.pre_promote in etcd";

const BY_ROLE = ["parameters", "pg_hba", "pg_ident"] as const;

const POSTGRESQL_READ: readonly string[] = [
  ...BY_ROLE,
  ...SERVER_ROLES.flatMap((role) => BY_ROLE.map((key) => `${key}_${role}`)),
  "recovery_conf",
  "use_slots",
  "use_pg_rewind",
];

/** Settings that are switched on and not implemented, by key, sorted; empty means that this node may lead. */
export function unsupportedKeys(raw: JsonObject): readonly string[] {
  const keys = Object.entries(UNSUPPORTED)
    .filter(([key, isOn]) => isOn(raw[key] ?? null))
    .map(([key]) => key);
  const slots = SLOT_KEYS.filter((key) => keys.includes(key)).slice(1);
  const others = keys.filter((key) => !slots.some((other) => other === key));
  return [...others, ...(hasPrePromote(raw) ? [PRE_PROMOTE] : [])].sort();
}

/** One warning for each key that has no effect here. */
export function warnOfIgnoredKeys(raw: JsonObject, warn: Warn): void {
  const known: readonly string[] = [...READ, ...ONLY_WITH_SYNC, ...Object.keys(UNSUPPORTED)];
  for (const [key, value] of Object.entries(raw)) {
    if (key === "primary_race_backoff") {
      if ((readInteger(value) ?? 1) > 0) warn(`${key} is ignored: this version has no such pause`);
    } else if (!known.includes(key)) {
      warn(`${key} is ignored: the key is unknown${hint(key, known)}`);
    }
  }
  const server = raw["postgresql"] ?? null;
  if (!isJsonObject(server)) return;
  warnOfIgnoredServerKeys(server, warn);
  warnOfParameters(server["parameters"], warn);
}

function warnOfIgnoredServerKeys(server: JsonObject, warn: Warn): void {
  for (const key of Object.keys(server)) {
    if (POSTGRESQL_READ.includes(key)) continue;
    if (BY_ROLE.some((name) => key === `${name}_standby_leader`)) {
      warn(`postgresql.${key} is ignored: there is no standby leader without standby_cluster`);
      continue;
    }
    const near = hint(key, POSTGRESQL_READ);
    const why = near === "" ? "the agent reads it from the local file only" : "the key is unknown";
    warn(`postgresql.${key} is ignored: ${why}${near}`);
  }
}

function hint(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  return near === null ? "" : `; did you mean ${near}?`;
}

/** Parameters that the agent gives the server in another way or with another value than is written here. */
function warnOfParameters(given: Json | undefined, warn: Warn): void {
  const texts = textMap({ key: "", value: given }, () => {});
  for (const [name, value] of Object.entries(texts)) {
    const key = name.toLowerCase();
    const isSaid = key === "hot_standby" && readSwitch(value); // as in many files of Patroni
    if (OWN_PARAMETERS.includes(key) && !isSaid) {
      warn(`postgresql.parameters.${name} is ignored: the agent sets it itself`);
    }
    const one = CONTROLLED_PARAMETERS.find((one) => one.name === key);
    if (one === undefined || one.isValid(value)) continue;
    warn(
      `postgresql.parameters.${name} is ${one.fallback}: ${JSON.stringify(value)} cannot be used`,
    );
  }
}

function hasPrePromote({ postgresql }: JsonObject): boolean {
  const program = isJsonObject(postgresql) ? postgresql["pre_promote"] : null;
  return typeof program === "string" && program !== "";
}

function isText(value: Json, text: string): boolean {
  return typeof value === "string" && value.toLowerCase() === text;
}

function isFilled(value: Json): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return isJsonObject(value) && Object.keys(value).length > 0;
}
