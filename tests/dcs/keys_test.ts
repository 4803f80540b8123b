import { strictEqual } from "node:assert/strict";
import { isWakingKey, keysOf, memberNameOf } from "../../lib/dcs/keys.ts";

const keys = keysOf({ namespace: "/service/", scope: "demo" });

Deno.test("keysOf() makes one slash of many", () => {
  strictEqual(keysOf({ namespace: "service", scope: "a" }).leader, "/service/a/leader");
  strictEqual(keysOf({ namespace: "//x/y//", scope: "a" }).prefix, "/x/y/a/");
});

Deno.test("memberNameOf() accepts keys directly under members only", () => {
  strictEqual(memberNameOf(keys, "/service/demo/members/a"), "a");
  strictEqual(memberNameOf(keys, "/service/demo/members/a/b"), null);
  strictEqual(memberNameOf(keys, "/service/demo/members/"), null);
  strictEqual(memberNameOf(keys, "/service/demo/0/members/a"), null);
});

Deno.test("isWakingKey() leaves out what is written every loop", () => {
  strictEqual(isWakingKey(keys, keys.leader, false), true);
  strictEqual(isWakingKey(keys, keys.status, false), false);
  strictEqual(isWakingKey(keys, keys.status, true), false);
  strictEqual(isWakingKey(keys, `${keys.members}a`, false), false);
  strictEqual(isWakingKey(keys, `${keys.members}a`, true), true);
});
