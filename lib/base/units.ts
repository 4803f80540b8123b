const SECONDS: Readonly<Record<string, number>> = {
  us: 0.000001,
  ms: 0.001,
  s: 1,
  min: 60,
  h: 3600,
  d: 86400,
};

const BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1024,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
  TB: 1024 ** 4,
};

/** Seconds of `90`, `"90"`, `"30min"`, `"1.5 h"` (units of PostgreSQL's settings); null for any other form. */
export function parseSeconds(value: unknown): number | null {
  return measure(value, SECONDS);
}

/** Bytes of `1048576`, `"1MB"`, `"16 kB"` (units of PostgreSQL's settings, powers of 1024); null for any other form. */
export function parseBytes(value: unknown): number | null {
  return measure(value, BYTES);
}

function measure(value: unknown, units: Readonly<Record<string, number>>): number | null {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value !== "string") return null;
  const [, digits, unit] = /^\s*(-?\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*$/.exec(value) ?? [];
  if (digits === undefined || unit === undefined) return null;
  const factor = unit === "" ? 1 : Object.hasOwn(units, unit) ? units[unit] : undefined;
  return factor === undefined ? null : Number(digits) * factor;
}
