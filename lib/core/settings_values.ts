import type { Json } from "../base/json.ts";
import { isJsonObject, plainText } from "../base/json.ts";
import { parseSeconds } from "../base/units.ts";

/** Takes one sentence about a value that was adjusted or ignored. */
export type Warn = (sentence: string) => void;

/** A setting by name and its raw value; `undefined` stands for an absent key. */
export interface RawSetting {
  readonly key: string;
  readonly value: Json | undefined;
}

/** A whole number from a JSON number or its text; fractions are cut off; anything else is null. */
export function readInteger(value: Json | undefined): number | null {
  if (typeof value === "number") return Number.isFinite(value) ? Math.trunc(value) : null;
  if (typeof value !== "string" || !/^\s*[+-]?\d+\s*$/.test(value)) return null;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : null;
}

/** Patroni's reading of a switch (spec row "bad values"): on, true, yes, 1 in any case and type; all else is off. */
export function readSwitch(value: Json | undefined): boolean {
  return ["on", "true", "yes", "1"].includes(plainText(value).toLowerCase());
}

/** A switch whose unreadable value is worth a warning; absent means `fallback`. */
export function switchOr(setting: RawSetting, fallback: boolean, warn: Warn): boolean {
  const { key, value } = setting;
  if (value === undefined || value === null) return fallback;
  const known = ["on", "true", "yes", "1", "off", "false", "no", "0"];
  if (!known.includes(plainText(value).toLowerCase())) {
    warn(`${key} counts as off: ${JSON.stringify(value)} is no boolean`);
  }
  return readSwitch(value);
}

/** A plain number not below 0, or `fallback` with a warning. */
export function countOr(setting: RawSetting, fallback: number, warn: Warn): number {
  return notNegative(setting, { number: readInteger(setting.value), fallback }, warn);
}

/** Seconds not below 0, with or without a unit (`30min`), or `fallback` with a warning. */
export function secondsOr(setting: RawSetting, fallback: number, warn: Warn): number {
  const { value } = setting;
  const seconds = parseSeconds(value);
  const number = seconds === null ? null : Math.trunc(seconds);
  return notNegative(setting, { number, fallback }, warn);
}

function notNegative(
  setting: RawSetting,
  reading: { readonly number: number | null; readonly fallback: number },
  warn: Warn,
): number {
  const { key, value } = setting;
  const { number, fallback } = reading;
  if (value === undefined || value === null) return fallback;
  if (number !== null && number >= 0) return number;
  warn(`${key} is ${fallback}: ${JSON.stringify(value)} cannot be used`);
  return fallback;
}

/** Lines such as those of pg_hba.conf; null when absent or, with a warning, when it is no list of texts. */
export function linesOrNull(setting: RawSetting, warn: Warn): readonly string[] | null {
  const { key, value } = setting;
  if (value === undefined || value === null) return null;
  if (Array.isArray(value) && value.every((line) => typeof line === "string")) return value;
  warn(`${key} is ignored: it is no list of lines`);
  return null;
}

/** Server parameters as text: booleans become `on` and `off`, null removes, lists and maps are ignored with a warning. */
export function textMap(setting: RawSetting, warn: Warn): Readonly<Record<string, string>> {
  const { key, value } = setting;
  if (value === undefined || value === null) return {};
  if (!isJsonObject(value)) {
    warn(`${key} is ignored: it is no mapping`);
    return {};
  }
  const texts: [string, string][] = [];
  for (const [name, inner] of Object.entries(value)) {
    const text = textOf(inner);
    if (text !== null) texts.push([name, text]);
    else if (inner !== null) warn(`${key}.${name} is ignored: it is no single value`);
  }
  return Object.fromEntries(texts);
}

function textOf(value: Json): string | null {
  if (typeof value === "boolean") return value ? "on" : "off";
  return typeof value === "string" || typeof value === "number" ? String(value) : null;
}
