import { match, ok, strictEqual } from "node:assert/strict";
import { lackOfSpace, parseFreeBytes } from "../../lib/postgres/clone_checks.ts";

const NEVER = new AbortController().signal;

Deno.test("lackOfSpace() tells what is missing for a copy that cannot fit", async () => {
  match(
    await lackOfSpace("/tmp/absent", { size: 10n ** 18n, isFreed: false }, NEVER) ?? "",
    /MB needed/,
  );
});

Deno.test("lackOfSpace() counts what the copy replaces as free", async () => {
  const dataDir = await Deno.makeTempDir();
  try {
    const room = ["-l", "512M", `${dataDir}/base`];
    ok((await new Deno.Command("fallocate", { args: room }).output()).success);
    const { stdout } = await new Deno.Command("df", { args: ["-P", "-B1", dataDir] }).output();
    const free = parseFreeBytes(new TextDecoder().decode(stdout)) ?? 0n;
    const size = free + (192n << 20n); // with what is spared for WAL, 256 MB more than there are
    strictEqual(await lackOfSpace(dataDir, { size, isFreed: true }, NEVER), null);
    match(await lackOfSpace(dataDir, { size, isFreed: false }, NEVER) ?? "", /MB needed/);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("lackOfSpace() finds room for a small copy", async () => {
  strictEqual(await lackOfSpace("/tmp/absent", { size: 1n, isFreed: false }, NEVER), null);
});
