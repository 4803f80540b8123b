import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { Json } from "../../lib/base/json.ts";
import { initialMemory } from "../../lib/core/memory.ts";
import { decodeSettings } from "../../lib/core/settings.ts";
import type { Settings } from "../../lib/core/settings.ts";
import { primarySlotChanges, replicaSlotChanges } from "../../lib/core/slots.ts";
import { cluster, NOW_MS, primary, replica, self, slot } from "./builders.ts";

function settings(ignored: Json): Settings {
  const decoded = decodeSettings({ ignore_slots: ignored });
  if ("fault" in decoded) throw new TypeError(decoded.fault);
  return decoded.settings;
}

const FOREIGN = slot("backup");
const LOST = slot("b", { walStatus: "lost" });

function dropped(ignored: Json): readonly (readonly string[])[] {
  const slots = [FOREIGN, LOST, slot("c")];
  const view = cluster({ settings: settings(ignored) });
  const facts = { self: self(), cluster: view, memory: initialMemory, nowMs: NOW_MS };
  const { drop } = primarySlotChanges(primary({ slots }), facts);
  return [drop, replicaSlotChanges(replica({ slots }), facts).drop];
}

const KEPT: readonly (readonly [string, Json, readonly string[]])[] = [
  ["nothing", [], ["b", "backup"]],
  ["a name", [{ name: "backup" }], ["b"]],
  ["a name and the type", [{ name: "backup", type: "physical" }], ["b"]],
  ["a lost slot of a member", [{ name: "b" }], ["backup"]],
  ["several", [{ name: "b" }, { name: "backup", plugin: "" }], []],
  ["the type alone", [{ type: "physical" }], []],
  ["another name", [{ name: "backups" }], ["b", "backup"]],
  ["a part of the name", [{ name: "back" }], ["b", "backup"]],
  ["another type", [{ name: "backup", type: "logical" }], ["b", "backup"]],
  ["a logical slot", [{ name: "backup", database: "x" }], ["b", "backup"]],
  ["a plugin", [{ plugin: "pgoutput" }], ["b", "backup"]],
  ["anything", [{}], []],
];

for (const [title, ignored, expected] of KEPT) {
  Deno.test(`ignore_slots with ${title} keeps what fits`, () => {
    deepStrictEqual(dropped(ignored), [expected, expected]);
    strictEqual(settings(ignored).warnings.length, 0);
    deepStrictEqual(settings(ignored).unsupported, []);
  });
}

const UNREADABLE: readonly Json[] = [
  "backup",
  { name: "backup" },
  ["backup"],
  [{ nmae: "backup" }],
  [{ name: 5 }],
  [{ type: "phsical" }],
];

for (const ignored of UNREADABLE) {
  Deno.test(`ignore_slots ${JSON.stringify(ignored)} drops no slot and says why`, () => {
    deepStrictEqual(dropped(ignored), [[], []]);
    strictEqual(settings(ignored).warnings.length, 1);
  });
}
