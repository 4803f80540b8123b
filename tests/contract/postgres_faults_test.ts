import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import type { PostgresView } from "../../lib/core/node_view.ts";
import { findFillers, findServerProcesses, parsePostmasterPid } from "../../lib/host/processes.ts";
import { PostgresManager } from "../../lib/postgres/manager.ts";
import type { Member } from "../postgres/real_server.ts";
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
} from "../postgres/real_server.ts";

const settings = clusterSettings();

onServers(
  "D1 startPrimary() recovers from a kill of the postmaster with a query running",
  async (dir) => {
    await using a = member(dir, "a");
    await bootstrapped(a);
    const deaths = new AbortController();
    const died = Promise.withResolvers<void>();
    await look(a.manager);
    const watch = a.manager.watchPostmaster(died.resolve, deaths.signal);
    const query = sql(a, BUSY).catch((error: Error) => error.name);
    await busyBackend(a);
    Deno.kill(await postmasterPid(a), "SIGKILL");
    await died.promise;
    deaths.abort();
    await watch;
    const view = await look(a.manager);
    strictEqual(await query, "PostgresUnreachable");
    strictEqual(view.kind === "down" && view.crashed, true);
    deepStrictEqual(findServerProcesses(a.options.dataDir, "postgres"), []);
    const limitMs = systemClock.bootMs() + 5000;
    const started = await a.manager.startPrimary(limitMs, 20_000, settings, job());
    deepStrictEqual(started, { kind: "done" });
  },
);

onServers(
  "probe() of a new process sees a server whose directory was removed, and stop() ends it",
  async (dir) => {
    await using a = member(dir, "a");
    await bootstrapped(a);
    const next = new PostgresManager(a.options);
    const view = await withoutDirectory(a, next);
    deepStrictEqual([view.kind, view.kind === "silent" && view.lastRole], ["silent", "primary"]);
    const killAtMs = systemClock.bootMs() + 3000;
    await next.stop("immediate", false, { immediateAtMs: null, killAtMs }, job());
    deepStrictEqual(await look(next), { kind: "no-data" });
  },
);

onServers("stop() ends a stopped postmaster and its busy children by escalation", async (dir) => {
  await using a = member(dir, "a");
  await bootstrapped(a);
  await look(a.manager);
  const query = sql(a, BUSY).catch((error: Error) => error.name);
  await busyBackend(a);
  Deno.kill(await postmasterPid(a), "SIGSTOP");
  const nowMs = systemClock.bootMs();
  const escalation = { immediateAtMs: nowMs + 300, killAtMs: nowMs + 800 };
  deepStrictEqual(await a.manager.stop("fast", false, escalation, job()), { kind: "done" });
  deepStrictEqual(findServerProcesses(a.options.dataDir, "postgres"), []);
  ok(systemClock.bootMs() - nowMs < 3000);
  strictEqual(await query, "PostgresUnreachable");
});

onServers("startPrimary() and promote() do nothing after their right has ended", async (dir) => {
  await using a = member(dir, "a");
  await bootstrapped(a);
  await a.manager.stop("fast", false, NO_ESCALATION, job());
  const pastMs = systemClock.bootMs() - 1;
  const started = await a.manager.startPrimary(pastMs, 5000, settings, job());
  strictEqual(started.kind, "failed");
  strictEqual((await look(a.manager)).kind, "down");
  await a.manager.startReplica(null, settings, job());
  strictEqual((await a.manager.promote(pastMs, job())).kind, "failed");
  strictEqual((await look(a.manager)).kind, "replica");
});

onServers("startPrimary() looks at the clock when all else is ready", async (dir) => {
  await using a = member(dir, "a");
  await bootstrapped(a);
  await a.manager.stop("fast", false, NO_ESCALATION, job());
  const folder = `${a.options.dataDir}/log`;
  await Deno.remove(folder, { recursive: true });
  // The disk hangs for a minute when the folder of the log is made.
  const isMade = (): boolean =>
    [...Deno.readDirSync(a.options.dataDir)].some((one) => one.name === "log");
  const bootMs = (): number => systemClock.bootMs() + (isMade() ? 60_000 : 0);
  await using late = member(dir, "a", { ...a.options, clock: { ...systemClock, bootMs } });
  const untilMs = bootMs() + 30_000;
  const started = await late.manager.startPrimary(untilMs, 5000, settings, job());
  match(started.kind === "failed" ? started.why : "", /the right to do so has ended/);
  strictEqual((await look(a.manager)).kind, "down");
});

