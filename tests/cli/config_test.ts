import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { parse } from "yaml";
import { ConfigError } from "../../lib/base/errors.ts";
import { editConfig, type EditOptions } from "../../lib/cli/edit_config.ts";
import { showConfig } from "../../lib/cli/show_config.ts";
import { cluster } from "../core/builders.ts";
import { world, type WorldOptions } from "./faces.ts";

const RAW = { ttl: 30, loop_wait: 10, postgresql: { parameters: { max_connections: 100 } } };
const VIEW = cluster({ config: { raw: RAW, revision: 42n } });
const NOTHING: EditOptions = { set: [], pg: [], apply: null, replace: null, quiet: false };

Deno.test("showConfig() prints the settings in every form", async () => {
  const shown = async (format: "pretty" | "json" | "tsv"): Promise<string> => {
    const { context, out } = world({ views: [VIEW], format });
    strictEqual(await showConfig(context), 0);
    return out.join("");
  };
  deepStrictEqual(parse(await shown("pretty")), RAW);
  deepStrictEqual(JSON.parse(await shown("json")), RAW);
  strictEqual(
    await shown("tsv"),
    "Key\tValue\nttl\t30\nloop_wait\t10\npostgresql.parameters.max_connections\t100\n",
  );
});

Deno.test("showConfig() and editConfig() say when there is no configuration", async () => {
  for (const command of [showConfig, editConfig]) {
    const { context, err } = world({ views: [cluster({ config: null })] });
    strictEqual(await command(context, NOTHING), 1);
    match(err.join(""), /"demo" has no configuration/);
  }
});

const EDITS: readonly (readonly [string, Partial<EditOptions>, WorldOptions, object])[] = [
  ["keys", { set: ["ttl=20", "loop_wait=null", "tags.x=[1, a]"] }, {}, {
    ttl: 20,
    postgresql: RAW.postgresql,
    tags: { x: [1, "a"] },
  }],
  ["a parameter with dots", { set: ["postgresql.parameters.pg_stat.max=5"] }, {}, {
    ...RAW,
    postgresql: { parameters: { max_connections: 100, "pg_stat.max": 5 } },
  }],
  ["parameters", { pg: ["max_connections=null", "work_mem=8MB"] }, {}, {
    ...RAW,
    postgresql: { parameters: { work_mem: "8MB" } },
  }],
  ["a patch", { apply: "-", set: ["ttl=25"] }, { files: { "-": "loop_wait: null\nttl: 20" } }, {
    ttl: 25,
    postgresql: RAW.postgresql,
  }],
  ["a file", { replace: "x.yaml" }, { files: { "x.yaml": "ttl: 20" } }, { ttl: 20 }],
  ["what the editor says", {}, { editor: (text) => text.replace("ttl: 30", "ttl: 40") }, {
    ...RAW,
    ttl: 40,
  }],
];

for (const [what, options, given, expected] of EDITS) {
  Deno.test(`editConfig() writes ${what}, compared with what was shown`, async () => {
    const { context, written, questions, out } = world({ views: [VIEW], ...given });

    strictEqual(await editConfig(context, { ...NOTHING, ...options }), 0);
    deepStrictEqual(written, [["config", expected, 42n]]);
    deepStrictEqual(questions, ["Apply these changes? [y/N] "]);
    match(out.join(""), /^--- before\n\+\+\+ after\n@@/);
  });
}

Deno.test("editConfig() shows what changes, unless it is quiet", async () => {
  const options = { ...NOTHING, set: ["ttl=20"] };
  const { context, out } = world({ views: [VIEW] });
  await editConfig(context, options);
  match(out.join(""), /\n-ttl: 30\n\+ttl: 20\n/);

  const quiet = world({ views: [VIEW], force: true });
  await editConfig(quiet.context, { ...options, quiet: true });
  deepStrictEqual(quiet.out, ["Configuration changed\n"]);
});

Deno.test("editConfig() writes nothing when nothing has changed", async () => {
  for (const set of [["ttl=30"], ["nothing=null"]]) {
    const { context, written, out } = world({ views: [VIEW] });
    strictEqual(await editConfig(context, { ...NOTHING, set }), 0);
    deepStrictEqual([written, out], [[], ["Not changed\n"]]);
  }
});

const REFUSED: readonly (readonly [string, number, Partial<EditOptions>, WorldOptions, RegExp])[] =
  [
    ["two files are given", 2, { apply: "a", replace: "b" }, {}, /one of --apply and --replace/],
    ["the editor has no terminal", 2, {}, { reply: null }, /the editor needs a terminal/],
    ["nobody can be asked", 2, { set: ["ttl=20"] }, { reply: null }, /add --force/],
    ["the operator says no", 1, { set: ["ttl=20"] }, { reply: "n" }, /nothing was done/],
    ["a pair is none", 2, { set: ["ttl"] }, {}, /"ttl" is not of the form key=value/],
    ["a path has a gap", 2, { set: ["a..b=1"] }, {}, /not of the form/],
    ["a parameter has no value", 2, { pg: ["work_mem"] }, {}, /not of the form/],
    ["a value is no YAML", 2, { set: ["ttl=[1"] }, {}, /the value of "ttl" is no YAML/],
    ["a value breaks out of its line", 2, { set: ["ttl=1\nloop_wait: 1"] }, {}, /is no YAML/],
    ["no member could use it", 1, { set: ["ttl=soon"] }, {}, /ttl/],
  ];

for (const [when, code, options, given, said] of REFUSED) {
  Deno.test(`editConfig() writes nothing and ends with ${code} when ${when}`, async () => {
    const { context, written, kept, err } = world({ views: [VIEW], ...given });

    strictEqual(await editConfig(context, { ...NOTHING, ...options }), code);
    deepStrictEqual([written, kept], [[], []]);
    match(err.join(""), said);
  });
}

const LOST: readonly (readonly [string, number, WorldOptions])[] = [
  ["somebody else was faster", 1, { written: { kind: "refused", why: "Cannot write" } }],
  ["the end is unknown", 3, { written: { kind: "unknown", why: "no answer" } }],
  ["the text is no YAML", 1, { editor: () => "ttl: [1" }],
  ["no member could use it", 1, { editor: () => "ttl: soon" }],
  ["the operator says no", 1, { reply: "n" }],
];

for (const [when, code, given] of LOST) {
  Deno.test(`editConfig() keeps the edited text in a file when ${when}`, async () => {
    const text = given.editor?.("") ?? "ttl: 20 # why\n";
    const { context, kept, err } = world({ views: [VIEW], editor: () => text, ...given });

    strictEqual(await editConfig(context, NOTHING), code);
    deepStrictEqual(kept, [text]);
    match(err.join(""), /--replace \/tmp\/kept-1/);
  });
}

Deno.test("editConfig() warns of a setting that keeps every agent from leading", async () => {
  const { context, err } = world({ views: [VIEW] });
  await editConfig(context, { ...NOTHING, set: ["synchronous_mode=true"] });

  match(err.join(""), /synchronous_mode/);
});

Deno.test("editConfig() rejects for a file that cannot be read, with nothing written", async () => {
  const { context, written } = world({ views: [VIEW] });
  await rejects(editConfig(context, { ...NOTHING, apply: "none.yaml" }), ConfigError);
  deepStrictEqual(written, []);
});
