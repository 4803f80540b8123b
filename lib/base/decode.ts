import { DecodeError } from "./errors.ts";
import { isJsonObject, type Json, type JsonObject } from "./json.ts";

/** Parses JSON text from outside. Throws `DecodeError` naming `path`; the text itself is not repeated. */
export function parseJson(path: string, text: string): Json {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DecodeError(path, `Cannot read ${path} as JSON: ${text.length} characters`, {
      cause,
    });
  }
}

/** The value as a mapping. Throws `DecodeError`. */
export function toObject(path: string, value: unknown): JsonObject {
  if (isJsonObject(value)) return value;
  throw refuse(path, "a mapping", value);
}

/** The value as a list. Throws `DecodeError`. */
export function toList(path: string, value: Json | undefined): readonly Json[] {
  if (Array.isArray(value)) return value;
  throw refuse(path, "a list", value);
}

/** The value as text. Throws `DecodeError`. */
export function toText(path: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw refuse(path, "text", value);
}

/** The value as a whole number. Throws `DecodeError`. */
export function toInteger(path: string, value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  throw refuse(path, "a whole number", value);
}

/** The kind of a value in words, without its content: values may be secrets. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  return typeof value === "string" ? "text" : `a ${typeof value}`;
}

function refuse(path: string, expected: string, value: unknown): DecodeError {
  return new DecodeError(path, `Cannot read ${path} as ${expected}: it is ${kindOf(value)}`);
}
