import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { DecodeError } from "../../lib/base/errors.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import type { ClusterView } from "../../lib/core/cluster_view.ts";
import { decodeCluster } from "../../lib/dcs/cluster_codec.ts";
import { decodeFailsafe, encodeFailsafe } from "../../lib/dcs/codec.ts";
import type { Entry } from "../../lib/dcs/codec.ts";
import { keysOf } from "../../lib/dcs/keys.ts";

const keys = keysOf({ namespace: "/service/", scope: "demo" });
const GOLDEN = Deno.readTextFileSync(new URL("golden/failsafe.txt", import.meta.url)).trimEnd();

function entry(value: string, key = keys.failsafe): Entry {
  return { key, value, lease: "0", revision: 3n };
}

function viewOf(...entries: readonly Entry[]): ClusterView {
  return decodeCluster(keys, { revision: 9n, entries }, defaultSettings);
}

Deno.test("decodeFailsafe() and encodeFailsafe() keep the golden list, sorted by name", () => {
  const { members, revision } = decodeFailsafe(entry(GOLDEN));
  deepStrictEqual([members["node-1"], revision], ["http://10.0.0.1:8008/patroni", 3n]);
  strictEqual(encodeFailsafe(Object.fromEntries(Object.entries(members).reverse())), GOLDEN);
  deepStrictEqual(decodeFailsafe(entry("{}")).members, {});
});

Deno.test("decodeFailsafe() refuses a list in which a member has no address", () => {
  for (const bad of ['{"a":null}', '{"a":5}', '{"a":""}', "[]", "x"]) {
    throws(() => decodeFailsafe(entry(bad)), DecodeError);
  }
});

Deno.test("decodeCluster() shows the list of failsafe mode, and garbage as none", () => {
  deepStrictEqual(Object.keys(viewOf(entry(GOLDEN)).failsafe?.members ?? {}), ["node-1", "node-2"]);
  const spoilt = viewOf(entry('{"a":5}'));
  deepStrictEqual([spoilt.failsafe, spoilt.faults.length], [null, 1]);
  strictEqual(viewOf().failsafe, null);
});

Deno.test("decodeCluster() reads failsafe_mode beside settings that cannot be used", () => {
  const read = (text: string): boolean => viewOf(entry(text, keys.config)).settings.failsafeMode;
  deepStrictEqual(
    ['{"ttl":"soon","failsafe_mode":true}', '{"failsafe_mode":"on"}', '{"ttl":20}'].map(read),
    [true, true, false],
  );
});
