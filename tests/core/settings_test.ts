import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import type { JsonObject } from "../../lib/base/json.ts";
import { leaseTiming } from "../../lib/core/lease_timing.ts";
import { decodeSettings, defaultSettings } from "../../lib/core/settings.ts";
import type { Settings } from "../../lib/core/settings.ts";

function settings(raw: JsonObject): Settings {
  const decoded = decodeSettings(raw);
  if ("fault" in decoded) throw new TypeError(decoded.fault);
  return decoded.settings;
}

function timing(raw: JsonObject): readonly number[] {
  const { ttlS, loopWaitS, retryTimeoutS } = settings(raw);
  return [ttlS, loopWaitS, retryTimeoutS];
}

Deno.test("decodeSettings() gives the defaults for an empty config", () => {
  deepStrictEqual(settings({}), defaultSettings);
});

const TIMINGS: readonly (readonly [string, JsonObject, readonly number[], number])[] = [
  ["keeps what fits", { ttl: 20, loop_wait: 2, retry_timeout: 9 }, [20, 2, 9], 0],
  ["reads texts", { ttl: "40", loop_wait: " 7 ", retry_timeout: "5" }, [40, 7, 5], 0],
  ["cuts fractions", { ttl: 30.9, loop_wait: 1.5 }, [30, 1, 10], 0],
  ["raises each to its least value", { ttl: 40, loop_wait: 0, retry_timeout: 1 }, [40, 1, 3], 2],
  ["shortens the pause first", { ttl: 25 }, [25, 5, 10], 1],
  ["shortens both when the pause alone cannot", { ttl: 10 }, [10, 1, 4], 2],
  ["raises ttl to the least budget", { ttl: 1 }, [5, 1, 2], 3],
  ["allows a ttl that Patroni would raise", { ttl: 19, retry_timeout: 4 }, [19, 10, 4], 1],
  ["never lowers ttl", { ttl: 300 }, [300, 10, 10], 0],
];

for (const [title, raw, expected, warnings] of TIMINGS) {
  Deno.test(`decodeSettings() ${title} in the timing settings`, () => {
    deepStrictEqual(timing(raw), expected);
    strictEqual(settings(raw).warnings.length, warnings);
  });
}

for (const bad of ["30s", "", null, true, [30], { s: 30 }, 1e12]) {
  Deno.test(`decodeSettings() is a fault when ttl is ${JSON.stringify(bad)}`, () => {
    ok("fault" in decodeSettings({ ttl: bad, maximum_lag_on_failover: 5 }));
  });
}

Deno.test("decodeSettings() gives a timing that fits the lease budget for any integers", () => {
  const seconds = fc.integer({ min: -10, max: 400 });
  fc.assert(fc.property(seconds, seconds, seconds, (ttl, loop_wait, retry_timeout) => {
    const { ttlS, loopWaitS, retryTimeoutS } = settings({ ttl, loop_wait, retry_timeout });
    ok(loopWaitS >= 1 && retryTimeoutS >= 2 && loopWaitS + 2 * retryTimeoutS <= ttlS);
    const { renewEveryMs, consentMs, stopBeforeMs, ttlMs } = leaseTiming(ttlS, loopWaitS);
    ok(renewEveryMs > 0 && ttlMs / 4 + consentMs + stopBeforeMs < ttlMs);
  }));
});

Deno.test("decodeSettings() falls back with a warning when a value cannot be used", () => {
  const found = settings({ maximum_lag_on_failover: "1MB", primary_start_timeout: -1 });

  strictEqual(found.maximumLagOnFailover, 1048576);
  strictEqual(found.primaryStartTimeoutS, 300);
  strictEqual(found.warnings.length, 2);
});

Deno.test("decodeSettings() reads seconds with units and the old name of a key", () => {
  const found = settings({ member_slots_ttl: "30min", master_start_timeout: 7 });

  strictEqual(found.memberSlotsTtlS, 1800);
  strictEqual(found.primaryStartTimeoutS, 7);
  strictEqual(
    settings({ primary_start_timeout: 0, master_start_timeout: 7 }).primaryStartTimeoutS,
    0,
  );
});

Deno.test("decodeSettings() makes texts of server parameters and drops what is none", () => {
  const parameters = { max_connections: 57, wal_log_hints: true, work_mem: "4MB", gone: null };
  const found = settings({ postgresql: { parameters, pg_hba: ["local all all trust"] } });

  deepStrictEqual(found.parameters, {
    max_connections: "57",
    wal_log_hints: "on",
    work_mem: "4MB",
  });
  deepStrictEqual(found.pgHba, ["local all all trust"]);
  deepStrictEqual(found.warnings, []);
});

