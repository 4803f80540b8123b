import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  exists,
  inspectDataDir,
  moveAside,
  putMark,
  removeMark,
  wipe,
} from "../../lib/postgres/data_dir.ts";

async function inDir(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await work(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** A data directory with pg_wal and one tablespace elsewhere. */
async function dataDirWithLinks(dir: string): Promise<string> {
  const data = `${dir}/data`;
  for (const path of ["data/global", "data/pg_tblspc", "wal", "space/PG_15_202209061"]) {
    await Deno.mkdir(`${dir}/${path}`, { recursive: true });
  }
  await Deno.writeTextFile(`${data}/global/pg_control`, "x");
  await Deno.writeTextFile(`${data}/PG_VERSION`, "15\n");
  await Deno.writeTextFile(`${dir}/wal/segment`, "x");
  await Deno.writeTextFile(`${dir}/space/PG_15_202209061/table`, "x");
  await Deno.symlink(`${dir}/wal`, `${data}/pg_wal`);
  await Deno.symlink(`${dir}/space`, `${data}/pg_tblspc/16384`);
  return data;
}

Deno.test("inspectDataDir() calls a mount point's own files empty", () =>
  inDir(async (dir) => {
    await Deno.mkdir(`${dir}/lost+found`);
    await Deno.writeTextFile(`${dir}/.keep`, "");
    deepStrictEqual(await inspectDataDir(dir), { kind: "empty" });
    deepStrictEqual(await inspectDataDir(`${dir}/absent`), { kind: "empty" });
  }));

Deno.test("inspectDataDir() refuses content without control file or version", () =>
  inDir(async (dir) => {
    await Deno.writeTextFile(`${dir}/notes`, "");
    strictEqual((await inspectDataDir(dir)).kind, "unreadable");
    await Deno.mkdir(`${dir}/global`);
    await Deno.writeTextFile(`${dir}/global/pg_control`, "");
    strictEqual((await inspectDataDir(dir)).kind, "unreadable");
  }));

Deno.test("inspectDataDir() never calls a marked directory complete", () =>
  inDir(async (dir) => {
    const data = await dataDirWithLinks(dir);
    deepStrictEqual(await inspectDataDir(data), { kind: "complete", majorVersion: 15 });
    await putMark(data, "clone");
    deepStrictEqual(await inspectDataDir(data), { kind: "half-made", mark: "clone" });
    await removeMark(data);
    strictEqual((await inspectDataDir(data)).kind, "complete");
  }));

Deno.test("putMark() replaces a marker whole, so that a full disk leaves the one that was there", () =>
  inDir(async (dir) => {
    await putMark(`${dir}/data`, "clone");
    using before = await Deno.open(`${dir}/data.agent-incomplete`);
    await putMark(`${dir}/data`, "move-aside");
    const text = new Uint8Array(16);
    const count = await before.read(text);
    strictEqual(new TextDecoder().decode(text.subarray(0, count ?? 0)), "clone\n");
    strictEqual(await Deno.readTextFile(`${dir}/data.agent-incomplete`), "move-aside\n");
  }));

Deno.test("inspectDataDir() keeps what is under a cut-off marker, and finds nothing to keep in an empty directory", () =>
  inDir(async (dir) => {
    const data = await dataDirWithLinks(dir);
    await Deno.writeTextFile(`${data}.agent-incomplete`, "");
    deepStrictEqual(await inspectDataDir(data), { kind: "half-made", mark: "move-aside" });
    await wipe(data);
    deepStrictEqual(await inspectDataDir(data), { kind: "empty" });
    await Deno.remove(data, { recursive: true }); // aside, and then the agent was killed
    await putMark(data, "move-aside");
    deepStrictEqual(await inspectDataDir(data), { kind: "empty" });
  }));

Deno.test("moveAside() takes pg_wal and tablespaces along and replaces an older copy", () =>
  inDir(async (dir) => {
    const data = await dataDirWithLinks(dir);
    await Deno.mkdir(`${data}.diverged/old`, { recursive: true });
    await moveAside(data, ".diverged");
    deepStrictEqual(await inspectDataDir(data), { kind: "empty" });
    strictEqual(await exists(`${dir}/wal`), false);
    strictEqual(await exists(`${data}.diverged/old`), false);
    ok(await exists(`${data}.diverged/pg_wal/segment`));
    ok(await exists(`${data}.diverged/pg_tblspc/16384/PG_15_202209061/table`));
  }));

Deno.test("moveAside() may be repeated after it was cut off", () =>
  inDir(async (dir) => {
    const data = await dataDirWithLinks(dir);
    await Deno.rename(`${dir}/wal`, `${dir}/wal.diverged`);
    await moveAside(data, ".diverged");
    ok(await exists(`${data}.diverged/pg_wal/segment`));
  }));

Deno.test("moveAside() of a link to the data keeps the link, and the data beside their own place", () =>
  inDir(async (dir) => {
    const real = await dataDirWithLinks(dir);
    for (const [name, target] of [["absolute", real], ["relative", "data"]] as const) {
      const link = `${dir}/${name}`;
      await Deno.symlink(target, link);
      strictEqual(await moveAside(link, ".diverged"), `${real}.diverged`);
      strictEqual(await Deno.readLink(link), target);
      deepStrictEqual(await inspectDataDir(link), { kind: "empty" });
      ok((await Deno.lstat(real)).isDirectory);
      ok(!await exists(`${link}.diverged`));
      ok(await exists(`${real}.diverged/pg_wal/segment`));
      // Cut off before there was a new directory.
      await Deno.remove(real);
      strictEqual(await moveAside(link, ".diverged"), `${real}.diverged`);
      ok((await Deno.lstat(real)).isDirectory);
      ok(await exists(`${real}.diverged/pg_wal/segment`));
      await Deno.remove(real);
      await Deno.rename(`${real}.diverged`, real);
    }
  }));

Deno.test("wipe() of a link to the data empties the directory behind it and keeps the link", () =>
  inDir(async (dir) => {
    const real = await dataDirWithLinks(dir);
    await Deno.symlink(real, `${dir}/link`);
    await wipe(`${dir}/link`);
    strictEqual(await Deno.readLink(`${dir}/link`), real);
    deepStrictEqual(await inspectDataDir(real), { kind: "empty" });
  }));

Deno.test("wipe() empties the directory and what its links point to", () =>
  inDir(async (dir) => {
    const data = await dataDirWithLinks(dir);
    await wipe(data);
    deepStrictEqual(await inspectDataDir(data), { kind: "empty" });
    strictEqual(await exists(`${dir}/wal/segment`), false);
    strictEqual(await exists(`${dir}/space/PG_15_202209061/table`), false);
  }));

Deno.test("D21 inspectDataDir() does not list a directory that has what it needs", () =>
  inDir(async (dir) => {
    const data = await dataDirWithLinks(dir);
    await Deno.chmod(data, 0o300); // whoever is not root may go in and look up names, and list nothing
    deepStrictEqual(await inspectDataDir(data), { kind: "complete", majorVersion: 15 });
    await Deno.chmod(data, 0o700);
  }));

Deno.test("D7 inspectDataDir() of a directory that cannot be read is an answer, not a fault", () =>
  inDir(async (dir) => {
    await Deno.writeTextFile(`${dir}/data`, "a file where the directory was mounted");
    const state = await inspectDataDir(`${dir}/data`);
    strictEqual(state.kind === "unreadable" && state.unproven, true);
  }));

Deno.test("inspectDataDir() of a link that leads nowhere since its data were moved aside has them made anew", () =>
  inDir(async (dir) => {
    await Deno.mkdir(`${dir}/disk/data.diverged`, { recursive: true });
    await Deno.writeTextFile(`${dir}/disk/data.diverged/PG_VERSION`, "15\n");
    await Deno.symlink(`${dir}/disk/data`, `${dir}/data`);
    await putMark(`${dir}/data`, "move-aside"); // killed in the middle of moveAside()
    deepStrictEqual(await inspectDataDir(`${dir}/data`), { kind: "half-made", mark: "move-aside" });
    await moveAside(`${dir}/data`, ".diverged");
    deepStrictEqual(await inspectDataDir(`${dir}/data`), { kind: "empty" });
    ok(await exists(`${dir}/data`));
    ok(await exists(`${dir}/disk/data.diverged/PG_VERSION`));
  }));

Deno.test("putMark() and removeMark() do without a look into a folder that may not be read", () =>
  inDir(async (dir) => {
    await Deno.mkdir(`${dir}/data`);
    await Deno.chmod(dir, 0o300);
    try {
      await putMark(`${dir}/data`, "clone");
      deepStrictEqual(await inspectDataDir(`${dir}/data`), { kind: "half-made", mark: "clone" });
      await removeMark(`${dir}/data`);
    } finally {
      await Deno.chmod(dir, 0o700);
    }
    deepStrictEqual(await inspectDataDir(`${dir}/data`), { kind: "empty" });
  }));
