import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { splitWords } from "../../lib/base/words.ts";

Deno.test("splitWords() splits as a shell does, and expands nothing", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["/bin/hook", ["/bin/hook"]],
    ["  a  b\tc ", ["a", "b", "c"]],
    [`a 'b c' "d e"f`, ["a", "b c", "d ef"]],
    [String.raw`a\ b "c\"d\n" 'e\'`, ["a b", String.raw`c"d\n`, String.raw`e\ `.trim()]],
    [`a "" ''`, ["a", "", ""]],
    ["$HOME *", ["$HOME", "*"]],
    ["", []],
  ];
  for (const [text, words] of cases) deepStrictEqual(splitWords(text), words, text);
});

Deno.test("splitWords() refuses a quote or backslash without its end", () => {
  for (const text of ["'a", '"a', "a\\"]) strictEqual(splitWords(text), null, text);
});
