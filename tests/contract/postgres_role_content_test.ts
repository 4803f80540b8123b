import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import type { ContentByRole } from "../../lib/core/role_content.ts";
import {
  bootstrapped,
  clusterSettings,
  eventually,
  job,
  type Member,
  member,
  NO_ESCALATION,
  onServers,
  sql,
  streaming,
} from "../postgres/real_server.ts";

const BY_ROLE: ContentByRole = {
  primary: {
    parameters: { work_mem: "9MB", max_files_per_process: "900" },
    pgHba: ["host all all 127.0.0.1/32 scram-sha-256", "host replication repl samehost md5"],
    pgIdent: null,
  },
  replica: { parameters: { work_mem: "3MB" }, pgHba: null, pgIdent: ["map os db"] },
};
const PRIMARY_HBA = /^# .*\nhost all all 127\.0\.0\.1\/32 scram-sha-256\nhost replication repl/;

async function apply(one: Member): Promise<void> {
  const { signal } = new AbortController();
  deepStrictEqual(await one.manager.applySettings(clusterSettings(), signal), { kind: "done" });
}

async function workMem(one: Member): Promise<unknown> {
  return (await sql(one, "SHOW work_mem"))[0]?.["work_mem"];
}

async function hba(one: Member): Promise<string> {
  return await Deno.readTextFile(`${one.options.dataDir}/pg_hba.conf`);
}

onServers("files follow the role of the server, and a restart it needs is told", async (dir) => {
  await using a = member(dir, "a", { byRole: BY_ROLE });
  await using b = member(dir, "b", { byRole: BY_ROLE });
  await bootstrapped(a);
  strictEqual(await workMem(a), "9MB");
  match(await hba(a), PRIMARY_HBA);

  await streaming(b, a);
  strictEqual(await workMem(b), "3MB");
  match(await hba(b), /^# PostgreSQL Client Authentication[^]*\nhost replication repl 127/);
  match(await Deno.readTextFile(`${b.options.dataDir}/pg_ident.conf`), /\nmap os db\n/);

  await a.manager.stop("fast", false, NO_ESCALATION, job());
  deepStrictEqual(await b.manager.promote(systemClock.bootMs() + 10_000, job()), { kind: "done" });
  await apply(b);
  const view = await eventually(b.manager, (now) => {
    return now.kind === "primary" && Object.keys(now.pendingRestart).length > 0;
  });
  deepStrictEqual(view.kind === "primary" && view.pendingRestart, {
    max_files_per_process: { oldValue: "1000", newValue: "900" },
  });
  strictEqual(await workMem(b), "9MB");
  match(await hba(b), PRIMARY_HBA);

  const follows = await a.manager.startReplica(b.source, clusterSettings(), job());
  deepStrictEqual(follows, { kind: "done" });
  strictEqual(await workMem(a), "3MB");
  match(await hba(a), /^# PostgreSQL Client Authentication/);
  const fresh = await eventually(a.manager, (now) => now.kind === "replica");
  deepStrictEqual(fresh.kind === "replica" && fresh.pendingRestart, {});
});

onServers("the cluster's content of a role yields to the local file", async (dir) => {
  const none = { parameters: {}, pgHba: null, pgIdent: null };
  const settings = clusterSettings({
    byRole: { primary: { ...none, parameters: { work_mem: "5MB" } }, replica: none },
  });
  await using a = member(dir, "a", {
    parameters: { unix_socket_directories: dir, work_mem: "2MB" },
  });
  await bootstrapped(a);
  const { signal } = new AbortController();
  await a.manager.applySettings(settings, signal);
  await eventually(a.manager, (view) => view.kind === "primary");
  for (let tries = 0; tries < 50 && await workMem(a) !== "5MB"; tries++) {
    await systemClock.sleep(100);
  }
  strictEqual(await workMem(a), "5MB");
});
