import type { JsonObject } from "../base/json.ts";
import { isJsonObject } from "../base/json.ts";
import type { SlotMatcher } from "./ignored_slots.ts";
import { readIgnoredSlots } from "./ignored_slots.ts";
import type { ContentByRole } from "./role_content.ts";
import { readByRole } from "./role_content.ts";
import { unsupportedKeys, warnOfIgnoredKeys } from "./settings_keys.ts";
import { readTiming } from "./settings_timing.ts";
import { countOr, linesOrNull, secondsOr, switchOr, textMap } from "./settings_values.ts";
import type { RawSetting, Warn } from "./settings_values.ts";

/** Cluster-wide settings in force: the `config` key with defaults, limits and the timing rule applied. */
export interface Settings {
  /** Leader lease in seconds. */
  readonly ttlS: number;
  /** Pause between ticks in seconds. */
  readonly loopWaitS: number;
  /** Budget of one store or server operation with its retries, in seconds. */
  readonly retryTimeoutS: number;
  /** Bytes a candidate may be behind the last published leader position. */
  readonly maximumLagOnFailover: number;
  /** Refuse to lead from an older timeline than the cluster's; true unless switched off. */
  readonly checkTimeline: boolean;
  /** Newest lines kept in `history`; 0 keeps all. */
  readonly maxTimelinesHistory: number;
  /** Seconds that a crashed primary may take to come back before the lock is given up. */
  readonly primaryStartTimeoutS: number;
  /** Seconds after which the stop of a primary turns harsher; 0: never. Of effect in synchronous mode only. */
  readonly primaryStopTimeoutS: number;
  /** Seconds that the slot of a vanished member is kept. */
  readonly memberSlotsTtlS: number;
  readonly useSlots: boolean;
  /** Slots that are never dropped; absent: none. */
  readonly ignoreSlots?: readonly SlotMatcher[];
  /** Maintenance mode: the agents start, stop, promote and demote nothing by themselves. */
  readonly paused: boolean;
  /** A leader without the store goes on as long as all other members of `/failsafe` consent. */
  readonly failsafeMode: boolean;
  /** `postgresql.use_pg_rewind`; absent: not given. */
  readonly usePgRewind?: boolean;
  /** `postgresql.parameters` of the cluster, values as text. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly pgHba: readonly string[] | null;
  readonly pgIdent: readonly string[] | null;
  readonly recoveryConf: Readonly<Record<string, string>>;
  /** What the server's files hold in one role only; absent: nothing. */
  readonly byRole?: ContentByRole;
  /** Settings that are switched on but not implemented here: a node must not lead while there is one. */
  readonly unsupported: readonly string[];
  /** What was adjusted or ignored, one sentence each, for log and status. */
  readonly warnings: readonly string[];
}

/** What holds in a cluster without a `config` key: Patroni's defaults, but `check_timeline` is on. */
export const defaultSettings: Settings = {
  ttlS: 30,
  loopWaitS: 10,
  retryTimeoutS: 10,
  maximumLagOnFailover: 1048576,
  checkTimeline: true,
  maxTimelinesHistory: 0,
  primaryStartTimeoutS: 300,
  primaryStopTimeoutS: 0,
  memberSlotsTtlS: 1800,
  useSlots: true,
  paused: false,
  failsafeMode: false,
  parameters: {},
  pgHba: null,
  pgIdent: null,
  recoveryConf: {},
  unsupported: [],
  warnings: [],
};

/**
 * Reads the content of the `config` key (spec 1.11). A fault means that ttl, loop_wait or retry_timeout is no whole
 * number: the caller keeps the settings it had. Everything else falls back to its default, with a warning.
 */
