const ESCAPED = /^\$+n$/;

/**
 * JSON text of a value that may hold bigints (views, decisions, memory), as one line. A bigint becomes `{"$n":"123"}`;
 * a key that looks like the marker gets one more `$`, so that outside data can never turn into a number.
 */
export function encodeJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === "bigint") return { $n: String(inner) };
    return isRecord(inner) ? renameKeys(inner, (key) => `$${key}`) : inner;
  });
}

/** The value that `encodeJson` was given. Throws `SyntaxError` when the text is no JSON. */
export function decodeJson(text: string): unknown {
  return JSON.parse(text, (_key, inner: unknown) => {
    if (!isRecord(inner)) return inner;
    return markedNumber(inner) ?? renameKeys(inner, (key) => key.slice(1));
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function markedNumber(record: Readonly<Record<string, unknown>>): bigint | null {
  const [entry, ...others] = Object.entries(record);
  if (entry === undefined || others.length > 0) return null;
  const [key, text] = entry;
  if (key !== "$n" || typeof text !== "string" || !/^-?\d+$/.test(text)) return null;
  return BigInt(text);
}

function renameKeys(
  record: Readonly<Record<string, unknown>>,
  rename: (key: string) => string,
): Readonly<Record<string, unknown>> {
  const entries = Object.entries(record);
  if (!entries.some(([key]) => ESCAPED.test(key))) return record;
  return Object.fromEntries(
    entries.map(([key, inner]) => [ESCAPED.test(key) ? rename(key) : key, inner]),
  );
}
