import { DecodeError } from "../base/errors.ts";
import type { Json } from "../base/json.ts";

/** JSON as the store holds it: like `Json`, with whole numbers of any size. */
export type WireJson =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly WireJson[]
  | WireObject;

/** A mapping of wire values. */
export interface WireObject {
  readonly [key: string]: WireJson;
}

/** True for a mapping; arrays and null are none. */
export function isWireObject(value: WireJson | undefined): value is WireObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Compact JSON in ASCII, as Patroni writes it: no blanks, `\uXXXX` in lower case, bigints as whole numbers. */
export function encodeWire(value: WireJson): string {
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return `[${value.map(encodeWire).join(",")}]`;
  if (!isWireObject(value)) return toAscii(JSON.stringify(value));
  const fields = Object.entries(value).map(([key, item]) =>
    `${toAscii(JSON.stringify(key))}:${encodeWire(item)}`
  );
  return `{${fields.join(",")}}`;
}

function toAscii(json: string): string {
  return json.replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Reads JSON with every unsafe whole number exact, as a bigint; throws `DecodeError` at `path` for other text. */
export function decodeWire(path: string, text: string): WireJson {
  return parseWith(path, text, (_key: string, value: WireJson, ...rest: readonly unknown[]) => {
    if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
    const source = sourceOf(rest[0]);
    return /^-?\d+$/.test(source) ? BigInt(source) : value;
  });
}

/** Reads JSON into plain values; whole numbers beyond 2^53 are rounded. Throws `DecodeError` at `path`. */
export function decodePlain(path: string, text: string): Json {
  return parseWith(path, text, (_key: string, value: Json) => value);
}

function parseWith<T>(
  path: string,
  text: string,
  revive: (key: string, value: T, ...rest: readonly unknown[]) => T,
): T {
  try {
    return JSON.parse(text, revive);
  } catch (error) {
    throw new DecodeError(path, `Cannot read ${path}: not JSON`, { cause: error });
  }
}

/** The literal that a primitive was read from: the third argument of a reviver (ECMAScript, JSON.parse source text). */
function sourceOf(context: unknown): string {
  if (typeof context !== "object" || context === null || !("source" in context)) return "";
  return typeof context.source === "string" ? context.source : "";
}
