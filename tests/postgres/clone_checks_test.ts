import { match, strictEqual } from "node:assert/strict";
import { lackOfSpace } from "../../lib/postgres/clone_checks.ts";

const NEVER = new AbortController().signal;

Deno.test("lackOfSpace() tells what is missing for a copy that cannot fit", async () => {
  match(
    await lackOfSpace("/tmp/absent", { size: 10n ** 18n, isFreed: false }, NEVER) ?? "",
    /MB needed/,
  );
});

Deno.test("lackOfSpace() finds room for a small copy", async () => {
  strictEqual(await lackOfSpace("/tmp/absent", { size: 1n, isFreed: false }, NEVER), null);
});
