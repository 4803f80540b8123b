import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { TaskSpec } from "../../lib/core/action.ts";
import { HEALTH_CHECKS, leadsAt } from "../../lib/core/health.ts";
import type { HealthFacts } from "../../lib/core/health.ts";
import { decodeHealthQuery } from "../../lib/core/health_query.ts";
import type { TaskView } from "../../lib/core/node_view.ts";
import { readTags } from "../../lib/core/tags.ts";
import { facts, leaderFacts, replicaFacts } from "./api_builders.ts";
import { cluster, down, held, lsn, NOW_MS, primary, replica, self } from "./builders.ts";

function passes(path: string, given: HealthFacts, search = ""): boolean {
  const check = HEALTH_CHECKS[path];
  if (check === undefined) throw new TypeError(`Cannot check ${path}: it is no health endpoint`);
  return check(given, decodeHealthQuery(search));
}

/** The endpoints that answer 200, sorted. */
function passing(given: HealthFacts): readonly string[] {
  return Object.keys(HEALTH_CHECKS).filter((path) => passes(path, given)).sort();
}

function running(task: TaskSpec): TaskView {
  return { kind: "running", task, sinceMs: 0, cancellable: true, progress: null };
}

Deno.test("B21 leadsAt() turns false by itself at the end of the lease", () => {
  deepStrictEqual([leadsAt(held(1), NOW_MS), leadsAt(held(0), NOW_MS)], [true, false]);
  strictEqual(leadsAt({ kind: "lost", why: "" }, NOW_MS), false);
});

Deno.test("HEALTH_CHECKS pass for a leader on everything that takes writes or reads", () => {
  deepStrictEqual(passing(leaderFacts()), [
    "",
    "health",
    "leader",
    "liveness",
    "master",
    "primary",
    "read-only",
    "read-only-quorum",
    "read-only-sync",
    "read-only-synchronous",
    "read-write",
    "readiness",
  ]);
});

Deno.test("HEALTH_CHECKS pass for a streaming replica on everything that only reads", () => {
  deepStrictEqual(passing(replicaFacts()), [
    "async",
    "asynchronous",
    "health",
    "liveness",
    "read-only",
    "readiness",
    "replica",
    "slave",
  ]);
});

Deno.test("HEALTH_CHECKS pass for a stopped server on liveness alone", () => {
  const lease = { kind: "none" } as const;

  deepStrictEqual(passing(leaderFacts({ postgres: down(), lease })), ["liveness"]);
});

Deno.test("HEALTH_CHECKS pass on the sync endpoints for a listed standby of a mixed cluster", () => {
  const listed = (mode: boolean | string): HealthFacts =>
    replicaFacts({
      cluster: cluster({
        lock: "b",
        config: { raw: { synchronous_mode: mode }, revision: 3n },
        sync: { leader: "b", standbys: ["a"], quorum: 0, revision: 4n },
      }),
    });

  deepStrictEqual([passes("sync", listed(true)), passes("quorum", listed(true))], [true, false]);
  deepStrictEqual([passes("sync", listed("quorum")), passes("quorum", listed("quorum"))], [
    false,
    true,
  ]);
  strictEqual(passes("async", listed(true)), false);
});

Deno.test("primary fails before the promotion has ended although the lock is held", () => {
  const promoting = leaderFacts({ postgres: replica() });

  deepStrictEqual([passes("primary", promoting), passes("leader", promoting)], [false, true]);
});

Deno.test("B21 primary fails without the lock, after the lease, and while the server is stopped", () => {
  const stop: TaskSpec = {
    kind: "stop",
    how: "fast",
    checkpointFirst: true,
    escalation: { immediateAtMs: null, killAtMs: null },
    why: "",
  };

  strictEqual(passes("primary", leaderFacts({ lease: { kind: "none" } })), false);
  strictEqual(passes("primary", leaderFacts({ lease: held(0) })), false);
  strictEqual(passes("primary", leaderFacts({ task: running(stop) })), false);
});

