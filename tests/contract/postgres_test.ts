import { deepStrictEqual, doesNotMatch, match, ok, strictEqual } from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { exists, putMark } from "../../lib/postgres/data_dir.ts";
import { serverLogPath } from "../../lib/postgres/pg_ctl.ts";
import {
  bootstrapped,
  clusterSettings,
  eventually,
  job,
  look,
  member,
  NO_ESCALATION,
  onServers,
  sql,
  streaming,
} from "../postgres/real_server.ts";

const settings = clusterSettings();

onServers("bootstrap() founds a running primary in an empty directory", async (dir) => {
  await using a = member(dir, "a");
  deepStrictEqual(await look(a.manager), { kind: "no-data" });
  await bootstrapped(a);
  const view = await look(a.manager);
  strictEqual(view.kind, "primary");
  strictEqual(view.kind === "primary" && view.timeline, 1);
  deepStrictEqual(view.kind === "primary" && view.pendingRestart, {});
});

onServers(
  "clone(), promote() and follow() carry a cluster through a switch of roles",
  async (dir) => {
    await using a = member(dir, "a");
    await using b = member(dir, "b");
    await using c = member(dir, "c");
    await bootstrapped(a);
    await streaming(b, a);
    await streaming(c, a);
    await sql(a, "CREATE TABLE public.t AS SELECT 1 AS x");
    deepStrictEqual(await a.manager.stop("fast", true, NO_ESCALATION, job()), { kind: "done" });
    strictEqual((await look(a.manager)).kind, "down");

    const soonMs = systemClock.bootMs() + 10_000;
    deepStrictEqual(await b.manager.promote(soonMs, job()), { kind: "done" });
    const slots = { create: ["a", "c"], drop: [], advance: [] };
    await b.manager.syncSlots(slots, new AbortController().signal);
    deepStrictEqual(await c.manager.follow(b.source, settings, job()), { kind: "done" });
    deepStrictEqual(await a.manager.startReplica(b.source, settings, job()), { kind: "done" });
    for (const one of [a, c]) {
      await eventually(
        one.manager,
        (view) => view.kind === "replica" && view.streaming && view.timeline === 2,
      );
    }
    const report = await a.manager.inspectLeader(b.source, new AbortController().signal);
    strictEqual(report.kind === "seen" && report.timeline, 2);
    strictEqual(report.kind === "seen" && report.history.length, 1);
  },
);

onServers("clone() keeps a diverged directory and wipes a half-made one", async (dir) => {
  await using a = member(dir, "a");
  await using b = member(dir, "b");
  await bootstrapped(a);
  await streaming(b, a);
  await b.manager.stop("immediate", false, NO_ESCALATION, job());
  const refused = await b.manager.clone(a.source, "refuse", settings, job());
  strictEqual(refused.kind, "failed");
  deepStrictEqual(await b.manager.clone(a.source, "move-aside", settings, job()), { kind: "done" });
  ok(await exists(`${b.options.dataDir}.diverged/PG_VERSION`));

  await b.manager.stop("fast", false, NO_ESCALATION, job());
  await putMark(b.options.dataDir, "clone");
  deepStrictEqual(await look(b.manager), { kind: "no-data" });
  strictEqual((await b.manager.startReplica(a.source, settings, job())).kind, "failed");
  deepStrictEqual(await b.manager.clone(a.source, "refuse", settings, job()), { kind: "done" });
});

onServers(
  "clone() removes a replica's directory only once the source is known to be usable",
  async (dir) => {
    await using a = member(dir, "a");
    await using b = member(dir, "b");
    await bootstrapped(a);
    await streaming(b, a);
    await b.manager.stop("immediate", false, NO_ESCALATION, job());
    const marker = `${b.options.dataDir}/left_over`;
    await Deno.writeTextFile(marker, "");
    const nowhere = { name: "x", connUrl: "postgres://127.0.0.1:1/postgres" };
    strictEqual((await b.manager.clone(nowhere, "remove", settings, job())).kind, "failed");
    ok(await exists(marker), "a source that cannot be reached costs nothing");

    deepStrictEqual(await b.manager.clone(a.source, "remove", settings, job()), { kind: "done" });
    ok(!await exists(marker));
    ok(!await exists(`${b.options.dataDir}.diverged`));
    strictEqual((await look(b.manager)).kind, "replica");
  },
);

