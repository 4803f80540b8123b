import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { lsnFromBytes } from "../../lib/core/lsn.ts";
import { decodeMember } from "../../lib/dcs/member_codec.ts";

Deno.test("decodeMember() gives plain JSON where it keeps mappings, and no position beyond 64 bits", () => {
  const text = `{"scheduled_restart":{"x":[9007199254740993]},"xlog_location":${2n ** 64n},` +
    `"receive_lsn":${2n ** 64n - 1n},"tags":{"nofailover":{"toString":1}}}`;
  const member = decodeMember("a", text);

  strictEqual(JSON.stringify(member.scheduledRestart), '{"x":[9007199254740992]}');
  deepStrictEqual([member.xlogLocation, member.receiveLsn], [null, lsnFromBytes(2n ** 64n - 1n)]);
  strictEqual(member.tags.nofailover, false);
});