export function decodeSettings(
  raw: JsonObject,
): { readonly settings: Settings } | { readonly fault: string } {
  const warnings: string[] = [];
  const warn: Warn = (sentence) => void warnings.push(sentence);
  const timing = readTiming(raw, warn);
  if ("fault" in timing) return timing;
  const limits = readLimits(raw, warn);
  const server = readServer(raw, warn);
  const modes = readModes(raw, warn);
  const ignoreSlots = readIgnoredSlots(raw["ignore_slots"], warn);
  const slots = ignoreSlots.length === 0 ? {} : { ignoreSlots };
  const unsupported = unsupportedKeys(raw);
  warnOfIgnoredKeys(raw, warn);
  return {
    settings: { ...timing, ...limits, ...server, ...modes, ...slots, unsupported, warnings },
  };
}

/** The modes that a `config` key asks for; they count also where the rest cannot be used (spec 1.11). */
export function readModes(
  raw: JsonObject,
  warn: Warn = () => {},
): Pick<Settings, "paused" | "failsafeMode"> {
  const { paused, failsafeMode } = defaultSettings;
  return {
    paused: switchOr({ key: "pause", value: raw["pause"] }, paused, warn),
    failsafeMode: switchOr(
      { key: "failsafe_mode", value: raw["failsafe_mode"] },
      failsafeMode,
      warn,
    ),
  };
}

type Limits = Pick<
  Settings,
  | "maximumLagOnFailover"
  | "checkTimeline"
  | "maxTimelinesHistory"
  | "primaryStartTimeoutS"
  | "primaryStopTimeoutS"
  | "memberSlotsTtlS"
>;

function readLimits(raw: JsonObject, warn: Warn): Limits {
  const at = (key: string): RawSetting => ({ key, value: raw[key] });
  const start = raw["primary_start_timeout"] === undefined ? "master_start_timeout" : null;
  const { maximumLagOnFailover, maxTimelinesHistory, memberSlotsTtlS } = defaultSettings;
  const stop = raw["primary_stop_timeout"] === undefined ? "master_stop_timeout" : null;
  const { checkTimeline, primaryStartTimeoutS, primaryStopTimeoutS } = defaultSettings;
  return {
    maximumLagOnFailover: countOr(at("maximum_lag_on_failover"), maximumLagOnFailover, warn),
    checkTimeline: switchOr(at("check_timeline"), checkTimeline, warn),
    maxTimelinesHistory: countOr(at("max_timelines_history"), maxTimelinesHistory, warn),
    primaryStartTimeoutS: secondsOr(
      at(start ?? "primary_start_timeout"),
      primaryStartTimeoutS,
      warn,
    ),
    primaryStopTimeoutS: secondsOr(at(stop ?? "primary_stop_timeout"), primaryStopTimeoutS, warn),
    memberSlotsTtlS: secondsOr(at("member_slots_ttl"), memberSlotsTtlS, warn),
  };
}

type ServerSettings = Pick<
  Settings,
  "useSlots" | "parameters" | "pgHba" | "pgIdent" | "recoveryConf" | "byRole" | "usePgRewind"
>;

function readServer(raw: JsonObject, warn: Warn): ServerSettings {
  const section = raw["postgresql"] ?? {};
  if (!isJsonObject(section)) warn("postgresql is ignored: it is no mapping");
  const server = isJsonObject(section) ? section : {};
  const at = (key: string): RawSetting => {
    return { key: `postgresql.${key}`, value: server[key] };
  };
  const byRole = readByRole(server, warn);
  const rewind = at("use_pg_rewind");
  const isGiven = rewind.value !== undefined && rewind.value !== null;
  return {
    ...(byRole === null ? {} : { byRole }),
    ...(isGiven ? { usePgRewind: switchOr(rewind, false, warn) } : {}),
    useSlots: switchOr(at("use_slots"), defaultSettings.useSlots, warn),
    parameters: textMap(at("parameters"), warn),
    pgHba: linesOrNull(at("pg_hba"), warn),
    pgIdent: linesOrNull(at("pg_ident"), warn),
    recoveryConf: textMap(at("recovery_conf"), warn),
  };
}
