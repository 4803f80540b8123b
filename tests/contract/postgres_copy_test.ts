import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { exists } from "../../lib/postgres/data_dir.ts";
import type { Member } from "../postgres/real_server.ts";
import {
  bootstrapped,
  clusterSettings,
  eventually,
  job,
  member,
  NO_ESCALATION,
  onServers,
  sql,
  streaming,
} from "../postgres/real_server.ts";

const settings = clusterSettings();

/** Why the copy did not begin. */
async function whyRefused(one: Member, source: Member["source"]): Promise<string> {
  for (const old of ["remove", "move-aside"] as const) {
    const result = await one.manager.clone(source, old, settings, job());
    if (result.kind !== "failed") throw new Error(`Cannot see a refusal: ${result.kind}`);
    if (old === "move-aside") return result.why;
  }
  return "";
}

/** Starts the server on what it has always had. */
async function comesBack(one: Member, source: Member): Promise<void> {
  deepStrictEqual(await one.manager.startReplica(source.source, settings, job()), { kind: "done" });
  await eventually(one.manager, (view) => view.kind === "replica" && view.streaming);
}

onServers("clone() refuses a source of another system before anything is given up", async (dir) => {
  await using a = member(dir, "a");
  await using b = member(dir, "b");
  await using other = member(dir, "other");
  await bootstrapped(a);
  await bootstrapped(other);
  await streaming(b, a);
  await b.manager.stop("fast", false, NO_ESCALATION, job());
  const [row] = await sql(a, "SELECT system_identifier::text AS id FROM pg_control_system()");
  const systemId = String(row?.["id"]);
  const why = await whyRefused(b, { ...other.source, systemId });
  match(why, new RegExp(`other has the system identifier \\d+, not ${systemId}$`));
  await comesBack(b, a);
  await b.manager.stop("fast", false, NO_ESCALATION, job());
  const good = await b.manager.clone({ ...a.source, systemId }, "remove", settings, job());
  deepStrictEqual(good, { kind: "done" });
});

onServers(
  "clone() and bootstrap() take an empty directory under a cut-off marker for empty",
  async (dir) => {
    await using a = member(dir, "a");
    await using b = member(dir, "b");
    for (const { options: { dataDir } } of [a, b]) {
      await Deno.mkdir(`${dataDir}.diverged`, { recursive: true });
      await Deno.mkdir(dataDir, { mode: 0o700 });
      await Deno.writeTextFile(`${dataDir}.diverged/kept`, "");
      await Deno.writeTextFile(`${dataDir}.agent-incomplete`, ""); // the disk was full
    }
    await bootstrapped(a);
    await streaming(b, a);
    ok(await exists(`${b.options.dataDir}.diverged/kept`));
  },
);

onServers("clone() makes an empty directory private that an operator has made", async (dir) => {
  await using a = member(dir, "a");
  await using b = member(dir, "b");
  await bootstrapped(a);
  await Deno.mkdir(b.options.dataDir);
  await Deno.chmod(b.options.dataDir, 0o755);
  await streaming(b, a);
});

onServers("clone() does not touch a tablespace that another running server uses", async (dir) => {
  await using a = member(dir, "a");
  await using b = member(dir, "b");
  await bootstrapped(a);
  await streaming(b, a);
  const space = `${dir}/space`;
  await Deno.mkdir(space);
  await sql(a, `CREATE TABLESPACE space LOCATION '${space}'`); // replayed, so that both have it
  await sql(a, "CREATE TABLE public.t AS SELECT 1 AS x");
  await eventually(b.manager, (view) => view.kind === "replica" && view.streaming);
  const [at] = await sql(a, "SELECT pg_current_wal_insert_lsn()::text AS at");
  await sql(
    b,
    `DO $$ BEGIN WHILE pg_last_wal_replay_lsn() < '${at?.["at"]}' LOOP
    PERFORM pg_sleep(0.05); END LOOP; END $$`,
  );
  await b.manager.stop("fast", false, NO_ESCALATION, job());
  await sql(a, "CREATE TABLE public.u TABLESPACE space AS SELECT 2 AS x");
  await sql(a, "CHECKPOINT");

  strictEqual(
    await whyRefused(b, a.source),
    `Cannot clone: "${space}" is used by the server of "${a.options.dataDir}" too`,
  );
  ok(await exists(`${b.options.dataDir}/PG_VERSION`));
  ok(!await exists(`${space}.diverged`));
  await a.manager.stop("fast", false, NO_ESCALATION, job());
  const againMs = Number.MAX_SAFE_INTEGER;
  deepStrictEqual(await a.manager.startPrimary(againMs, 20_000, settings, job()), { kind: "done" });
  deepStrictEqual(await sql(a, "SELECT x FROM public.u"), [{ x: 2 }]);
});

