import { match, rejects, strictEqual } from "node:assert/strict";
import { ConfigError } from "../../lib/base/errors.ts";
import { localWorkplace } from "../../lib/cli/workplace.ts";

Deno.test("edit() gives the text that the editor leaves, and removes its file", async () => {
  const folder = await Deno.makeTempDir();
  const trace = `${folder}/trace`;
  const workplace = localWorkplace({ VISUAL: `sh -c 'echo $0 > ${trace}; echo more >> $0'` });

  strictEqual(await workplace.edit("text\n"), "text\nmore\n");
  const edited = (await Deno.readTextFile(trace)).trim();
  await rejects(Deno.stat(edited), Deno.errors.NotFound);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("edit() throws when the editor fails or is not there; a failed one keeps the text", async () => {
  const failing = localWorkplace({ EDITOR: "sh -c 'echo more >> $0; exit 3'" });
  const said = await failing.edit("text\n").catch((error: unknown) => error);
  match(String(said), /ConfigError: sh ended with 3: the text is in /);
  const [, path = ""] = /the text is in (\S+)/.exec(String(said)) ?? [];
  strictEqual(await Deno.readTextFile(path), "text\nmore\n");
  await Deno.remove(path);

  for (const editor of ["/nowhere/editor", "'"]) {
    await rejects(localWorkplace({ EDITOR: editor }).edit("x"), ConfigError);
  }
});

Deno.test("keep() makes a file that only its owner reads", async () => {
  const path = await localWorkplace({}).keep("text");
  const { mode } = await Deno.stat(path);
  strictEqual(await localWorkplace({}).read(path), "text");
  strictEqual((mode ?? 0) & 0o777, 0o600);
  await Deno.remove(path);
});

Deno.test("read() throws for a file that is missing, too large, or no text", async () => {
  const { read } = localWorkplace({});
  await rejects(read("/nowhere/file"), /no such file/);
  await rejects(read("/tmp"), ConfigError);
  const path = await Deno.makeTempFile();
  await Deno.writeFile(path, new Uint8Array(1024 ** 2 + 1));
  await rejects(read(path), /more than 1048576 bytes/);
  await Deno.writeFile(path, new Uint8Array([0xff, 0xfe, 0xff]));
  await rejects(read(path), /no UTF-8/);
  await Deno.remove(path);
});
