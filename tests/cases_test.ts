import { deepEqual } from "node:assert/strict";
import { report } from "../scripts/cases.ts";

Deno.test("each case of groups A to F has a test or a reason, and no title names another", async () => {
  const { bare, unknown } = await report();
  deepEqual({ bare, unknown }, { bare: [], unknown: [] });
});

Deno.test("no case has both a test and a reason for having none", async () => {
  const { cases } = await report();
  const both = cases.filter(({ tests, missing }) => tests.length > 0 && missing !== undefined);
  deepEqual(both.map(({ id }) => id), []);
});
