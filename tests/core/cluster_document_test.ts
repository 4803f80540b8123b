import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { clusterDocument, historyDocument } from "../../lib/core/cluster_document.ts";
import { readTags } from "../../lib/core/tags.ts";
import { cluster, handover, lsn, member } from "./builders.ts";

Deno.test("clusterDocument() is Patroni's document", () => {
  const view = cluster({
    lock: "ham",
    members: [
      member("ulm", {
        state: "running",
        replicationState: "in archive recovery",
        tags: readTags({ nofailover: true }),
        xlogLocation: lsn(0x4000148),
        replayLsn: lsn(0x4000148),
      }),
      member("ham", { role: "primary", connUrl: "postgres://[::1]:5432/postgres" }),
    ],
    status: { lsn: lsn(0x5000148), slots: {}, retainSlots: [] },
    handover: handover({ leader: "ham", candidate: "ulm", scheduledAtMs: 1_903_831_200_000 }),
  });

  strictEqual(
    JSON.stringify(clusterDocument(view, "elbe")),
    '{"members":[{"name":"ham","role":"leader","state":"running",' +
      '"api_url":"http://127.0.0.1:8008/patroni","host":"::1","port":5432,"timeline":1},' +
      '{"name":"ulm","role":"replica","state":"in archive recovery",' +
      '"api_url":"http://127.0.0.1:8021/patroni","host":"127.0.0.1","port":5421,"timeline":1,' +
      '"tags":{"nofailover":true},"receive_lag":"unknown","receive_lsn":"unknown",' +
      '"replay_lag":16777216,"replay_lsn":"0/4000148","lag":16777216,"lsn":"0/4000148"}],' +
      '"scheduled_switchover":{"at":"2030-05-01T02:00:00+00:00","from":"ham","to":"ulm"},' +
      '"scope":"elbe"}',
  );
});

Deno.test("clusterDocument() tells pause and a member without addresses", () => {
  const found = clusterDocument(
    cluster({
      members: [member("b", { connUrl: null, apiUrl: null, timeline: null, xlogLocation: null })],
      config: { raw: { pause: true }, revision: 1n },
    }),
    "x",
  );

  strictEqual(found["pause"], true);
  deepStrictEqual(found["members"], [{
    name: "b",
    role: "replica",
    state: "running",
    receive_lag: "unknown",
    receive_lsn: "unknown",
    replay_lag: "unknown",
    replay_lsn: "unknown",
    lag: "unknown",
    lsn: "unknown",
  }]);
});

Deno.test("historyDocument() prints time and leader of the lines that have them", () => {
  const old = {
    timeline: 1,
    lsn: lsn(100),
    reason: "no recovery target",
    at: null,
    newLeader: null,
  };
  const newest = { ...old, timeline: 2, at: "2026-01-01T10:00:00+00:00", newLeader: "b" };

  deepStrictEqual(historyDocument([old, newest]), [
    [1, 100, "no recovery target"],
    [2, 100, "no recovery target", "2026-01-01T10:00:00+00:00", "b"],
  ]);
});
