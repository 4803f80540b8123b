import { deepStrictEqual } from "node:assert/strict";
import { within } from "../../lib/base/deadline.ts";
import { systemClock } from "../../lib/base/clock.ts";
import type { Source } from "../../lib/core/action.ts";
import type { PostgresView } from "../../lib/core/node_view.ts";
import type { Settings } from "../../lib/core/settings.ts";
import { PostgresManager } from "../../lib/postgres/manager.ts";
import type { PostgresOptions } from "../../lib/postgres/options.ts";
import type { JobContext } from "../../lib/postgres/port.ts";
import type { Row } from "../../lib/postgres/session.ts";
import { withSession } from "../../lib/postgres/session.ts";
import { freePorts } from "../../scripts/playground/processes.ts";

/** A stop that takes the time it needs. */
export const NO_ESCALATION = { immediateAtMs: null, killAtMs: null };

/** A password that every layer has to quote: case I7. */
export const AWKWARD_PASSWORD = "p %'\"\\:é$";

/** Settings of a small cluster. */
export function clusterSettings(overrides: Partial<Settings> = {}): Settings {
  return {
    ttlS: 30,
    loopWaitS: 10,
    retryTimeoutS: 10,
    maximumLagOnFailover: 1048576,
    checkTimeline: true,
    maxTimelinesHistory: 0,
    primaryStartTimeoutS: 300,
    primaryStopTimeoutS: 0,
    memberSlotsTtlS: 1800,
    useSlots: true,
    paused: false,
    failsafeMode: false,
    parameters: { shared_buffers: "16MB", fsync: "off", max_connections: "30" },
    pgHba: null,
    pgIdent: null,
    recoveryConf: {},
    unsupported: [],
    warnings: [],
    ...overrides,
  };
}

/** One member: its manager and how to reach and break it. */
export interface Member extends AsyncDisposable {
  readonly options: PostgresOptions;
  readonly manager: PostgresManager;
  readonly source: Source;
}

/** A member `name` under `dir` on a free port; disposal kills its server and everything in its directory. */
export function member(
  dir: string,
  name: string,
  overrides: Partial<PostgresOptions> = {},
): Member {
  const port = overrides.listen?.port ?? freePort();
  const options = memberOptions(dir, { name, port }, overrides);
  const manager = new PostgresManager(options);
  return {
    options,
    manager,
    source: { name, connUrl: `postgres://127.0.0.1:${port}/postgres` },
    async [Symbol.asyncDispose](): Promise<void> {
      const nowMs = systemClock.bootMs();
      await manager.stop(
        "immediate",
        false,
        { immediateAtMs: nowMs, killAtMs: nowMs + 3000 },
        job(),
      );
      await manager.close();
    },
  };
}

function memberOptions(
  dir: string,
  { name, port }: { readonly name: string; readonly port: number },
  overrides: Partial<PostgresOptions>,
): PostgresOptions {
  const role = (username: string) => ({ username, password: AWKWARD_PASSWORD, options: {} });
  return {
    name,
    scope: "demo",
    slotName: name,
    clock: systemClock,
    listen: { hosts: ["127.0.0.1"], port },
    dataDir: `${dir}/${name}`,
    binDir: Deno.env.get("PG_BIN") ?? "/usr/lib/postgresql/15/bin",
    binName: {},
    pgpass: `${dir}/${name}.pgpass`,
    database: "postgres",
    useUnixSocket: false,
    authentication: {
      superuser: role("postgres"),
      replication: role("repl"),
      rewind: role("rewind user"),
    },
    parameters: { unix_socket_directories: dir },
    pgHba: null,
    pgIdent: null,
    recoveryConf: {},
    pgCtlTimeoutS: 30,
    basebackup: [],
    bootstrap: {
      initdb: ["--encoding=UTF8", "--auth=scram-sha-256", "--no-sync"],
      pgHba: ["host replication repl 127.0.0.1/32 scram-sha-256"],
    },
    ...overrides,
  };
}

/** A job that nobody cancels. */
export function job(overrides: Partial<JobContext> = {}): JobContext {
  return {
    signal: new AbortController().signal,
    report: () => {},
    passPointOfNoReturn: () => true,
    ...overrides,
  };
}

/** One look with a deadline. */
export async function look(manager: PostgresManager): Promise<PostgresView> {
  using deadline = within(5000);
  return await manager.probe(deadline.signal);
}

/** Looks until `isWanted` holds; fails with the last view after `limitMs`. */
export async function eventually(
  manager: PostgresManager,
  isWanted: (view: PostgresView) => boolean,
  limitMs = 15_000,
): Promise<PostgresView> {
  const untilMs = systemClock.bootMs() + limitMs;
  for (;;) {
    const view = await look(manager);
    if (isWanted(view)) return view;
    if (systemClock.bootMs() > untilMs) {
      throw new Error(`Cannot reach the wanted view: ${Deno.inspect(view)}`);
    }
    await systemClock.sleep(50);
  }
}

/** Runs SQL as superuser on the member's server. */
export async function sql(one: Member, text: string): Promise<readonly Row[]> {
  using deadline = within(10_000);
  const { options } = one;
  const login = options.authentication.superuser;
  const { host, port } = { host: "127.0.0.1", port: options.listen.port };
  const target = { host, port, database: "postgres", login, mode: "sql" } as const;
  return await withSession(
    target,
    (session) => session.query(text, [], deadline.signal),
    deadline.signal,
  );
}

/**
 * A test on real servers in a temporary folder that is removed afterwards. PostgreSQL refuses root: scripts/test runs
 * these as an unprivileged user. By hand: `setpriv --reuid postgres --regid postgres --init-groups -- env
 * HOME=/tmp/x DENO_DIR=<readable by it> deno test -A <file>`.
 */
export function onServers(
  title: string,
  work: (dir: string) => Promise<void>,
  options: { readonly ignore: boolean } = { ignore: false },
): void {
  Deno.test(title, options, async () => {
    if (Deno.uid() === 0) throw new Error("Cannot run a server as root: use setpriv as told above");
    const dir = await Deno.makeTempDir({ dir: "/var/tmp", prefix: "agent-pg-" });
    try {
      await work(dir);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
}

/** The member's server after a bootstrap as primary of a cluster of its own. */
export async function bootstrapped(one: Member): Promise<void> {
  deepStrictEqual(await one.manager.bootstrap(clusterSettings(), job()), { kind: "done" });
}

/** A copy of `source` that streams from it by its slot. */
export async function streaming(one: Member, source: Member): Promise<void> {
  const slots = { create: [one.options.slotName], drop: [], advance: [] };
  await source.manager.syncSlots(slots, new AbortController().signal);
  const copied = await one.manager.clone(source.source, "refuse", clusterSettings(), job());
  deepStrictEqual(copied, { kind: "done" });
  await eventually(one.manager, (view) => view.kind === "replica" && view.streaming);
}

/** A port that is free now. */
export function freePort(): number {
  return freePorts(1)[0] ?? 0;
}
