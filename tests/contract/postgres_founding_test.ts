import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { killFillingPrograms } from "../../lib/host/fence.ts";
import { fillingEnvironment, findFillingPrograms } from "../../lib/host/processes.ts";
import { exists, putMark } from "../../lib/postgres/data_dir.ts";
import type { JobResult } from "../../lib/postgres/port.ts";
import { waitFor } from "../../scripts/playground/wait.ts";
import {
  bootstrapped,
  clusterSettings,
  eventually,
  freePort,
  job,
  look,
  type Member,
  member,
  NO_ESCALATION,
  onServers,
  sql,
  streaming,
} from "../postgres/real_server.ts";

const INITDB = ["--encoding=UTF8", "--auth=scram-sha-256", "--no-sync"];

async function textOf(path: string): Promise<string> {
  return await Deno.readTextFile(path).catch(() => "");
}

/** A program in `dir` that first writes its arguments, one a line, to `<name>.args`. */
async function program(dir: string, name: string, script: string): Promise<string> {
  const path = `${dir}/${name}`;
  const lines = ["#!/bin/sh", `printf '%s\\n' "$@" > ${path}.args`, script, ""];
  await Deno.writeTextFile(path, lines.join("\n"), { mode: 0o755 });
  return path;
}

function found(one: Member): Promise<JobResult> {
  return one.manager.bootstrap(clusterSettings(), job());
}

/** A backup of a stopped cluster with the table `kept`, whose passwords nobody here knows. */
async function backup(dir: string): Promise<string> {
  const login = { username: "postgres", password: "of another time", options: {} };
  const role = { ...login, username: "repl" };
  await using old = member(dir, "old", {
    authentication: { superuser: login, replication: role, rewind: null },
  });
  await bootstrapped(old);
  await sql(old, "CREATE TABLE public.kept AS SELECT 42 AS answer");
  await sql(old, "ALTER SYSTEM SET primary_conninfo = 'host=192.0.2.1'");
  deepStrictEqual(await old.manager.stop("fast", false, NO_ESCALATION, job()), { kind: "done" });
  await Deno.rename(`${dir}/old`, `${dir}/backup`);
  return `${dir}/backup`;
}

/** A member that founds its cluster from the backup and archives its WAL afterwards. */
async function restoring(dir: string): Promise<Member> {
  const copy = `for word; do case $word in --datadir=*) target=\${word#*=};; esac; done
cp -a ${await backup(dir)}/. $target`;
  const restore = await program(dir, "restore", copy);
  const seed = await program(dir, "seed", 'psql -c "CREATE TABLE seeded AS SELECT 1" "$1"');
  const recovery = { restore_command: "false", recovery_target_timeline: "latest" };
  const words = { words: [restore, "--stanza=x"], withParameters: true };
  return member(dir, "a", {
    parameters: {
      unix_socket_directories: dir,
      archive_mode: "on",
      archive_command: `cp %p ${dir}/%f.archived`,
    },
    pgHba: ["host all all 127.0.0.1/32 scram-sha-256", "local all all reject"],
    bootstrap: {
      initdb: INITDB,
      pgHba: [],
      postBootstrap: [seed],
      custom: { name: "restore", ...words, keepRecovery: false, recovery },
    },
  });
}

