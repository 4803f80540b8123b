import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { decodeJson, encodeJson } from "../../lib/core/codec.ts";
import { nodeView } from "./builders.ts";

Deno.test("encodeJson() marks a bigint, also beyond 2^53", () => {
  strictEqual(encodeJson({ lsn: 12345678901234567890n }), '{"lsn":{"$n":"12345678901234567890"}}');
});

Deno.test("encodeJson() keeps outside data apart from marks", () => {
  const hostile = { $n: "5", inner: [{ $n: "6" }, { $$n: "7" }, { $n: 8n }] };

  deepStrictEqual(decodeJson(encodeJson(hostile)), hostile);
});

Deno.test("decodeJson() gives back a whole node view", () => {
  const view = nodeView();

  deepStrictEqual(decodeJson(encodeJson(view)), view);
});

Deno.test("decodeJson() gives back any value that was encoded", () => {
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.bigInt(),
      fc.string(),
      fc.constant(null),
      fc.integer(),
      fc.array(tie("value")),
      fc.dictionary(
        fc.oneof(fc.constantFrom("$n", "$$n", "$$$n", "n"), fc.string()),
        tie("value"),
        {
          noNullPrototype: true,
        },
      ),
    ),
  }));
  fc.assert(fc.property(value, (given) => {
    deepStrictEqual(decodeJson(encodeJson(given)), given);
  }));
});

Deno.test("decodeJson() throws SyntaxError when the line is cut", () => {
  throws(() => decodeJson('{"lsn":{"$n"'), SyntaxError);
});