onServers(
  "applySettings() reloads, leaves unknown parameters out, tells them and reports restarts",
  async (dir) => {
    const leftOut: string[] = [];
    await using a = member(dir, "a", { onLeftOut: (remark) => void leftOut.push(remark) });
    await bootstrapped(a);
    const parameters = {
      ...settings.parameters,
      max_connections: "40",
      shared_buffers: "32MB",
      work_mem: "7MB",
      no_such_parameter: "1",
      maintenance_work_mem: "nonsense",
    };
    const changed = clusterSettings({ parameters });
    const signal = new AbortController().signal;
    deepStrictEqual(await a.manager.applySettings(changed, signal), { kind: "done" });
    deepStrictEqual(await a.manager.applySettings(changed, signal), { kind: "done" });
    deepStrictEqual(leftOut.map((remark) => remark.split(":")[0]), [
      'left out "no_such_parameter"',
      'left out "maintenance_work_mem"',
    ]);
    const isFlagged = await eventually(
      a.manager,
      (view) => view.kind === "primary" && Object.keys(view.pendingRestart).length === 2,
    );
    deepStrictEqual(isFlagged.kind === "primary" && isFlagged.pendingRestart, {
      max_connections: { oldValue: "30", newValue: "40" },
      shared_buffers: { oldValue: "16384kB", newValue: "32MB" },
    });
    deepStrictEqual(await sql(a, "SHOW work_mem"), [{ work_mem: "7MB" }]);
    await a.manager.applySettings(settings, signal);
    await eventually(
      a.manager,
      (view) => view.kind === "primary" && Object.keys(view.pendingRestart).length === 0,
    );
  },
);

onServers("follow() undoes what ALTER SYSTEM did to the recovery settings", async (dir) => {
  await using a = member(dir, "a");
  await using b = member(dir, "b");
  await bootstrapped(a);
  await streaming(b, a);
  await sql(b, "ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=1'");
  deepStrictEqual(await b.manager.follow(a.source, settings, job()), { kind: "done" });
  const [row] = await sql(b, "SHOW primary_conninfo");
  match(String(row?.["primary_conninfo"]), new RegExp(`port=${a.options.listen.port} `));
});

onServers("bootstrap() leaves no password in the server's log, whatever is logged", async (dir) => {
  const parameters = {
    unix_socket_directories: dir,
    log_statement: "all",
    log_min_duration_statement: "0",
    log_min_error_statement: "debug5",
  };
  await using a = member(dir, "a", { parameters });
  await bootstrapped(a);
  const log = await Deno.readTextFile(serverLogPath(a.options.dataDir));
  match(log, /statement: BEGIN/);
  doesNotMatch(log, /PASSWORD|CREATE ROLE|ALTER ROLE/i);
});

onServers("startReplica() makes a server that outlives its agent and is adopted", async (dir) => {
  await using a = member(dir, "a");
  await bootstrapped(a);
  await a.manager.stop("fast", false, NO_ESCALATION, job());
  const script = new URL("../postgres/start_and_exit.ts", import.meta.url).pathname;
  const agent = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--cached-only", script, dir, String(a.options.listen.port)],
  });
  strictEqual((await agent.output()).code, 0);
  strictEqual((await look(a.manager)).kind, "replica");
  deepStrictEqual(await a.manager.stop("fast", false, NO_ESCALATION, job()), { kind: "done" });
});

onServers("stop() checkpoints first, and a replica has all of it", async (dir) => {
  await using a = member(dir, "a");
  await using b = member(dir, "b");
  await bootstrapped(a);
  await streaming(b, a);
  await sql(a, "CREATE TABLE public.t AS SELECT generate_series(1, 10000) AS x");
  await a.manager.stop("fast", true, NO_ESCALATION, job());
  const view = await look(a.manager);
  if (view.kind !== "down") throw new Error("Cannot go on: the server is not down");
  strictEqual(view.control.state, "shut down");
  const { checkpointLsn } = view.control;
  await eventually(
    b.manager,
    (one) => one.kind === "replica" && (one.replayedLsn ?? 0n) > checkpointLsn,
  );
});