onServers("bootstrap() founds a cluster by the program of bootstrap.method", async (dir) => {
  await using a = await restoring(dir);
  deepStrictEqual(await found(a), { kind: "done" });

  const { dataDir, listen } = a.options;
  deepStrictEqual((await textOf(`${dir}/restore.args`)).trim().split("\n"), [
    "--stanza=x",
    "--scope=demo",
    `--datadir=${dataDir}`,
  ]);
  strictEqual(
    await textOf(`${dir}/seed.args`),
    `postgres://postgres@127.0.0.1:${listen.port}/postgres\n`,
  );
  // The password of the file counts now, and the table of the backup is there beside the seeded one.
  const seeded = "(SELECT count(*)::int FROM public.seeded) AS seeded";
  deepStrictEqual(
    await sql(a, `SELECT answer, ${seeded}, current_setting('archive_mode') AS m FROM public.kept`),
    [{ answer: 42, seeded: 1, m: "on" }],
  );
  const view = await look(a.manager);
  strictEqual(view.kind === "primary" && view.timeline, 2);
  ok(!(await textOf(`${dataDir}/pg_hba.conf`)).includes("trust"));
  ok(!(await textOf(`${dataDir}/postgresql.auto.conf`)).includes("192.0.2.1"));
  strictEqual(await Deno.stat(`${dataDir}.agent-incomplete`).catch(() => null), null);
});

onServers("bootstrap() keeps what the program left of recovery when it is told to", async (dir) => {
  const target = `${dir}/a`;
  const restore = await program(
    dir,
    "restore",
    `mkdir -p ${target}; cp -a ${await backup(dir)}/. ${target}
echo "restore_command = 'touch ${dir}/asked; false'" >> ${target}/postgresql.auto.conf
touch ${target}/recovery.signal`,
  );
  const custom = {
    name: "restore",
    words: [restore],
    withParameters: false,
    keepRecovery: true,
    recovery: {},
  };
  await using a = member(dir, "a", { bootstrap: { initdb: INITDB, pgHba: [], custom } });

  deepStrictEqual(await found(a), { kind: "done" });
  strictEqual(await textOf(`${restore}.args`), "\n");
  ok(await Deno.stat(`${dir}/asked`), "the program's restore_command was used");
  deepStrictEqual(await sql(a, "SELECT answer FROM public.kept"), [{ answer: 42 }]);
});

onServers("bootstrap() keeps the directory of a failed program as .failed", async (dir) => {
  const restore = await program(dir, "restore", `mkdir -p ${dir}/a; echo gone >&2; exit 4`);
  const custom = {
    name: "restore",
    words: [restore],
    withParameters: true,
    keepRecovery: false,
    recovery: {},
  };
  await using a = member(dir, "a", { bootstrap: { initdb: INITDB, pgHba: [], custom } });

  deepStrictEqual(await found(a), {
    kind: "failed",
    why: "Cannot found a cluster by restore: gone",
  });
  ok(await Deno.stat(`${dir}/a.failed`));
  strictEqual((await look(a.manager)).kind, "no-data");
});

onServers("bootstrap() fails when post_bootstrap does", async (dir) => {
  const bootstrap = { initdb: INITDB, pgHba: [], postBootstrap: ["/bin/sh", "-c", "exit 9"] };
  await using a = member(dir, "a", { bootstrap });

  deepStrictEqual(await found(a), {
    kind: "failed",
    why: "Cannot end post_bootstrap: exit code 9",
  });
  strictEqual((await look(a.manager)).kind, "no-data");
});

onServers("clone() takes the first of create_replica_methods that succeeds", async (dir) => {
  await using a = member(dir, "a");
  await bootstrapped(a);
  const bad = await program(dir, "bad", `touch ${dir}/b/litter; exit 1`);
  const good = await program(
    dir,
    "good",
    `ls ${dir}/b > ${dir}/seen
for word; do case $word in --connstring=*) from=\${word#*=};; --datadir=*) to=\${word#*=};; esac; done
pg_basebackup -D "$to" -d "$from" -X stream -c fast`,
  );
  const method = { kind: "custom", withParameters: true, keepData: false } as const;
  await using b = member(dir, "b", {
    replicaMethods: [
      { ...method, name: "bad", words: [bad] },
      { ...method, name: "good", words: [good] },
      { kind: "basebackup" },
    ],
  });

  await streaming(b, a);
  const [scope, role, datadir, connstring] = (await textOf(`${good}.args`)).split("\n");
  deepStrictEqual([scope, role, datadir], [
    "--scope=demo",
    "--role=replica",
    `--datadir=${dir}/b`,
  ]);
  match(connstring ?? "", /host=127\.0\.0\.1 .*user=repl/);
  strictEqual(await textOf(`${dir}/seen`), "", "what the first one left was removed");
});

