import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import {
  bootstrapped,
  clusterSettings,
  eventually,
  type Member,
  member,
  onServers,
  sql,
  streaming,
} from "../postgres/real_server.ts";

const signal = new AbortController().signal;

/** When the server read its files last. */
async function loadedAt(one: Member): Promise<string> {
  const [row] = await sql(one, "SELECT pg_conf_load_time()::text AS at");
  return String(row?.["at"]);
}

/** Process of the WAL sender; undefined while there is none. */
async function senderOf(one: Member): Promise<unknown> {
  const [row] = await sql(one, "SELECT pid FROM pg_stat_replication WHERE state = 'streaming'");
  return row?.["pid"];
}

/** A new connection may come so soon that no look sees the time between. */
async function anotherSender(one: Member, before: unknown): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const now = await senderOf(one);
    if (now !== undefined && now !== before) return;
    await systemClock.sleep(50);
  }
  throw new Error("Cannot see another WAL sender");
}

async function apply(one: Member, mustReload: boolean): Promise<void> {
  const done = await one.manager.applySettings(clusterSettings(), signal, mustReload);
  deepStrictEqual(done, { kind: "done" });
}

onServers("applySettings() reloads an unchanged server only when it must", async (dir) => {
  await using a = member(dir, "a");
  await bootstrapped(a);
  await apply(a, false);
  const before = await loadedAt(a);
  await apply(a, false);
  await systemClock.sleep(300);
  strictEqual(await loadedAt(a), before);
  await apply(a, true);
  await systemClock.sleep(300);
  ok(await loadedAt(a) !== before);
});

onServers("reconfigure() brings new parameters and hba lines into force", async (dir) => {
  await using a = member(dir, "a");
  await bootstrapped(a);
  a.manager.reconfigure({
    ...a.options,
    parameters: { unix_socket_directories: dir, work_mem: "6MB" },
    pgHba: ["host all postgres 127.0.0.1/32 scram-sha-256"],
  });
  await apply(a, true);
  await systemClock.sleep(300);
  deepStrictEqual(await sql(a, "SHOW work_mem"), [{ work_mem: "6MB" }]);
  match(await Deno.readTextFile(`${dir}/a/pg_hba.conf`), /^# .*\nhost all postgres [^\n]*\n$/);
});

onServers(
  "I8 a new replication password reaches the passfile of a running replica, which streams on",
  async (dir) => {
    await using a = member(dir, "a");
    await using b = member(dir, "b");
    await bootstrapped(a);
    await streaming(b, a);
    const { authentication, pgpass } = b.options;
    await sql(a, "ALTER ROLE repl PASSWORD 'rotated'");
    const replication = { ...authentication.replication, password: "rotated" };
    b.manager.reconfigure({ ...b.options, authentication: { ...authentication, replication } });
    await apply(b, true);
    match(await Deno.readTextFile(pgpass), /:repl:rotated\n$/);
    const before = await senderOf(a);
    await sql(a, "SELECT pg_terminate_backend(pid) FROM pg_stat_replication");
    await anotherSender(a, before);
    await eventually(b.manager, (view) => view.kind === "replica" && view.streaming);
    const [row] = await sql(b, "SHOW primary_conninfo");
    match(String(row?.["primary_conninfo"]), new RegExp(`port=${a.options.listen.port} `));
  },
);

onServers("a Kerberos service name goes to whoever copies and streams", async (dir) => {
  await using a = member(dir, "a");
  await using b = member(dir, "b", { krbsrvname: "pg" });
  await bootstrapped(a);
  await streaming(b, a);
  const [row] = await sql(b, "SHOW primary_conninfo");
  match(String(row?.["primary_conninfo"]), / krbsrvname=pg /);
});
