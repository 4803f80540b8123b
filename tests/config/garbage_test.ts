import fc from "fast-check";
import { stringify } from "yaml";
import type { Json, JsonObject } from "../../lib/base/json.ts";
import { ConfigError } from "../../lib/base/errors.ts";
import { readConfig } from "../../lib/config/load.ts";
import { put } from "../../lib/config/environment.ts";
import { knownKeys } from "../../lib/config/key_table.ts";

/** Accepted, or refused with a ConfigError: anything else is a crash. */
function survives(text: string, env: Readonly<Record<string, string>> = {}): void {
  try {
    readConfig("p.yml", text, env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
  }
}

Deno.test("readConfig() ends with ConfigError at worst, whatever the text", () => {
  const words = fc.constantFrom(
    "a",
    ": ",
    "\n",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "&a",
    "*a",
    "!!",
    "'",
    '"',
    "|",
    "%",
    "\t",
  );
  const soup = fc.array(words, { maxLength: 40 }).map((parts) => parts.join(""));

  fc.assert(fc.property(fc.oneof(soup, fc.string()), (text) => survives(text)), { numRuns: 300 });
});

Deno.test("readConfig() ends with ConfigError at worst, whatever stands at a known key", () => {
  const path = fc.constantFrom(...knownKeys().map((known) => known.path));
  const scalar = fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null));
  const value: fc.Arbitrary<Json> = fc.oneof(
    scalar,
    fc.array(scalar),
    fc.dictionary(fc.string(), scalar),
    fc.array(fc.dictionary(fc.string(), scalar), { maxLength: 2 }),
  );

  fc.assert(
    fc.property(fc.array(fc.tuple(path, value), { maxLength: 5 }), (changes) => {
      const nothing: JsonObject = {};
      survives(stringify(changes.reduce((values, [at, item]) => put(values, at, item), nothing)));
    }),
    { numRuns: 150 },
  );
});

Deno.test("readConfig() ends with ConfigError at worst, whatever a variable holds", () => {
  const name = fc.constantFrom(...knownKeys().flatMap(({ notes }) => notes.env ?? []));

  fc.assert(
    fc.property(
      name,
      fc.string(),
      (variable, text) => survives("scope: a\n", { [variable]: text }),
    ),
    { numRuns: 150 },
  );
});
