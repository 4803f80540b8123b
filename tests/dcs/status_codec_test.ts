import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { lsnFromBytes } from "../../lib/core/lsn.ts";
import { decodeStatus, encodeStatus } from "../../lib/dcs/codec.ts";
import type { Entry } from "../../lib/dcs/codec.ts";

function entry(value: string | null, parts: Partial<Entry> = {}): Entry {
  return { key: "", value, lease: "0", revision: 7n, ...parts };
}

Deno.test("status tells of the wish whose candidate has everything, and garbage there tells nothing", () => {
  const status = { lsn: lsnFromBytes(67108960), slots: {}, retainSlots: [] };
  const told = { ...status, handoverRevision: 9_007_199_254_740_993n };
  const text = encodeStatus(told);
  strictEqual(text, '{"optime":67108960,"handover":"9007199254740993"}');
  deepStrictEqual(decodeStatus("status", entry(text)), told);
  for (const garbage of ["9", '"0"', '"-9"', '"9.0"', '"x"', "null", "{}", `"${"9".repeat(20)}"`]) {
    const wire = `{"optime":67108960,"handover":${garbage}}`;
    deepStrictEqual(decodeStatus("status", entry(wire)), status, garbage);
  }
});
