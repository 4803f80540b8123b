import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { RunningSetting } from "../../lib/postgres/parameters.ts";
import {
  controlledSettings,
  fileParameters,
  isSameSetting,
  pendingRestart,
  raisedForStandby,
} from "../../lib/postgres/parameters.ts";
import { clusterSettings } from "./real_server.ts";

const OPTIONS = { listen: { hosts: ["10.0.0.1", "::1"], port: 5433 }, scope: "demo" };

function running(overrides: Partial<RunningSetting>): RunningSetting {
  return { name: "x", setting: "0", unit: null, vartype: "integer", ...overrides };
}

Deno.test("controlledSettings() takes cluster values, and the default for one below its minimum", () => {
  const parameters = {
    Max_Connections: "200",
    max_wal_senders: "1",
    port: "1",
    wal_level: "logical",
  };
  const found = controlledSettings(OPTIONS, clusterSettings({ parameters }));
  strictEqual(found["max_connections"], "200");
  strictEqual(found["max_wal_senders"], "10");
  strictEqual(found["port"], "5433");
  strictEqual(found["listen_addresses"], "10.0.0.1,::1");
  strictEqual(found["wal_level"], "logical");
  strictEqual(found["cluster_name"], "demo");
});

Deno.test("fileParameters() lets local values win, but not for controlled settings", () => {
  const settings = clusterSettings({ parameters: { work_mem: "1MB", max_connections: "50" } });
  const local = { WORK_MEM: "2MB", max_connections: "70", listen_addresses: "*" };
  deepStrictEqual(fileParameters(settings, local, 15), { work_mem: "2MB", wal_keep_size: "128MB" });
});

Deno.test("fileParameters() converts what keeps WAL between versions", () => {
  const segments = clusterSettings({ parameters: { wal_keep_segments: "4" } });
  const size = clusterSettings({ parameters: { wal_keep_size: "1GB" } });
  deepStrictEqual(fileParameters(segments, {}, 13), { wal_keep_size: "64MB" });
  deepStrictEqual(fileParameters(size, {}, 12), { wal_keep_segments: "64" });
});

Deno.test("raisedForStandby() never starts a standby with less than its data was written with", () => {
  const raised = raisedForStandby(
    { max_connections: "100", max_wal_senders: "10" },
    { max_connections: "500", max_wal_senders: "5" },
  );
  deepStrictEqual(raised, { max_connections: "500", max_wal_senders: "10" });
});

Deno.test("isSameSetting() sees through units, spellings and number forms", () => {
  const same: readonly (readonly [Partial<RunningSetting>, string])[] = [
    [{ setting: "16384", unit: "8kB" }, "128MB"],
    [{ setting: "64", unit: "MB" }, "64"],
    [{ setting: "300", unit: "s" }, "5min"],
    [{ setting: "1024", unit: "16MB" }, "16GB"],
    [{ setting: "on", vartype: "bool" }, "TRUE"],
    [{ setting: "off", vartype: "bool" }, "0"],
    [{ setting: "0.5", vartype: "real" }, "0.50"],
    [{ setting: "replica", vartype: "enum" }, "Replica"],
    [{ setting: "-1" }, "-1"],
    [{ setting: "100", unit: "ms" }, "100ms"],
  ];
  for (const [row, wanted] of same) strictEqual(isSameSetting(running(row), wanted), true, wanted);
});

Deno.test("isSameSetting() sees a difference", () => {
  strictEqual(isSameSetting(running({ setting: "16384", unit: "8kB" }), "64MB"), false);
  strictEqual(isSameSetting(running({ setting: "on", vartype: "bool" }), "off"), false);
  strictEqual(isSameSetting(running({ setting: "a", vartype: "string" }), "A"), false);
});

Deno.test("pendingRestart() tells old and new value as text, and nothing of hot_standby", () => {
  const rows = [
    running({ name: "shared_buffers", setting: "2048", unit: "8kB" }),
    running({ name: "hot_standby", setting: "off", vartype: "bool" }),
  ];
  deepStrictEqual(pendingRestart(rows, { shared_buffers: "32MB", hot_standby: "on" }), {
    shared_buffers: { oldValue: "16384kB", newValue: "32MB" },
  });
});