Deno.test("primary still passes when one probe of the server got no answer", () => {
  const postgres = { kind: "silent", systemId: "1", lastRole: "primary", why: "" } as const;

  strictEqual(passes("primary", leaderFacts({ postgres })), true);
  strictEqual(passes("health", leaderFacts({ postgres })), false);
});

const LAGS: readonly (readonly [string, boolean])[] = [
  ["", true],
  ["?lag=100", true],
  ["?lag=99", false],
  ["?lag=1kB", true],
  ["?lag=1KB", true], // unreadable: no limit, as in Patroni
  ["?lag=0", false],
  ["?replication_state=streaming", true],
  ["?replication_state=in+archive+recovery", false],
  ["?tag_zone=x", true],
  ["?tag_zone=y", false],
  ["?tag_clonefrom=TRUE", true],
  ["?tag_number=5", true],
  ["?tag_toString=x", false],
  ["?tag_zone=%", false],
];

for (const [search, expected] of LAGS) {
  Deno.test(`replica ${expected ? "passes" : "fails"} for "${search}" when 100 bytes behind`, () => {
    const given = replicaFacts({
      postgres: replica({ replayedLsn: lsn(900) }),
      self: self({ tags: readTags({ zone: "x", clonefrom: true, number: 5 }) }),
    });

    strictEqual(passes("replica", given, search), expected);
  });
}

Deno.test("replica measures the lag against the furthest position known of the leader", () => {
  const told = replica({ replayedLsn: lsn(900), sourceEndLsn: lsn(2000) });
  const given = replicaFacts({ postgres: told });

  deepStrictEqual([passes("replica", given, "lag=1099"), passes("replica", given, "lag=1100")], [
    false,
    true,
  ]);
});

Deno.test("replica fails with noloadbalance, and read-only with it", () => {
  const given = replicaFacts({ self: self({ tags: readTags({ noloadbalance: true }) }) });

  deepStrictEqual([passes("replica", given), passes("read-only", given)], [false, false]);
});

Deno.test("liveness fails when the loop is overdue by ttl on a primary, twice that on a replica", () => {
  const overdue = (seconds: number): Partial<HealthFacts> => ({
    nextTickMs: NOW_MS - seconds * 1000,
  });

  strictEqual(passes("liveness", leaderFacts({}, overdue(29))), true);
  strictEqual(passes("liveness", leaderFacts({}, overdue(30))), false);
  strictEqual(passes("liveness", replicaFacts({}, overdue(59))), true);
  strictEqual(passes("liveness", replicaFacts({}, overdue(60))), false);
});

Deno.test("readiness compares the replayed or the received position with the limit", () => {
  const given = replicaFacts({ postgres: replica({ replayedLsn: lsn(900) }) });

  strictEqual(passes("readiness", given), true);
  strictEqual(passes("readiness", given, "lag=99"), false);
  strictEqual(passes("readiness", given, "lag=99&mode=write"), true);
});

Deno.test("readiness fails while nothing is known of the leader", () => {
  const postgres = replica({ sourceEndLsn: null });

  strictEqual(passes("readiness", replicaFacts({ postgres }, { cluster: null })), false);
  strictEqual(passes("replica", replicaFacts({ postgres }, { cluster: null })), true);
});

Deno.test("readiness passes for a replica that restores from the archive", () => {
  const postgres = replica({ streaming: false, restores: true });

  strictEqual(passes("readiness", replicaFacts({ postgres })), true);
  strictEqual(
    passes("readiness", replicaFacts({ postgres: replica({ streaming: false }) })),
    false,
  );
});

Deno.test("HEALTH_CHECKS all fail before the first look, but not liveness", () => {
  deepStrictEqual(passing(facts(null)), ["liveness"]);
});

Deno.test("primary needs no answer of the store while the lease runs", () => {
  strictEqual(passes("primary", leaderFacts({ postgres: primary() }, { cluster: null })), true);
});
