import fc from "fast-check";
import type { JsonObject } from "../../lib/base/json.ts";

const CASES = 10_000;

/** How many cases a property gets: its part of `AGENT_CASES`, or of 10,000. */
export function casesOf(part: number): number {
  const wanted = Number(Deno.env.get("AGENT_CASES") ?? CASES);
  return Math.max(1, Math.round((Number.isFinite(wanted) ? wanted : CASES) * part));
}

/** A password that must never be seen. */
export const SECRET = "hunter2";

/** Text as people, programs and attackers send it. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom("", " ", "\0", "\x1b[2J", "\u009b31m", "../../etc", "%00", "null", "-1", "1e999"),
  fc.constantFrom(
    "__proto__",
    "constructor",
    "toString",
    "a".repeat(5000),
    "\ud800",
    "9".repeat(400),
  ),
);

/** JSON of any form, with names that objects have by birth. */
export const anyJson: fc.Arbitrary<string> = fc.oneof(
  fc.json({ maxDepth: 3 }),
  anyText,
  fc.constantFrom(
    '{"__proto__":{"role":"primary"}}',
    "[".repeat(2000),
    `${"[".repeat(500)}${"]".repeat(500)}`,
    '{"a":1,"a":2}',
    "\ufeff{}",
    "9007199254740993",
  ),
);

/** An object whose known keys hold anything, some of them being left out. */
export function garbled(keys: readonly string[]): fc.Arbitrary<string> {
  const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), anyText);
  const model = Object.fromEntries(keys.map((key) => [key, value]));
  return fc.record(model, { requiredKeys: [] }).map((object) => JSON.stringify(object));
}

/** A part of a right object in which at most one value is garbage. */
export function nearlyRight(right: JsonObject): fc.Arbitrary<string> {
  const keys = Object.keys(right);
  const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), anyText);
  const garbage = fc.option(fc.tuple(fc.constantFrom(...keys), value), { nil: null });
  return fc.tuple(fc.subarray(keys, { minLength: 1 }), garbage).map(([kept, wrong]) => {
    const good = Object.fromEntries(kept.map((key) => [key, right[key] ?? null]));
    return JSON.stringify(wrong === null ? good : { ...good, [wrong[0]]: wrong[1] });
  });
}