onServers(
  "syncSlots() makes slots that hold WAL, moves them on and drops idle ones only",
  async (dir) => {
    await using a = member(dir, "a");
    await using b = member(dir, "b");
    await bootstrapped(a);
    await streaming(b, a);
    const signal = new AbortController().signal;
    const create = { create: ["c", "d"], drop: [], advance: [] };
    deepStrictEqual(await a.manager.syncSlots(create, signal), { kind: "done" });
    deepStrictEqual(await a.manager.syncSlots(create, signal), { kind: "done" });
    await sql(a, "CREATE TABLE public.t AS SELECT generate_series(1, 1000) AS x");
    const before = await look(a.manager);
    if (before.kind !== "primary") throw new Error("Cannot go on: this is no primary");
    const change = { create: [], drop: ["b", "d"], advance: [{ name: "c", to: before.lsn }] };
    await a.manager.syncSlots(change, signal);
    const view = await look(a.manager);
    const slots = view.kind === "primary" ? view.slots : [];
    deepStrictEqual(slots.map(({ name, active }) => [name, active]), [["b", true], ["c", false]]);
    strictEqual(slots[1]?.restartLsn, before.lsn);
    strictEqual(view.kind === "primary" && view.senders[0]?.applicationName, "b");
  },
);

onServers("probe() uses the server's socket directory when that is wanted", async (dir) => {
  await using a = member(dir, "a", { useUnixSocket: true });
  await bootstrapped(a);
  strictEqual((await look(a.manager)).kind, "primary");
  const rows = await sql(
    a,
    "SELECT client_addr FROM pg_stat_activity WHERE application_name = 'agent' AND pid <> pg_backend_pid()",
  );
  deepStrictEqual(rows, [{ client_addr: null }]);
});

onServers(
  "a replica tells its timeline by the socket where use_unix_socket_repl asks",
  async (dir) => {
    const initdb = ["--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync"];
    const bootstrap = { initdb, pgHba: [] };
    await using a = member(dir, "a", { useUnixSocketRepl: true, bootstrap });
    await bootstrapped(a);
    await sql(a, "ALTER SYSTEM SET log_replication_commands = on");
    await sql(a, "ALTER SYSTEM SET log_connections = on");
    await a.manager.stop("fast", false, NO_ESCALATION, job());
    deepStrictEqual(await a.manager.startReplica(null, settings, job()), { kind: "done" });
    const view = await eventually(a.manager, (now) => now.kind === "replica");
    strictEqual(view.kind === "replica" && view.timeline, 1);
    const log = await Deno.readTextFile(serverLogPath(a.options.dataDir));
    match(log, /connection received: host=\[local\]\n[^]*IDENTIFY_SYSTEM/);
  },
);

onServers("clone() keeps WAL and tablespaces outside of the data directory too", async (dir) => {
  await using a = member(dir, "a");
  await bootstrapped(a);
  await Deno.mkdir(`${dir}/space-a`);
  await sql(a, `CREATE TABLESPACE space LOCATION '${dir}/space-a'`);
  await sql(a, "CREATE TABLE public.t TABLESPACE space AS SELECT 1 AS x");
  const basebackup = [
    `--waldir=${dir}/wal-b`,
    `--tablespace-mapping=${dir}/space-a=${dir}/space-b`,
  ];
  await using b = member(dir, "b", { basebackup });
  await streaming(b, a);
  await b.manager.stop("fast", false, NO_ESCALATION, job());
  deepStrictEqual(await b.manager.clone(a.source, "move-aside", settings, job()), { kind: "done" });
  await eventually(b.manager, (view) => view.kind === "replica" && view.streaming);
  deepStrictEqual(await sql(b, "SELECT x FROM public.t"), [{ x: 1 }]);
  ok(await exists(`${dir}/space-b.diverged`));
  ok(await exists(`${b.options.dataDir}.diverged/pg_wal/archive_status`));
});
