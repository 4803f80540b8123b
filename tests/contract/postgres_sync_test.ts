import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { exists } from "../../lib/postgres/data_dir.ts";
import {
  bootstrapped,
  clusterSettings,
  job,
  look,
  type Member,
  member,
  onServers,
} from "../postgres/real_server.ts";

const PROGRAMS = ["postgres", "pg_ctl", "pg_basebackup", "pg_controldata"] as const;

/** A member whose `initdb --sync-only` does this instead, as a shell says it. */
async function syncingBy(dir: string, name: string, script: string): Promise<Member> {
  const plain = member(dir, name);
  const { binDir } = plain.options;
  const ownBin = `${dir}/${name}-bin`;
  await Deno.mkdir(ownBin);
  for (const one of PROGRAMS) await Deno.symlink(`${binDir}/${one}`, `${ownBin}/${one}`);
  const lines = ["#!/bin/sh", `case $1 in --sync-only) ${script} ;; esac`];
  const text = [...lines, `exec ${binDir}/initdb "$@"`, ""].join("\n");
  await Deno.writeTextFile(`${ownBin}/initdb`, text, { mode: 0o755 });
  return member(dir, name, {
    binDir: ownBin,
    bootstrap: { initdb: ["--encoding=UTF8", "--auth=scram-sha-256"], pgHba: HBA },
  });
}

const HBA = ["host replication repl 127.0.0.1/32 scram-sha-256"];
const FAILING = "echo 'could not fsync file' >&2; exit 1";

/** Tells in `<dir>/begun` that it has begun, and goes on when `<dir>/go` is there. */
function held(dir: string): string {
  return `touch ${dir}/begun; while [ ! -e ${dir}/go ]; do sleep 0.02; done`;
}

async function isMarked({ options }: Member): Promise<boolean> {
  return await exists(`${options.dataDir}.agent-incomplete`);
}

async function appears(path: string): Promise<void> {
  const untilMs = performance.now() + 30_000;
  while (!await exists(path) && performance.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  strictEqual(await exists(path), true, path);
}

/** Only the file of a postmaster that lets clients in has this word in it. */
async function opens({ options }: Member): Promise<void> {
  const untilMs = performance.now() + 30_000;
  const isReady = async (): Promise<boolean> =>
    /^ready\s*$/m.test(
      await Deno.readTextFile(`${options.dataDir}/postmaster.pid`).catch(() => ""),
    );
  while (!await isReady() && performance.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  strictEqual(await isReady(), true);
}

onServers("bootstrap() keeps data that cannot be forced to disk aside, and stops", async (dir) => {
  await using a = await syncingBy(dir, "a", FAILING);
  const result = await a.manager.bootstrap(clusterSettings(), job());
  match(result.kind === "failed" ? result.why : result.kind, /to disk: could not fsync file/);
  deepStrictEqual((await look(a.manager)).kind, "no-data");
  strictEqual(await exists(`${dir}/a.failed/PG_VERSION`), true);
  strictEqual(await isMarked(a), false);
});

onServers("bootstrap() is not done before the data is on disk", async (dir) => {
  await using a = await syncingBy(dir, "a", held(dir));
  const founding = a.manager.bootstrap(clusterSettings(), job());
  await appears(`${dir}/begun`);
  await opens(a);
  strictEqual(await isMarked(a), true);
  await Deno.writeTextFile(`${dir}/go`, "");
  deepStrictEqual(await founding, { kind: "done" });
  strictEqual(await isMarked(a), false);
});

onServers(
  "clone() starts the copy under its marker, which goes when all is on disk",
  async (dir) => {
    await using a = member(dir, "a");
    await bootstrapped(a);
    await using b = await syncingBy(dir, "b", held(dir));
    const copying = b.manager.clone(a.source, "refuse", clusterSettings(), job());
    await appears(`${dir}/begun`);
    await opens(b);
    deepStrictEqual([await isMarked(b), (await look(b.manager)).kind], [true, "no-data"]);
    await Deno.writeTextFile(`${dir}/go`, "");
    deepStrictEqual(await copying, { kind: "done" });
    strictEqual(await isMarked(b), false);
    deepStrictEqual((await look(b.manager)).kind, "replica");
  },
);

onServers(
  "clone() wipes a copy that cannot be forced to disk, and stops its server",
  async (dir) => {
    await using a = member(dir, "a");
    await bootstrapped(a);
    await using b = await syncingBy(dir, "b", FAILING);
    const result = await b.manager.clone(a.source, "refuse", clusterSettings(), job());
    match(result.kind === "failed" ? result.why : result.kind, /to disk: could not fsync file/);
    deepStrictEqual((await look(b.manager)).kind, "no-data");
    deepStrictEqual([await isMarked(b), await exists(`${dir}/b/PG_VERSION`)], [false, false]);
  },
);

onServers("clone() that is cancelled before all is on disk leaves nothing", async (dir) => {
  await using a = member(dir, "a");
  await bootstrapped(a);
  await using b = await syncingBy(dir, "b", held(dir));
  const ending = new AbortController();
  const order = job({ signal: ending.signal });
  const copying = b.manager.clone(a.source, "refuse", clusterSettings(), order);
  await appears(`${dir}/begun`);
  await opens(b);
  ending.abort();
  deepStrictEqual(await copying, { kind: "cancelled" });
  deepStrictEqual([await isMarked(b), await exists(`${dir}/b/PG_VERSION`)], [false, false]);
});
