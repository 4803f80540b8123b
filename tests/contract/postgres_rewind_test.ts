import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { parseLsn } from "../../lib/core/lsn.ts";
import { exists } from "../../lib/postgres/data_dir.ts";
import type { PostgresOptions } from "../../lib/postgres/options.ts";
import type { JobResult } from "../../lib/postgres/port.ts";
import {
  AWKWARD_PASSWORD,
  bootstrapped,
  clusterSettings,
  eventually,
  job,
  look,
  type Member,
  member,
  NO_ESCALATION,
  onServers,
  sql,
  streaming,
} from "../postgres/real_server.ts";

const settings = clusterSettings();
const { signal } = new AbortController();

/** b leads on timeline 2; a has committed what b never received, has crashed, and was started and stopped as a standby. */
async function forked(a: Member, b: Member): Promise<void> {
  await bootstrapped(a);
  await sql(a, "CREATE TABLE public.t AS SELECT generate_series(1, 1000) AS n");
  await streaming(b, a);
  await sql(a, "INSERT INTO public.t VALUES (1001)");
  const [row] = await sql(a, "SELECT pg_current_wal_flush_lsn()::text AS lsn");
  await reached(b, String(row?.["lsn"]));
  deepStrictEqual(await b.manager.promote(systemClock.bootMs() + 10_000, job()), { kind: "done" });
  await sql(a, "INSERT INTO public.t VALUES (-1)");
  await sql(a, "UPDATE public.t SET n = n WHERE n % 2 = 0");
  await sql(b, "INSERT INTO public.t VALUES (2001)");
  await a.manager.stop("immediate", false, NO_ESCALATION, job());
  deepStrictEqual(await a.manager.startReplica(b.source, settings, job()), { kind: "done" });
  await a.manager.stop("fast", false, NO_ESCALATION, job());
  deepStrictEqual(await b.manager.checkpoint(signal), { kind: "done" });
  const view = await look(a.manager);
  strictEqual(view.kind === "down" && view.control.rewindable, true);
}

async function rewound(a: Member, b: Member): Promise<JobResult> {
  const slots = { create: [a.options.slotName], drop: [], advance: [] };
  await b.manager.syncSlots(slots, signal);
  return await a.manager.rewind(b.source, settings, job());
}

async function tableOf(one: Member): Promise<unknown> {
  return (await sql(one, "SELECT count(*)::int, min(n), max(n) FROM public.t"))[0];
}

async function namesIn(path: string): Promise<readonly string[]> {
  return (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name);
}

const ALL = { count: 1002, min: 1, max: 2001 };

onServers("E2 a crashed former primary is rewound, and what it gives up is told", async (dir) => {
  await using a = member(dir, "a");
  await using b = member(dir, "b");
  await forked(a, b);
  const result = await rewound(a, b);
  strictEqual(result.kind, "done", JSON.stringify(result));
  match(
    result.kind === "done" ? result.note ?? "" : "",
    /from 0\/[0-9A-F]+ on of timeline 1: 2 transactions committed there; its WAL is kept in .*a\.rewound$/,
  );
  await eventually(
    a.manager,
    (view) => view.kind === "replica" && view.streaming && view.timeline === 2,
  );
  deepStrictEqual(await tableOf(a), ALL);
  deepStrictEqual(await sql(a, "SHOW port"), [{ port: String(a.options.listen.port) }]);
  const kept = await namesIn(`${dir}/a.rewound`);
  ok(kept.length > 0 && kept.every((name) => name.startsWith("00000001")), kept.join());
  ok(!await exists(`${dir}/a.diverged`));
});

onServers("E12 a missing privilege is named, and the directory stays as it was", async (dir) => {
  await using a = member(dir, "a");
  await using b = member(dir, "b");
  await forked(a, b);
  const { authentication } = a.options;
  const repl = { username: "repl", password: AWKWARD_PASSWORD, options: {} };
  a.manager.reconfigure({ ...a.options, authentication: { ...authentication, rewind: repl } });
  const refused = await rewound(a, b);
  match(
    refused.kind === "failed" ? refused.why : "",
    /repl lacks a privilege on b: GRANT EXECUTE ON FUNCTION pg_catalog\.pg_ls_dir/,
  );
  strictEqual((await look(a.manager)).kind, "down");

  const replicaOnly = await b.manager.rewind(a.source, settings, job());
  match(replicaOnly.kind === "failed" ? replicaOnly.why : "", /the server still runs/);
});

onServers("E17 a new tablespace of the leader is not linked to the leader's place", async (dir) => {
  await using a = member(dir, "a");
  await using b = member(dir, "b");
  await forked(a, b);
  await Deno.mkdir(`${dir}/space`);
  await sql(b, `CREATE TABLESPACE space LOCATION '${dir}/space'`);
  const refused = await rewound(a, b);
  match(refused.kind === "failed" ? refused.why : "", /b has tablespaces that are not here/);
  strictEqual((await look(a.manager)).kind, "down");
});

/** A pg_rewind that dies in the middle of its work, when it is no dry run. */
async function breaking(dir: string, { binDir }: PostgresOptions): Promise<string> {
  const path = `${dir}/pg_rewind_that_breaks`;
  const text = `#!/bin/sh
case "$*" in *--dry-run*) exec ${binDir}/pg_rewind "$@" ;; esac
echo "pg_rewind: error: the source is gone" >&2
exit 1
`;
  await Deno.writeTextFile(path, text, { mode: 0o755 });
  return path;
}