onServers("clone() refuses a tablespace that pg_basebackup could not write", async (dir) => {
  await using a = member(dir, "a");
  await using b = member(dir, "b");
  await bootstrapped(a);
  await streaming(b, a);
  await b.manager.stop("immediate", false, NO_ESCALATION, job());
  await Deno.mkdir(`${dir}/space`);
  await sql(a, `CREATE TABLESPACE space LOCATION '${dir}/space'`);
  const place = `${dir}/space`;
  const user = a.options.dataDir;
  match(await whyRefused(b, a.source), new RegExp(`"${place}" is not free: .*"${user}" uses it`));
  ok(await exists(`${b.options.dataDir}/PG_VERSION`));

  const basebackup = [`--tablespace-mapping=${place}=${dir}/own`, `--waldir=${dir}/wal`];
  await using c = member(dir, "c", { basebackup });
  await Deno.mkdir(`${dir}/wal`);
  await Deno.writeTextFile(`${dir}/wal/of-somebody`, "");
  match(await whyRefused(c, a.source), /\/wal" is not free: it holds "of-somebody"/);
  await Deno.remove(`${dir}/wal/of-somebody`);
  await streaming(c, a);
});

onServers("clone() leaves folders of other versions in a tablespace alone", async (dir) => {
  await using a = member(dir, "a");
  await bootstrapped(a);
  await Deno.mkdir(`${dir}/space-a`);
  await sql(a, `CREATE TABLESPACE space LOCATION '${dir}/space-a'`);
  const basebackup = [`--tablespace-mapping=${dir}/space-a=${dir}/space-b`];
  await using b = member(dir, "b", { basebackup });
  await streaming(b, a);
  await b.manager.stop("fast", false, NO_ESCALATION, job());
  const foreign = `${dir}/space-b/PG_11_201809051`;
  await Deno.mkdir(foreign);
  match(await whyRefused(b, a.source), /PG_11_201809051" in a tablespace is not of this server$/);
  ok(await exists(foreign));
  await comesBack(b, a);
});

onServers(
  "clone() into a data directory that is a link keeps the link, and the old data beside their own place",
  async (dir) => {
    await Deno.mkdir(`${dir}/disk/b`, { recursive: true, mode: 0o700 });
    await Deno.symlink("disk/b", `${dir}/b`);
    await using a = member(dir, "a");
    await bootstrapped(a);
    await using b = member(dir, "b");
    await streaming(b, a);
    for (const old of ["move-aside", "remove"] as const) {
      await b.manager.stop("fast", false, NO_ESCALATION, job());
      const copied = await b.manager.clone(a.source, old, settings, job());
      deepStrictEqual(copied, { kind: "done" });
      strictEqual(await Deno.readLink(`${dir}/b`), "disk/b");
      ok((await Deno.lstat(`${dir}/disk/b`)).isDirectory);
      ok(await exists(`${dir}/disk/b.diverged/PG_VERSION`));
      ok(!await exists(`${dir}/b.diverged`));
      await eventually(b.manager, (view) => view.kind === "replica" && view.streaming);
    }
  },
);

onServers("clone() that fails does not follow links to the places of its source", async (dir) => {
  await using a = member(dir, "a");
  await bootstrapped(a);
  const space = `${dir}/space`;
  await Deno.mkdir(space);
  await sql(a, `CREATE TABLESPACE space LOCATION '${space}'`);
  await sql(a, "CREATE TABLE public.t TABLESPACE space AS SELECT 1 AS x");
  // As a copy of all files does that breaks off at its end.
  const copy = `mkdir -p ${dir}/b; cp -a ${a.options.dataDir}/pg_tblspc ${dir}/b/; exit 1`;
  const words = ["/bin/sh", "-c", copy];
  await using b = member(dir, "b", {
    replicaMethods: [{ kind: "custom", name: "cp", words, withParameters: false, keepData: false }],
  });
  strictEqual((await b.manager.clone(a.source, "refuse", settings, job())).kind, "failed");
  ok(!await exists(`${dir}/b/pg_tblspc`));
  const left = await Array.fromAsync(Deno.readDir(space), ({ name }) => name);
  match(left.join(), /^PG_\d+_\d+$/);
  await sql(a, "CHECKPOINT");
  deepStrictEqual(await sql(a, "SELECT x FROM public.t"), [{ x: 1 }]);
});