onServers("clone() fails before anything is given up when the password is wrong", async (dir) => {
  await using a = member(dir, "a");
  await bootstrapped(a);
  const { superuser } = a.options.authentication;
  const wrong = { username: "repl", password: "wrong", options: {} };
  const authentication = { superuser, replication: wrong, rewind: null };
  await using b = member(dir, "b", { authentication });
  const result = await b.manager.clone(a.source, "refuse", settings, job());
  match(result.kind === "failed" ? result.why : "", /password authentication failed/);
  deepStrictEqual(await look(b.manager), { kind: "no-data" });
});

onServers("bootstrap() names the port that is in use", async (dir) => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const listen = { hosts: ["127.0.0.1"], port: listener.addr.port };
  await using a = member(dir, "a", { listen });
  const result = await a.manager.bootstrap(settings, job());
  match(result.kind === "failed" ? result.why : "", /Address already in use/);
  deepStrictEqual(await look(a.manager), { kind: "no-data" });
});

onServers("D18 clone() leaves nothing behind when it is cancelled", async (dir) => {
  await using a = member(dir, "a");
  await using b = member(dir, "b", { basebackup: ["--max-rate=1M"] });
  await bootstrapped(a);
  const cancel = new AbortController();
  const report = (text: string): void => text.startsWith("copied 1") ? cancel.abort() : undefined;
  const context = job({ signal: cancel.signal, report });
  const result = await b.manager.clone(a.source, "refuse", settings, context);
  deepStrictEqual(result, { kind: "cancelled" });
  deepStrictEqual(await look(b.manager), { kind: "no-data" });
  deepStrictEqual(findFillers(b.options.dataDir), []);
});

onServers(
  "D8 startPrimary() ignores a pid file whose number another program has now",
  async (dir) => {
    await using a = member(dir, "a");
    await bootstrapped(a);
    await look(a.manager);
    await a.manager.stop("immediate", false, NO_ESCALATION, job());
    const pidFile = `${a.options.dataDir}/postmaster.pid`;
    await Deno.writeTextFile(pidFile, `${Deno.pid}\n${a.options.dataDir}\n1\n1\n\n\n\n`);
    strictEqual((await look(a.manager)).kind, "down");
    const limitMs = systemClock.bootMs() + 5000;
    const started = await a.manager.startPrimary(limitMs, 20_000, settings, job());
    deepStrictEqual(started, { kind: "done" });
  },
);

onServers("probe() calls a server silent that lets the superuser not in", async (dir) => {
  await using a = member(dir, "a");
  await bootstrapped(a);
  const { replication } = a.options.authentication;
  const superuser = { username: "postgres", password: "wrong", options: {} };
  const authentication = { superuser, replication, rewind: null };
  const other = new PostgresManager({ ...a.options, authentication });
  const view = await look(other);
  strictEqual(view.kind === "silent" && view.lastRole, "primary");
  await other.close();
});

onServers("D6 probe() finds the server of a removed directory, and stop() ends it", async (dir) => {
  await using a = member(dir, "a");
  await bootstrapped(a);
  await look(a.manager);
  const view = await withoutDirectory(a, a.manager);
  strictEqual(view.kind === "silent" && view.lastRole, "primary");
  deepStrictEqual(await a.manager.stop("fast", false, NO_ESCALATION, job()), { kind: "done" });
  deepStrictEqual(await look(a.manager), { kind: "no-data" });
});

onServers("D13 startPrimary() stops what it started when it is cancelled", async (dir) => {
  await using a = member(dir, "a");
  await bootstrapped(a);
  await a.manager.stop("fast", false, NO_ESCALATION, job());
  const cancel = new AbortController();
  const limitMs = systemClock.bootMs() + 10_000;
  const started = a.manager.startPrimary(limitMs, 20_000, settings, job({ signal: cancel.signal }));
  await eventually(a.manager, (view) => view.kind !== "down");
  cancel.abort();
  const end = await started;
  const view = await look(a.manager);
  strictEqual(view.kind, end.kind === "cancelled" ? "down" : "primary");
});