onServers("E10 a directory that was half rewound is never started", async (dir) => {
  await using a = member(dir, "a", { binDir: "" });
  await using b = member(dir, "b");
  const names = ["postgres", "initdb", "pg_ctl", "pg_basebackup", "pg_controldata", "pg_waldump"];
  const binName = Object.fromEntries(names.map((name) => [name, `${b.options.binDir}/${name}`]));
  Object.assign(a.options.binName, binName, { pg_rewind: await breaking(dir, b.options) });
  await forked(a, b);
  const broken = await rewound(a, b);
  match(broken.kind === "failed" ? broken.why : "", /error: the source is gone/);
  deepStrictEqual(await look(a.manager), { kind: "no-data" });
  strictEqual((await a.manager.startReplica(b.source, settings, job())).kind, "failed");
  strictEqual((await rewound(a, b)).kind, "failed");
  strictEqual((await a.manager.bootstrap(settings, job())).kind, "failed");

  a.manager.reconfigure({ ...a.options, keepsHalfRewound: true });
  const view = await look(a.manager);
  strictEqual(view.kind === "unreadable" && view.unproven, true);

  deepStrictEqual(await a.manager.clone(b.source, "refuse", settings, job()), { kind: "done" });
  deepStrictEqual(await tableOf(a), ALL);
});

onServers("E13 E14 what was not archived is archived before it is removed", async (dir) => {
  await Deno.mkdir(`${dir}/archive`);
  const parameters = {
    unix_socket_directories: dir,
    archive_mode: "on",
    archive_command: `test -f ${dir}/go && cp %p ${dir}/archive/%f`,
  };
  await using a = member(dir, "a", { parameters });
  await using b = member(dir, "b");
  await bootstrapped(a);
  await sql(a, "SELECT pg_switch_wal()");
  await sql(a, "CREATE TABLE public.filler AS SELECT generate_series(1, 10) AS n");
  await forkedFrom(a, b);
  strictEqual((await rewound(a, b)).kind, "failed");
  strictEqual((await look(a.manager)).kind, "down");
  await Deno.writeTextFile(`${dir}/go`, "");
  strictEqual((await rewound(a, b)).kind, "done");
  const archived = await namesIn(`${dir}/archive`);
  ok(archived.includes("000000010000000000000001"), archived.join());
});

/** As `forked`, of a member that was bootstrapped already. */
async function forkedFrom(a: Member, b: Member): Promise<void> {
  await streaming(b, a);
  deepStrictEqual(await b.manager.promote(systemClock.bootMs() + 10_000, job()), { kind: "done" });
  await sql(a, "INSERT INTO public.filler VALUES (-1)");
  await a.manager.stop("fast", false, NO_ESCALATION, job());
  deepStrictEqual(await b.manager.checkpoint(signal), { kind: "done" });
}

onServers(
  "E8 E9 a segment that is gone here comes from the archive for the rewind",
  async (dir) => {
    await Deno.mkdir(`${dir}/archive`);
    await Deno.mkdir(`${dir}/conf-a`, { mode: 0o700 });
    const parameters = {
      unix_socket_directories: dir,
      archive_mode: "on",
      archive_command: `cp %p ${dir}/archive/%f`,
    };
    const recoveryConf = { restore_command: `cp ${dir}/archive/%f %p` };
    await using a = member(dir, "a", { parameters, recoveryConf, configDir: `${dir}/conf-a` });
    await using b = member(dir, "b");
    await bootstrapped(a);
    await sql(a, "CREATE TABLE public.filler AS SELECT generate_series(1, 10) AS n");
    await streaming(b, a);
    const [row] = await sql(
      a,
      "SELECT pg_walfile_name(redo_lsn) AS file FROM pg_control_checkpoint()",
    );
    const segment = String(row?.["file"]);
    await sql(a, "SELECT pg_switch_wal()");
    await sql(a, "INSERT INTO public.filler VALUES (11)");
    const flushed = await sql(a, "SELECT pg_current_wal_flush_lsn()::text AS lsn");
    await reached(b, String(flushed[0]?.["lsn"]));
    deepStrictEqual(await b.manager.promote(systemClock.bootMs() + 10_000, job()), {
      kind: "done",
    });
    await sql(a, "INSERT INTO public.filler VALUES (-1)");
    await a.manager.stop("fast", false, NO_ESCALATION, job());
    deepStrictEqual(await b.manager.checkpoint(signal), { kind: "done" });
    ok((await namesIn(`${dir}/archive`)).includes(segment));
    await Deno.remove(`${dir}/a/pg_wal/${segment}`);
    const result = await rewound(a, b);
    strictEqual(result.kind, "done", JSON.stringify(result));
    await eventually(a.manager, (view) => view.kind === "replica" && view.streaming);
    deepStrictEqual(await sql(a, "SELECT min(n) FROM public.filler"), [{ min: 1 }]);
  },
);

async function reached(one: Member, lsn: string): Promise<void> {
  const wanted = parseLsn(lsn) ?? 0n;
  await eventually(
    one.manager,
    (view) => view.kind === "replica" && (view.replayedLsn ?? 0n) >= wanted,
  );
}
