import { parseBytes, parseSeconds } from "../base/units.ts";
import {
  CLUSTER_WIDE_PARAMETERS,
  CONTROLLED_PARAMETERS,
  OWN_PARAMETERS,
} from "../core/parameter_names.ts";
import type { SettingChanges } from "../core/setting_changes.ts";
import type { Settings } from "../core/settings.ts";
import type { PostgresOptions } from "./options.ts";

/** A standby refuses to start with less than its source had (PostgreSQL docs, "Hot Standby"). */
const RAISED_ON_STANDBY = [
  "max_connections",
  "max_worker_processes",
  "max_wal_senders",
  "max_prepared_transactions",
  "max_locks_per_transaction",
] as const;

const SEGMENT_MB = 16;

/** What the postmaster gets on its command line, so that ALTER SYSTEM cannot change it. */
export function controlledSettings(
  options: Pick<PostgresOptions, "listen" | "scope">,
  settings: Settings,
): Readonly<Record<string, string>> {
  const wanted = lowerCaseNames(settings.parameters);
  const found: Record<string, string> = {
    listen_addresses: options.listen.hosts.join(","),
    port: String(options.listen.port),
    cluster_name: options.scope,
    hot_standby: "on",
  };
  for (const { name, fallback, isValid } of CONTROLLED_PARAMETERS) {
    const value = wanted[name] ?? fallback;
    found[name] = isValid(value) ? value.replace(/^hot_standby$/, "replica") : fallback;
  }
  return found;
}

/** The same for a standby: shared-memory settings not below those its data was written with. */
export function raisedForStandby(
  controlled: Readonly<Record<string, string>>,
  written: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const raised: Record<string, string> = { ...controlled };
  for (const name of RAISED_ON_STANDBY) {
    const least = Number(written[name] ?? 0);
    if (Number(raised[name]) < least) raised[name] = String(least);
  }
  return raised;
}

/** `--name=value` words for the postmaster. */
export function commandLineWords(
  controlled: Readonly<Record<string, string>>,
): readonly string[] {
  return Object.entries(controlled).map(([name, value]) => `--${name}=${value}`);
}

/** The parameters of the configuration file: cluster, then local ones over them, without controlled settings. */
export function fileParameters(
  settings: Settings,
  local: Readonly<Record<string, string>>,
  majorVersion: number,
): Readonly<Record<string, string>> {
  const cluster = lowerCaseNames(settings.parameters);
  const merged = { ...cluster, ...lowerCaseNames(local) };
  const fixed = [...OWN_PARAMETERS, ...CLUSTER_WIDE_PARAMETERS];
  const kept = Object.entries(merged).filter(([name]) => !fixed.includes(name));
  return { ...Object.fromEntries(kept), ...walKeep(cluster, majorVersion) };
}

function walKeep(
  cluster: Readonly<Record<string, string>>,
  majorVersion: number,
): Readonly<Record<string, string>> {
  const size = megabytes(cluster["wal_keep_size"]) ??
    (Number(cluster["wal_keep_segments"] ?? 8) * SEGMENT_MB || 8 * SEGMENT_MB);
  if (majorVersion >= 13) return { wal_keep_size: `${Math.max(size, SEGMENT_MB)}MB` };
  return { wal_keep_segments: String(Math.max(1, Math.ceil(size / SEGMENT_MB))) };
}

/** A number without a unit counts megabytes, as in wal_keep_size. */
function megabytes(value: string | undefined): number | null {
  if (value === undefined) return null;
  if (/^\d+$/.test(value)) return Number(value);
  const bytes = parseBytes(value);
  return bytes === null ? null : Math.floor(bytes / 1024 ** 2);
}

/** A row of pg_settings: the value in `unit`s, as the server runs with it. */
export interface RunningSetting {
  readonly name: string;
  readonly setting: string;
  /** `8kB`, `MB`, `ms`, `min` and so on. */
  readonly unit: string | null;
  /** `bool`, `integer`, `real`, `string`, `enum`. */
  readonly vartype: string;
}

/** True when the server already runs with the wanted value, whatever unit or spelling it is written in. */
export function isSameSetting(running: RunningSetting, wanted: string): boolean {
  const text = wanted.trim().toLowerCase();
  switch (running.vartype) {
    case "bool":
      return /^(on|true|yes|1|t|y)$/.test(text) === (running.setting === "on");
    case "integer":
    case "real":
      return isSameNumber(running, wanted.trim());
    case "enum":
      return text === running.setting.toLowerCase();
    default:
      return wanted === running.setting;
  }
}

function isSameNumber(running: RunningSetting, wanted: string): boolean {
  if (/^[-+]?[\d.]+$/.test(wanted)) return Number(wanted) === Number(running.setting);
  const [, count = "1", unit = ""] = /^(\d*)(\w+)$/.exec(running.unit ?? "") ?? [];
  const one = Number(count === "" ? "1" : count);
  const step = parseBytes(`1${unit}`) ?? parseSeconds(`1${unit}`);
  const value = parseBytes(wanted) ?? parseSeconds(wanted);
  if (step === null || value === null) return false;
  return Math.abs(value / (step * one) - Number(running.setting)) < 0.5;
}

/** Settings that need a restart to become what they should be: old and new value as text. */
export function pendingRestart(
  running: readonly RunningSetting[],
  wanted: Readonly<Record<string, string>>,
): Record<string, { oldValue: string; newValue: string }> {
  const found: Record<string, { oldValue: string; newValue: string }> = {};
  for (const row of running) {
    const value = wanted[row.name];
    if (value === undefined || row.name === "hot_standby" || isSameSetting(row, value)) continue;
    found[row.name] = { oldValue: withUnit(row), newValue: value };
  }
  return found;
}

/**
 * Settings of a standby that are below what its WAL needs, by the control file: recovery writes the source's new values
 * there before it pauses for them.
 */
export function tooSmallForWal(
  running: readonly RunningSetting[],
  written: Readonly<Record<string, string>>,
): SettingChanges {
  const found: Record<string, { oldValue: string; newValue: string }> = {};
  for (const { name, setting } of running) {
    if (!RAISED_ON_STANDBY.some((one) => one === name)) continue;
    const least = written[name] ?? "0";
    if (Number(setting) < Number(least)) found[name] = { oldValue: setting, newValue: least };
  }
  return found;
}

function withUnit({ setting, unit }: RunningSetting): string {
  const [, count = "", name = ""] = /^(\d*)(\w+)$/.exec(unit ?? "") ?? [];
  if (name === "" || !/^\d+$/.test(setting)) return setting;
  return `${Number(setting) * Number(count === "" ? "1" : count)}${name}`;
}

/** Names as PostgreSQL compares them. */
export function lowerCaseNames(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key.toLowerCase(),
      value,
    ]),
  );
}
