const BYTES: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  kB: 1024,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
  TB: 1024 ** 4,
};

const SECONDS: Readonly<Record<string, number>> = {
  "": 1,
  us: 1e-6,
  ms: 1e-3,
  s: 1,
  min: 60,
  h: 3600,
  d: 86400,
};

/** Bytes of `16kB`, `10MB` or a plain number; units are case-sensitive as in postgresql.conf; null when it is neither. */
export function parseBytes(text: string): number | null {
  return parseQuantity(text, BYTES);
}

/** Seconds of `30min`, `1h` or a plain number of seconds; null when it is neither. */
export function parseSeconds(text: string): number | null {
  return parseQuantity(text, SECONDS);
}

function parseQuantity(text: string, units: Readonly<Record<string, number>>): number | null {
  const [, digits, unit = ""] = /^\s*([+-]?\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/.exec(text) ?? [];
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  return digits === undefined || factor === undefined ? null : Math.round(Number(digits) * factor);
}
