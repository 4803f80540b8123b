import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { statusDocument } from "../../lib/core/status_document.ts";
import { readTags } from "../../lib/core/tags.ts";
import { facts, leaderFacts, replicaFacts } from "./api_builders.ts";
import { cluster, down, lsn, primary, replica, self } from "./builders.ts";

const SENDER = {
  applicationName: "b",
  username: "replicator",
  clientAddress: "127.0.0.1",
  state: "streaming",
  syncState: "async",
  syncPriority: 0,
  sentLsn: lsn(1000),
  replayLsn: lsn(1000),
};

Deno.test("statusDocument() of a leader is Patroni's document, then the agent's own part", () => {
  const found = statusDocument(leaderFacts({ postgres: primary({ senders: [SENDER] }) }));

  strictEqual(
    JSON.stringify(found),
    '{"state":"running","postmaster_start_time":"2026-01-01 10:00:00.123456+00:00",' +
      '"role":"primary","server_version":150020,"xlog":{"location":1000},"timeline":1,' +
      '"replication":[{"usename":"replicator","application_name":"b","client_addr":"127.0.0.1",' +
      '"state":"streaming","sync_state":"async","sync_priority":0}],' +
      '"dcs_last_seen":1767261600,"database_system_identifier":"7000000000000000001",' +
      '"patroni":{"version":"4.1.4","scope":"demo","name":"a"},' +
      '"agent":{"version":"0.1.0","lease":{"kind":"held","seconds_left":20},"rule":"lead",' +
      '"why":"I hold the lock","etcd":[{"url":"http://e1:2379","reachable":true,"last_error":null}]}}',
  );
});

Deno.test("statusDocument() of a replica shows what it received and replayed", () => {
  const postgres = replica({ replayedLsn: lsn(900), replayedAt: "2026-01-01 10:00:00+00" });
  const found = statusDocument(replicaFacts({
    postgres,
    self: self({ tags: readTags({ clonefrom: true }) }),
  }));

  deepStrictEqual(found["xlog"], {
    received_location: 1000,
    replayed_location: 900,
    replayed_timestamp: "2026-01-01 10:00:00+00",
    paused: false,
  });
  deepStrictEqual([found["role"], found["replication_state"], found["tags"]], [
    "replica",
    "streaming",
    { clonefrom: true },
  ]);
});

Deno.test("statusDocument() falls back to the replayed position when nothing was received", () => {
  const found = statusDocument(replicaFacts({ postgres: replica({ receivedLsn: null }) }));

  strictEqual(Object(found["xlog"])["received_location"], 1000);
});

Deno.test("statusDocument() has no xlog when the server is down or silent: peers count it as absent", () => {
  const silent = { kind: "silent", systemId: "1", lastRole: "primary", why: "" } as const;
  const stopped = statusDocument(leaderFacts({ postgres: down() }));
  const hung = statusDocument(leaderFacts({ postgres: silent }));

  deepStrictEqual([stopped["state"], stopped["xlog"]], ["stopped", undefined]);
  deepStrictEqual([hung["state"], hung["role"], hung["xlog"]], ["unknown", "primary", undefined]);
});

Deno.test("statusDocument() of a stopped leader is a former one's from the end of its lease on, tick or not", () => {
  const seen = leaderFacts({ postgres: down() });
  strictEqual(statusDocument(seen)["role"], "primary");
  strictEqual(statusDocument({ ...seen, lease: { kind: "none" } })["role"], "demoted");
});

Deno.test("statusDocument() says that nobody leads when the lock is free or the view too old", () => {
  strictEqual(statusDocument(leaderFacts())["cluster_unlocked"], undefined);
  strictEqual(statusDocument(leaderFacts({}, { cluster: null }))["cluster_unlocked"], true);
  strictEqual(
    statusDocument(replicaFacts({ cluster: cluster({ lock: null }) }))["cluster_unlocked"],
    true,
  );
});

Deno.test("statusDocument() marks a synchronous standby of a mixed cluster", () => {
  const listed = cluster({
    lock: "b",
    config: { raw: { synchronous_mode: true }, revision: 3n },
    sync: { leader: "b", standbys: ["A"], quorum: 0, revision: 4n },
  });

  strictEqual(statusDocument(replicaFacts({ cluster: listed }))["sync_standby"], true);
});

Deno.test("statusDocument() exists before the first look of the loop", () => {
  const found = statusDocument(facts(null, { decision: null, dcsSeenWallMs: 0 }));

  deepStrictEqual([found["state"], found["dcs_last_seen"], found["cluster_unlocked"]], [
    "unknown",
    0,
    true,
  ]);
});
