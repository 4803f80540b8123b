import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { findProcess } from "../../lib/host/processes.ts";
import { parseLsn } from "../../lib/core/lsn.ts";
import { parseControlData } from "../../lib/postgres/controldata.ts";
import type { PostgresOptions } from "../../lib/postgres/options.ts";
import {
  bootstrapped,
  eventually,
  job,
  member,
  NO_ESCALATION,
  onServers,
  sql,
} from "../postgres/real_server.ts";

function shell(script: string): readonly string[] {
  return ["/bin/sh", "-c", script];
}

function hooks(given: Partial<NonNullable<PostgresOptions["hooks"]>>): Partial<PostgresOptions> {
  return { hooks: { prePromote: null, beforeStop: null, ...given } };
}

async function textOf(path: string): Promise<string> {
  return await Deno.readTextFile(path).catch(() => "");
}

onServers("B17 prePromote() passes on exit code 0 alone", async (dir) => {
  const cases = [["exit 0", "done"], ["echo no >&2; exit 1", "failed"]] as const;
  for (const [script, expected] of cases) {
    await using a = member(dir, "a", hooks({ prePromote: shell(script) }));
    strictEqual((await a.manager.prePromote(job())).kind, expected);
  }
  await using missing = member(dir, "a", hooks({ prePromote: ["/nonexistent/hook"] }));
  strictEqual((await missing.manager.prePromote(job())).kind, "failed");
  await using none = member(dir, "a");
  strictEqual((await none.manager.prePromote(job())).kind, "done");
});

onServers("B16 prePromote() ends the program when the lock is lost", async (dir) => {
  const file = `${dir}/pids`;
  const script = shell(`sleep 300 & echo $$ $! > ${file}; wait`);
  await using a = member(dir, "a", hooks({ prePromote: script }));
  const lost = new AbortController();
  const running = a.manager.prePromote(job({ signal: lost.signal }));
  while (await textOf(file) === "") await systemClock.sleep(10);
  lost.abort();
  deepStrictEqual(await running, { kind: "cancelled" });
  const pids = (await textOf(file)).trim().split(" ").map(Number);
  deepStrictEqual(pids.map(findProcess), [null, null]);
});

onServers(
  "stop() runs before_stop while the server still serves, and ignores its result",
  async (dir) => {
    const file = `${dir}/stopping`;
    const pid = `$(head -1 ${dir}/a/postmaster.pid)`;
    const script = shell(`kill -0 "${pid}" && echo serving > ${file}; exit 7`);
    await using a = member(dir, "a", hooks({ beforeStop: script }));
    await bootstrapped(a);
    deepStrictEqual(await a.manager.stop("fast", false, NO_ESCALATION, job()), { kind: "done" });
    strictEqual(await textOf(file), "serving\n");
  },
);

onServers(
  "D14 probe() shows the shutdown checkpoint while the archiver is blocked",
  async (dir) => {
    const gate = `${dir}/gate`;
    const parameters = {
      unix_socket_directories: dir,
      archive_mode: "on",
      archive_command: `while [ ! -e ${gate} ]; do sleep 0.1; done`,
    };
    await using a = member(dir, "a", { parameters });
    await bootstrapped(a);
    const stopping = a.manager.stop("fast", true, NO_ESCALATION, job());
    const view = await eventually(
      a.manager,
      (one) => one.kind === "silent" && one.stopping?.state === "shut down",
    );
    ok(view.kind === "silent" && view.lastRole === "primary");
    await Deno.writeTextFile(gate, "");
    deepStrictEqual(await stopping, { kind: "done" });
    const end = await eventually(a.manager, (one) => one.kind === "down");
    ok(end.kind === "down" && end.control.checkpointLsn === view.stopping?.checkpointLsn);
  },
);

onServers(
  "F15 stop() has its checkpoint written while the server still takes writes",
  async (dir) => {
    const [file, gate] = [`${dir}/checkpoint`, `${dir}/gate`];
    const controldata = `${Deno.env.get("PG_BIN") ?? "/usr/lib/postgresql/15/bin"}/pg_controldata`;
    const wait = `while [ ! -e ${gate} ]; do sleep 0.05; done`;
    const script = shell(
      `LC_ALL=C ${controldata} -D ${dir}/a >${file}.new; mv ${file}.new ${file}; ${wait}`,
    );
    await using a = member(dir, "a", hooks({ beforeStop: script }));
    await bootstrapped(a);
    await sql(a, "CREATE TABLE public.kept AS SELECT generate_series(1, 1000) AS id");
    const [before] = await sql(a, "SELECT pg_current_wal_flush_lsn()::text AS lsn");

    const stopping = a.manager.stop("fast", true, NO_ESCALATION, job());
    while (await textOf(file) === "") await systemClock.sleep(10);
    const [written] = await sql(a, "INSERT INTO public.kept VALUES (0) RETURNING id");
    strictEqual(written?.["id"], 0);
    await Deno.writeTextFile(gate, "");
    deepStrictEqual(await stopping, { kind: "done" });

    const control = parseControlData(await textOf(file));
    const dirty = parseLsn(String(before?.["lsn"]));
    ok(control !== null && dirty !== null && control.checkpointLsn >= dirty);
    strictEqual(control.state, "in production");
  },
);

onServers(
  "F15 stop() ends its checkpoint when the stop is cancelled or must be harsher",
  async (dir) => {
    await using a = member(dir, "a");
    await bootstrapped(a);
    const cancelled = new AbortController();
    cancelled.abort();
    const held = job({ signal: cancelled.signal, passPointOfNoReturn: () => false });
    deepStrictEqual(await a.manager.stop("fast", true, NO_ESCALATION, held), { kind: "cancelled" });
    strictEqual((await eventually(a.manager, (one) => one.kind === "primary")).kind, "primary");
    const nowMs = systemClock.bootMs();
    const late = { immediateAtMs: nowMs - 1, killAtMs: nowMs + 3000 };
    deepStrictEqual(await a.manager.stop("fast", true, late, job()), { kind: "done" });
    ok(systemClock.bootMs() - nowMs < 5000);
  },
);
