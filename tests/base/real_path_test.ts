import { rejects, strictEqual } from "node:assert/strict";
import { realPathOf } from "../../lib/base/real_path.ts";

const CASES: readonly (readonly [string, string])[] = [
  ["real", "/real"],
  ["real/", "/real"],
  ["link", "/real"],
  ["link//inside/./deeper/", "/real/inside/deeper"],
  ["link/../other", "/other"],
  ["real/none/../more", "/real/more"],
  ["dangling", "/real/later"],
  ["dangling/below", "/real/later/below"],
  ["absolute/x", "/real/x"],
];

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    await Deno.mkdir(`${folder}/real`);
    await Deno.symlink("real", `${folder}/link`);
    await Deno.symlink("real/later", `${folder}/dangling`);
    await Deno.symlink(`${folder}/real`, `${folder}/absolute`);
    await Deno.symlink("loop", `${folder}/loop`);
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("realPathOf() gives one name to all paths to a place, also to one that is not there yet", async () => {
  await inFolder(async (folder) => {
    for (const [path, expected] of CASES) {
      strictEqual(await realPathOf(`${folder}/${path}`), `${folder}${expected}`, path);
    }
    strictEqual(await realPathOf("/"), "/");
    strictEqual(await realPathOf("//no-such/x"), "/no-such/x");
  });
});

Deno.test("realPathOf() rejects for a link to itself", async () => {
  await inFolder(async (folder) => {
    await rejects(realPathOf(`${folder}/loop`));
  });
});