const SWITCHED_ON: readonly (readonly [string, JsonObject, readonly string[]])[] = [
  ["synchronous mode", { synchronous_mode: "on" }, ["synchronous_mode"]],
  ["quorum mode", { synchronous_mode: "Quorum" }, ["synchronous_mode"]],
  ["strict mode", { synchronous_mode_strict: 1 }, ["synchronous_mode_strict"]],
  ["a standby cluster", { standby_cluster: { host: "x" } }, ["standby_cluster"]],
  ["permanent slots", { slots: { a: {} } }, ["slots"]],
  ["a fence in etcd", { postgresql: { pre_promote: "/bin/fence" } }, [
    "postgresql.pre_promote in etcd",
  ]],
];

for (const [title, raw, expected] of SWITCHED_ON) {
  Deno.test(`decodeSettings() lists ${title} as unsupported`, () => {
    deepStrictEqual(settings(raw).unsupported, expected);
  });
}

Deno.test("decodeSettings() lists nothing that is switched off or empty", () => {
  const found = settings({
    synchronous_mode: "off",
    synchronous_mode_strict: false,
    standby_cluster: { create_replica_methods: ["basebackup"] },
    pause: false,
    failsafe_mode: null,
    slots: {},
    ignore_slots: [],
    synchronous_node_count: 2,
    maximum_lag_on_syncnode: -1,
  });

  deepStrictEqual(found.unsupported, []);
  deepStrictEqual(found.warnings, []);
});

Deno.test("decodeSettings() warns of keys without effect", () => {
  strictEqual(settings({ pauze: true }).warnings.length, 1);
  strictEqual(settings({ primary_race_backoff: 5 }).warnings.length, 1);
  strictEqual(settings({ primary_race_backoff: 0 }).warnings.length, 0);
  strictEqual(settings({ postgresql: { use_pg_rewind: "maybe" } }).warnings.length, 1);
  strictEqual(settings({ postgresql: { callbacks: {} } }).warnings.length, 1);
});

Deno.test("decodeSettings() never throws, whatever the config holds", () => {
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (raw) => {
    decodeSettings(JSON.parse(JSON.stringify(raw)));
    decodeSettings(JSON.parse(JSON.stringify({ postgresql: raw, slots: raw, ttl: 30 })));
  }));
});

Deno.test("A15 decodeSettings() adjusts a timing that leaves no room in the lease, and says so", () => {
  const found = settings({ ttl: 10, loop_wait: 10, retry_timeout: 10 });
  deepStrictEqual([found.ttlS, found.loopWaitS, found.retryTimeoutS], [10, 1, 4]);
  deepStrictEqual(found.loopWaitS + 2 * found.retryTimeoutS <= found.ttlS, true);
  deepStrictEqual(found.warnings.filter((text) => text.includes("does not fit")).length, 1);
});

Deno.test("decodeSettings() reads a mapping with a key toString where a switch belongs as off", () => {
  const decoded = decodeSettings({ pause: { toString: "" }, synchronous_mode: { valueOf: 1 } });

  ok("settings" in decoded);
  strictEqual(decoded.settings.paused, false);
});

Deno.test("decodeSettings() tells what does not count as it stands, with the nearest name that does", () => {
  const { warnings } = settings({
    maximum_lag_on_failver: 1,
    postgresql: {
      use_pg_rewinds: true,
      pre_promote: "/bin/fence",
      parameters: {
        Max_Connections: 10,
        wal_level: "minimal",
        max_wal_senders: "12",
        port: 5433,
        hot_standby: "on",
        work_mem: "8MB",
      },
    },
  });
  deepStrictEqual(warnings, [
    "maximum_lag_on_failver is ignored: the key is unknown; did you mean maximum_lag_on_failover?",
    "postgresql.use_pg_rewinds is ignored: the key is unknown; did you mean use_pg_rewind?",
    "postgresql.pre_promote is ignored: the agent reads it from the local file only",
    'postgresql.parameters.Max_Connections is 100: "10" cannot be used',
    'postgresql.parameters.wal_level is replica: "minimal" cannot be used',
    "postgresql.parameters.port is ignored: the agent sets it itself",
  ]);
});
