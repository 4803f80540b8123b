import { strictEqual } from "node:assert/strict";
import { ManagedMark } from "../../lib/runtime/managed_mark.ts";

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mark-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("look() knows a mark of this data directory, and of no other", async () => {
  await inFolder(async (folder) => {
    const first = new ManagedMark(folder, "/data/a");
    strictEqual(await first.look(), false);
    await first.set();
    strictEqual(first.isSet, true);
    strictEqual(await new ManagedMark(folder, "/data/a").look(), true);
    strictEqual(await new ManagedMark(folder, "/data/b").look(), false);
  });
});

Deno.test("look() takes a file that cannot be read for none", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/managed.json`, "{garbage");
    strictEqual(await new ManagedMark(folder, "/data/a").look(), false);
  });
});

Deno.test("look() knows a mark by every path to the data directory", async () => {
  await inFolder(async (folder) => {
    await Deno.symlink("data", `${folder}/link`);
    await new ManagedMark(folder, `${folder}/link`).set();
    strictEqual(await new ManagedMark(folder, `${folder}/data`).look(), true);
    strictEqual(await new ManagedMark(folder, `${folder}/./link`).look(), true);
    strictEqual(await new ManagedMark(folder, `${folder}/link2`).look(), false);
  });
});
