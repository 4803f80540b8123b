import { deepStrictEqual, throws } from "node:assert/strict";
import { parseJson, toInteger, toList, toObject, toText } from "../../lib/base/decode.ts";
import { DecodeError } from "../../lib/base/errors.ts";

Deno.test("decoders pass on what has the expected form", () => {
  deepStrictEqual(parseJson("body", '{"a":[1]}'), { a: [1] });
  deepStrictEqual(toObject("body", { a: 1 }), { a: 1 });
  deepStrictEqual([toList("a", [1]), toText("b", "x"), toInteger("c", 3)], [[1], "x", 3]);
});

const MISFITS: readonly (readonly [string, () => unknown])[] = [
  ["parseJson", () => parseJson("p", "{")],
  ["toObject", () => toObject("p", [])],
  ["toObject", () => toObject("p", null)],
  ["toList", () => toList("p", undefined)],
  ["toText", () => toText("p", 1)],
  ["toInteger", () => toInteger("p", 1.5)],
  ["toInteger", () => toInteger("p", "1")],
];

for (const [index, [name, decode]] of MISFITS.entries()) {
  Deno.test(`${name}() throws DecodeError with the path for another form (${index})`, () => {
    throws(decode, (error) => error instanceof DecodeError && error.path === "p");
  });
}
