import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { silentLog } from "../../lib/base/log.ts";
import { Reloader } from "../../lib/cli/reload.ts";
import { SelfHolder } from "../../lib/cli/self.ts";
import type { AgentConfig } from "../../lib/config/agent_config.ts";
import { restartKeys } from "../../lib/config/restart_keys.ts";
import { configOf, errorOf } from "../config/files.ts";

interface Trial {
  readonly reloader: Reloader;
  readonly applied: AgentConfig[];
  readonly lines: string[];
}

function trial(reread: () => Promise<AgentConfig>, remark: string | null = null): Trial {
  const applied: AgentConfig[] = [];
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const log = { ...silentLog, info: write, error: write, warn: write };
  const apply = (next: AgentConfig): Promise<string | null> => {
    applied.push(next);
    return Promise.resolve(remark);
  };
  const announce = (): void => {};
  const reloader = new Reloader({ config: configOf(), reread, apply, announce, log });
  return { reloader, applied, lines };
}

Deno.test("reload() applies what can change and names what waits for a restart of the agent", async () => {
  const next = configOf(["tags.nofailover", true], ["postgresql.listen", "10.0.0.1:5433"]);
  const { reloader, applied, lines } = trial(() => Promise.resolve(next));

  const { isTaken, text } = await reloader.reload();
  deepStrictEqual([isTaken, applied, lines], [true, [next], [text]]);
  match(text, /^Reloaded the configuration; in force after .*: postgresql\.listen$/);
});

Deno.test("reload() tells and logs what is to be said of what it took", async () => {
  const { reloader, lines } = trial(() => Promise.resolve(configOf()), "etcd refuses it");

  const { isTaken, text } = await reloader.reload();
  deepStrictEqual([isTaken, lines[0]], [true, "etcd refuses it"]);
  match(text, /^Reloaded the configuration\. etcd refuses it$/);
});

Deno.test("reload() keeps the old configuration when the new one has faults, and tells them", async () => {
  const { reloader, applied, lines } = trial(() => Promise.reject(errorOf("scope: a/b")));

  const { isTaken, text } = await reloader.reload();
  match(text, /scope: expected a name/);
  deepStrictEqual([isTaken, applied], [false, []]);
  match(lines[0] ?? "", /the old one stays in force: [^]*scope/);
});

Deno.test("reload() carries calls out one after the other", async () => {
  const order: string[] = [];
  let count = 0;
  const { reloader } = trial(async () => {
    const own = ++count;
    order.push(`begin ${own}`);
    await Promise.resolve();
    order.push(`end ${own}`);
    return configOf();
  });
  void reloader.reload();
  void reloader.reload();
  await reloader.idle();

  deepStrictEqual(order, ["begin 1", "end 1", "begin 2", "end 2"]);
});

Deno.test("restartKeys() names nothing for what a reload brings into force", () => {
  const next = configOf(
    ["tags.zone", "x"],
    ["postgresql.parameters", { work_mem: "1MB" }],
    ["postgresql.pg_hba", ["local all all trust"]],
    ["postgresql.authentication.replication.password", "new"],
    ["postgresql.callbacks.on_start", "/x"],
    ["postgresql.create_replica_methods", ["x"]],
    ["postgresql.proxy_address", "10.0.0.1:6432"],
  );

  strictEqual(restartKeys(configOf(), next), "");
  strictEqual(
    restartKeys(configOf(), configOf(["scope", "other"], ["watchdog.mode", "off"])),
    "scope, watchdog, postgresql.pgpass, AGENT_STATE_DIR",
  );
});

Deno.test("restartKeys() leaves a login of etcd to the reload, unless it is gone", () => {
  const some = configOf(["etcd3.username", "agent"], ["etcd3.password", "old"]);
  const other = configOf(["etcd3.username", "other"], ["etcd3.password", "new"]);

  deepStrictEqual(
    [restartKeys(some, other), restartKeys(configOf(), some), restartKeys(some, configOf())],
    ["", "", "etcd3.username"],
  );
});

Deno.test("take() publishes tags and addresses of the new file under the name of the start", () => {
  const holder = new SelfHolder(configOf());
  holder.take(configOf(
    ["name", "other"],
    ["tags", { nofailover: true, zone: "x" }],
    ["postgresql.proxy_address", "10.0.0.1:6432"],
    ["postgresql.remove_data_directory_on_diverged_timelines", false],
  ));

  const { name, slotName, tags, proxyUrl, mayReclone } = holder.self;
  deepStrictEqual([name, slotName, mayReclone], ["a", "a", false]);
  deepStrictEqual(tags.published, { nofailover: true, zone: "x" });
  strictEqual(proxyUrl, "postgres://10.0.0.1:6432/postgres");
});
