import { match, ok, strictEqual } from "node:assert/strict";
import type { OldData } from "../../lib/core/action.ts";
import { lackOfSpace, parseFreeBytes, replacedBy } from "../../lib/postgres/clone_checks.ts";
import type { DirState } from "../../lib/postgres/data_dir.ts";

const NEVER = new AbortController().signal;

Deno.test("lackOfSpace() tells what is missing for a copy that cannot fit", async () => {
  match(
    await lackOfSpace("/tmp/absent", { size: 10n ** 18n, replaced: null }, NEVER) ?? "",
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
    strictEqual(await lackOfSpace(dataDir, { size, replaced: dataDir }, NEVER), null);
    match(await lackOfSpace(dataDir, { size, replaced: null }, NEVER) ?? "", /MB needed/);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("lackOfSpace() finds room for a small copy", async () => {
  strictEqual(await lackOfSpace("/tmp/absent", { size: 1n, replaced: null }, NEVER), null);
});

Deno.test("replacedBy() names what gives way to a copy, and nothing that stays beside it", async () => {
  const complete = { kind: "complete", majorVersion: 15 } as const;
  const rows: readonly [string, DirState, OldData, string | null][] = [
    ["nothing is here, an older directory stays aside", { kind: "empty" }, "refuse", null],
    ["a directory that is kept replaces an older one", complete, "move-aside", "/d.diverged"],
    ["one that is removed makes room itself", complete, "remove", "/d"],
    ["so does a half-rewound one", { kind: "half-made", mark: "rewind" }, "refuse", "/d"],
    ["keeping goes on", { kind: "half-made", mark: "move-aside" }, "refuse", "/d.diverged"],
  ];
  for (const [title, dir, old, replaced] of rows) {
    strictEqual(await replacedBy("/d", dir, old), replaced, title);
  }
});
