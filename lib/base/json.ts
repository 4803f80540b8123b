/** What `JSON.parse` can yield. Outside data has this type until a decoder has looked at it. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** A JSON object with unknown content. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/** True for a mapping; arrays and null are none. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * A text, number or boolean as text; "" for nothing, lists and mappings. `String` throws for a mapping of somebody else
 * that has a key `toString`.
 */
export function plainText(value: unknown): string {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}