/** A restore in a session of its own, whose script and agent have ended, that writes and writes. */
async function strayWriter({ options: { dataDir } }: Member): Promise<void> {
  const script =
    `mkdir -p -m 700 ${dataDir}; while :; do echo x >${dataDir}/PG_VERSION; sleep 0.01; done`;
  const { status } = new Deno.Command("sh", {
    args: ["-c", `setsid sh -c '${script}' &`],
    env: { ...fillingEnvironment(dataDir) },
    stdout: "null",
    stderr: "null",
  }).spawn();
  await status;
  await waitFor("what it writes", 20_000, async () => {
    return { met: await exists(`${dataDir}/PG_VERSION`) || null, seen: "nothing" };
  });
  await putMark(dataDir, "clone");
}

onServers(
  "bootstrap() and clone() first end what a program of a killed agent still writes",
  async (dir) => {
    await using a = member(dir, "a");
    await using b = member(dir, "b");
    try {
      await Promise.all([a, b].map(strayWriter));
      await bootstrapped(a);
      await streaming(b, a);
      for (const { options } of [a, b]) deepStrictEqual(findFillingPrograms(options.dataDir), []);
    } finally {
      for (const { options } of [a, b]) await killFillingPrograms(options.dataDir, options.clock);
    }
  },
);

onServers("clone() lets a method with keep_data go on with what it left", async (dir) => {
  await using a = member(dir, "a");
  await bootstrapped(a);
  const half = await program(
    dir,
    "half",
    `mkdir -p ${dir}/b; [ -e ${dir}/b/part ] || { touch ${dir}/b/part; exit 1; }
rm ${dir}/b/part; PGUSER=repl pg_basebackup -D ${dir}/b -h 127.0.0.1 -p ${a.options.listen.port} -X stream -c fast`,
  );
  const words = { name: "half", words: [half], withParameters: false };
  await using b = member(dir, "b", {
    replicaMethods: [{ kind: "custom", keepData: true, ...words }],
  });
  const first = await b.manager.clone(a.source, "refuse", clusterSettings(), job());

  deepStrictEqual(first, { kind: "failed", why: "Cannot clone: half: exit code 1" });
  strictEqual((await look(b.manager)).kind, "no-data");
  deepStrictEqual(await b.manager.clone(a.source, "refuse", clusterSettings(), job()), {
    kind: "done",
  });
});

onServers("a server runs with its files in config_dir and custom_conf under them", async (dir) => {
  const configDir = `${dir}/etc`;
  await Deno.mkdir(configDir);
  await Deno.writeTextFile(
    `${dir}/custom.conf`,
    "work_mem = '3MB'\nmaintenance_work_mem = '9MB'\n",
  );
  const overrides = {
    configDir,
    configBaseName: "pg",
    customConf: `${dir}/custom.conf`,
    parameters: { unix_socket_directories: dir, work_mem: "5MB" },
    listen: { hosts: ["127.0.0.1"], port: freePort() },
  };
  await using a = member(dir, "a", overrides);
  await bootstrapped(a);

  const settings = "current_setting('work_mem') AS w, current_setting('maintenance_work_mem') AS m";
  deepStrictEqual(
    await sql(a, `SELECT current_setting('config_file') AS f, ${settings}`),
    [{ f: `${configDir}/pg.conf`, w: "5MB", m: "9MB" }],
  );
  strictEqual((await Deno.stat(`${configDir}/pg_hba.conf`)).isFile, true);
  await using b = member(dir, "b", {});
  await streaming(b, a);
  await eventually(b.manager, (view) => view.kind === "replica" && view.streaming);
});
