import { match, strictEqual } from "node:assert/strict";
import { SourcedTraces, traceOf as withCauses } from "../../lib/base/sourced_trace.ts";

/** Line 2, columns 0 and 9 of the program: lines 11 and 12 of a source, by the base 64 of the format (ECMA-426). */
const MAP = {
  version: 3,
  sources: ["lib/part.ts"],
  names: [],
  mappings: ";AAUA,SACC",
};

async function withMap(text: string | null, body: (program: string) => void): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    if (text !== null) await Deno.writeTextFile(`${folder}/agent.js.map`, text);
    body(`file://${folder}/agent.js`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function traceOf(program: string): string {
  return `Error: ${program} is old\n    at q (${program}:2:10)\n    at async ${program}:2:1\n    at ext:core:1:2`;
}

Deno.test("a trace of a bundled program names its sources", async () => {
  await withMap(JSON.stringify(MAP), (program) => {
    const named = new SourcedTraces(program).named(traceOf(program));
    const lines = ["at q (lib/part.ts:12:2)", "at async lib/part.ts:11:1", "at ext:core:1:2"];
    strictEqual(named, [`Error: ${program} is old`, ...lines].join("\n    "));
  });
});

Deno.test("a trace stays as it is without a map that can be read", async () => {
  for (const text of [null, "{", "[]", '{"version":3}']) {
    await withMap(text, (program) => {
      strictEqual(new SourcedTraces(program).named(traceOf(program)), traceOf(program), `${text}`);
    });
  }
});

Deno.test("traceOf() tells the causes of a fault, too", () => {
  const fault = new Error("no folder", { cause: new TypeError("bad", { cause: "disk" }) });
  match(
    withCauses(fault),
    /^Error: no folder\n +at [^]*\nCaused by: TypeError: bad\n +at [^]*\nCaused by: disk$/,
  );
  strictEqual(withCauses("text"), "text");
});
