import { deepEqual, equal } from "node:assert/strict";
import plugin from "../scripts/lint_plugin.ts";

function faults(file: string, source: string): readonly string[] {
  const path = new URL(`../${file}`, import.meta.url).pathname;
  return Deno.lint.runPlugin(plugin, path, source).map((found) => found.id);
}

function lines(count: number): string {
  return `function f() {\n${"f();\n".repeat(count - 2)}}`;
}

Deno.test("layers accepts an import of a lower layer", () => {
  deepEqual(faults("lib/dcs/keys.ts", `import { x } from "../core/lsn.ts";`), []);
});

Deno.test("layers refuses an import of a higher layer", () => {
  deepEqual(faults("lib/core/x.ts", `import { x } from "../dcs/keys.ts";`), ["agent/layers"]);
});

Deno.test("layers refuses a type import of a higher layer", () => {
  deepEqual(faults("lib/base/x.ts", `import type { X } from "../core/x.ts";`), ["agent/layers"]);
});

Deno.test("layers lets runtime import the port of dcs and no other file of it", () => {
  deepEqual(faults("lib/runtime/x.ts", `import type { Dcs } from "../dcs/port.ts";`), []);
  deepEqual(faults("lib/runtime/x.ts", `import { x } from "../dcs/keys.ts";`), ["agent/layers"]);
});

Deno.test("layers looks into files of a sub-folder and at dynamic imports", () => {
  deepEqual(faults("lib/core/rules/x.ts", `import { x } from "../lsn.ts";`), []);
  deepEqual(faults("lib/core/rules/x.ts", `import("../../cli/x.ts");`), ["agent/layers"]);
});

Deno.test("layers keeps packages out of the core", () => {
  deepEqual(faults("lib/core/x.ts", `import { Client } from "pg";`), ["agent/layers"]);
});

Deno.test("no-barrel refuses exports from another file", () => {
  deepEqual(faults("lib/base/x.ts", `export * from "./y.ts";`), ["agent/no-barrel"]);
  deepEqual(faults("lib/base/x.ts", `export { y } from "./y.ts";`), ["agent/no-barrel"]);
});

for (
  const source of [
    "Deno.exit(0);",
    "Date.now();",
    "new Date();",
    "Math.random();",
    "performance.now();",
    "crypto.randomUUID();",
    'console.log("x");',
    "setTimeout(f, 1);",
    'fetch("x");',
    "async function f() {}",
  ]
) {
  Deno.test(`pure-core refuses ${source}`, () => {
    deepEqual(faults("lib/core/x.ts", source), ["agent/pure-core"]);
  });
}

Deno.test("pure-core accepts fields that are named like globals and dates made of a number", () => {
  const source = "const x = { fetch: 1 }; f(x.fetch, Date.parse(y), new Date(0).toISOString());";
  deepEqual(faults("lib/core/x.ts", source), []);
});

Deno.test("pure-core leaves other layers alone", () => {
  deepEqual(faults("lib/dcs/x.ts", 'async function f() { await fetch("x"); }'), []);
});

Deno.test("function-length accepts 40 lines and refuses 41", () => {
  equal(faults("lib/base/x.ts", lines(40)).length, 0);
  deepEqual(faults("lib/base/x.ts", lines(41)), ["agent/function-length"]);
});