onServers("stop() yields to a harsher stop", async (dir) => {
  await using a = member(dir, "a");
  await bootstrapped(a);
  await look(a.manager);
  Deno.kill(await postmasterPid(a), "SIGSTOP");
  const preempted = new AbortController();
  const gentle = a.manager.stop("fast", false, NO_ESCALATION, job({ signal: preempted.signal }));
  preempted.abort();
  deepStrictEqual(await gentle, { kind: "cancelled" });
  const killAtMs = systemClock.bootMs() + 100;
  const escalation = { immediateAtMs: null, killAtMs };
  deepStrictEqual(await a.manager.stop("immediate", false, escalation, job()), { kind: "done" });
});

onServers("startReplica() finds the reason in the collector's file", async (dir) => {
  const parameters = { unix_socket_directories: dir, logging_collector: "on" };
  await using a = member(dir, "a", { parameters });
  await bootstrapped(a);
  await a.manager.stop("fast", false, NO_ESCALATION, job());
  using _taken = Deno.listen({ hostname: "127.0.0.1", port: a.options.listen.port });
  const result = await a.manager.startReplica(null, settings, job());
  match(result.kind === "failed" ? result.why : "", /Address already in use/);
});

/** A file system of 64 MB that scripts/test mounts; without it the two cases are skipped by name. */
const SMALL_DISK = Deno.env.get("AGENT_SMALL_DISK") ?? null;

onServers("clone() fails before it begins when the copy does not fit", async (dir) => {
  await using a = member(dir, "a");
  await bootstrapped(a);
  await using b = member(dir, "b", { dataDir: `${SMALL_DISK}/b` });
  const result = await b.manager.clone(a.source, "refuse", settings, job());
  match(result.kind === "failed" ? result.why : "", /MB needed, \d+ MB free/);
  deepStrictEqual(await look(b.manager), { kind: "no-data" });
}, { ignore: SMALL_DISK === null });

onServers("clone() cleans up when the disk is full in its middle", async (dir) => {
  await using a = member(dir, "a");
  await bootstrapped(a);
  const { replication } = a.options.authentication;
  const superuser = { username: "postgres", password: "wrong", options: {} };
  const authentication = { superuser, replication, rewind: null };
  await using b = member(dir, "b", { dataDir: `${SMALL_DISK}/b`, authentication });
  await Deno.writeFile(`${SMALL_DISK}/filler`, new Uint8Array(45 << 20));
  const result = await b.manager.clone(a.source, "refuse", settings, job());
  match(result.kind === "failed" ? result.why : "", /No space left/);
  deepStrictEqual(await look(b.manager), { kind: "no-data" });
}, { ignore: SMALL_DISK === null });

/** A backend that never looks whether its postmaster lives. */
/** What a look shows once the directory is removed. A process that misses a file may end the server: it is held meanwhile. */
async function withoutDirectory(
  { options }: Member,
  looking: PostgresManager,
): Promise<PostgresView> {
  const { dataDir } = options;
  const pid = Number((await Deno.readTextFile(`${dataDir}/postmaster.pid`)).split("\n")[0]);
  Deno.kill(pid, "SIGSTOP");
  try {
    await Deno.remove(dataDir, { recursive: true });
    return await look(looking);
  } finally {
    Deno.kill(pid, "SIGCONT");
  }
}

const BUSY = "SELECT count(*) FROM generate_series(1, 10000000000) AS busy";

async function busyBackend(one: Member): Promise<void> {
  await eventually(one.manager, (view) => view.kind === "primary");
  for (;;) {
    const [row] = await sql(
      one,
      "SELECT count(*)::int AS n FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%AS busy'",
    );
    if (row?.["n"] === 1) return;
  }
}

async function postmasterPid(one: Member): Promise<number> {
  const file = parsePostmasterPid(
    await Deno.readTextFile(`${one.options.dataDir}/postmaster.pid`),
  );
  if (file === null) throw new Error("Cannot find the postmaster: no pid in its file");
  return file.pid;
}

onServers(
  "D10 startReplica() tells the server's own words when the data is of another version",
  async (dir) => {
    await using a = member(dir, "a");
    await bootstrapped(a);
    deepStrictEqual(await a.manager.stop("fast", false, NO_ESCALATION, job()), { kind: "done" });
    await Deno.writeTextFile(`${a.options.dataDir}/PG_VERSION`, "14\n");
    const started = await a.manager.startReplica(null, clusterSettings(), job());
    ok(started.kind === "failed" && /incompatible|version/i.test(started.why), started.kind);
  },
);
