import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { DecodeError } from "../../lib/base/errors.ts";
import { lsnFromBytes } from "../../lib/core/lsn.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import type { ClusterView } from "../../lib/core/cluster_view.ts";
import { decodeCluster } from "../../lib/dcs/cluster_codec.ts";
import {
  decodeConfig,
  decodeHandover,
  decodeHistory,
  decodeInitialize,
  decodeLeader,
  decodeStatus,
  decodeSync,
  encodeHandover,
  encodeHistory,
  encodeStatus,
} from "../../lib/dcs/codec.ts";
import type { Entry } from "../../lib/dcs/codec.ts";
import { keysOf } from "../../lib/dcs/keys.ts";
import { decodeMember } from "../../lib/dcs/member_codec.ts";
import { decodeWire, encodeWire } from "../../lib/dcs/wire_json.ts";

const FAR = lsnFromBytes(9223372036854775807n);
const keys = keysOf({ namespace: "/service/", scope: "demo" });

function golden(name: string): string {
  return Deno.readTextFileSync(new URL(`golden/${name}.txt`, import.meta.url)).trimEnd();
}

function entry(value: string | null, parts: Partial<Entry> = {}): Entry {
  return { key: "", value, lease: "0", revision: 7n, ...parts };
}

function viewOf(content: Readonly<Record<string, string | null>>): ClusterView {
  const entries = Object.entries(content)
    .map(([key, value]) => entry(value, { key: `${keys.prefix}${key}` }));
  return decodeCluster(keys, { revision: 9n, entries }, defaultSettings);
}

Deno.test("encodeWire() writes golden documents back byte by byte", () => {
  for (const name of ["member_primary", "member_replica", "config", "status", "history", "sync"]) {
    strictEqual(encodeWire(decodeWire(name, golden(name))), golden(name));
  }
});

Deno.test("encodeWire() writes ASCII without blanks", () => {
  strictEqual(
    encodeWire({ "é": ["\u007f", "😀", 'a"b\n'] }),
    '{"\\u00e9":["\\u007f","\\ud83d\\ude00","a\\"b\\n"]}',
  );
});

Deno.test("decodeWire() keeps whole numbers beyond 2^53 exact and leaves fractions alone", () => {
  deepStrictEqual(decodeWire("x", "[9007199254740993,-9007199254740993,1.5,7,1e300]"), [
    9007199254740993n,
    -9007199254740993n,
    1.5,
    7,
    1e300,
  ]);
});

Deno.test("decodeInitialize() reads the claim and the identifier, and nothing else", () => {
  strictEqual(decodeInitialize(entry(golden("initialize"))), "7300000000000000001");
  strictEqual(decodeInitialize(entry("")), "");
  for (const bad of ["12345", "73000000000000000x1", " ", null]) {
    throws(() => decodeInitialize(entry(bad)), DecodeError);
  }
});

Deno.test("decodeLeader() carries holder, lease and revision", () => {
  const lock = decodeLeader(entry(golden("leader"), { lease: "7587848390842342", revision: 3n }));
  deepStrictEqual(lock, { holder: "node-1", lease: "7587848390842342", revision: 3n });
  throws(() => decodeLeader(entry("")), DecodeError);
});

Deno.test("decodeMember() reads every field of a primary", () => {
  const member = decodeMember("a", golden("member_primary"));
  deepStrictEqual([member.state, member.role, member.version], ["running", "primary", "4.1.4"]);
  deepStrictEqual([member.connUrl, member.apiUrl, member.proxyUrl], [
    "postgres://10.0.0.1:5432/postgres",
    "http://10.0.0.1:8008/patroni",
    "postgres://10.0.0.9:6432/postgres",
  ]);
  deepStrictEqual([member.xlogLocation, member.timeline], [FAR, 3]);
  deepStrictEqual([member.checkpointAfterPromote, member.pendingRestart, member.pause], [
    false,
    true,
    true,
  ]);
  deepStrictEqual(member.pendingRestartReason, {
    max_connections: { old_value: "100", new_value: "200" },
  });
  strictEqual(member.scheduledRestart?.["restart_pending"], true);
  deepStrictEqual([member.tags.clonefrom, member.tags.failoverPriority], [true, 2]);
});

Deno.test("decodeMember() reads every field of a replica", () => {
  const member = decodeMember("b", golden("member_replica"));
  deepStrictEqual([member.role, member.replicationState], ["replica", "streaming"]);
  deepStrictEqual([member.receiveLsn, member.replayLsn], [
    lsnFromBytes(67108960),
    lsnFromBytes(67108928),
  ]);
  deepStrictEqual([member.checkpointAfterPromote, member.pendingRestart, member.pause], [
    true,
    false,
    false,
  ]);
});

Deno.test("decodeMember() reads master as primary", () => {
  strictEqual(decodeMember("c", golden("member_before_4")).role, "primary");
});

Deno.test("decodeMember() counts fields of a wrong form as absent", () => {
  const member = decodeMember(
    "d",
    '{"state":"dancing","role":7,"timeline":0,"xlog_location":-1,"tags":[],"conn_url":{}}',
  );
  deepStrictEqual([member.state, member.role], ["unknown", "unknown"]);
  deepStrictEqual([member.timeline, member.xlogLocation, member.connUrl], [null, null, null]);
  strictEqual(member.tags.nofailover, false);
});

Deno.test("decodeConfig() keeps the document as it is stored", () => {
  const { raw, revision } = decodeConfig(entry(golden("config")));
  deepStrictEqual([raw["ttl"], revision], [30, 7n]);
  strictEqual(encodeWire(raw), golden("config"));
});

Deno.test("handover documents go both ways", () => {
  const at = "2030-01-01T12:30:00+02:00";
  const documents = [
    { name: "failover_scheduled", leader: "node-1", candidate: "node-2", scheduledAt: at },
    { name: "switchover", leader: "node-1", candidate: "node-2", scheduledAt: null },
    { name: "failover", leader: null, candidate: "node-2", scheduledAt: null },
  ];
  for (const { name, ...wish } of documents) {
    const { leader, candidate } = wish;
    const scheduledAtMs = wish.scheduledAt === null ? null : Date.parse(at);
    strictEqual(encodeHandover(wish), golden(name));
    deepStrictEqual(decodeHandover(entry(golden(name))), {
      leader,
      candidate,
      scheduledAtMs,
      revision: 7n,
    });
  }
});

Deno.test("decodeHandover() sees no request in {} and one in the old form", () => {
  strictEqual(decodeHandover(entry(golden("failover_none"))), null);
  const wish = decodeHandover(entry(golden("failover_old")));
  deepStrictEqual([wish?.leader, wish?.candidate], ["node-1", "node-2"]);
  strictEqual(decodeHandover(entry(":node-2"))?.leader, null);
});

Deno.test("decodeHandover() refuses a time without zone, lest it happen now", () => {
  for (const time of ["2030-01-01T12:30:00", "tomorrow", "tomorrow+02:00"]) {
    const document = JSON.stringify({ leader: "a", scheduled_at: time });
    throws(() => decodeHandover(entry(document)), DecodeError);
  }
});

Deno.test("history goes both ways, with lines of three to five fields", () => {
  const lines = decodeHistory(entry(golden("history")));
  deepStrictEqual(lines.map(({ timeline, newLeader }) => [timeline, newLeader]), [
    [1, "node-2"],
    [2, null],
    [3, null],
  ]);
  deepStrictEqual([lines[0]?.lsn, lines[2]?.at], [lsnFromBytes(67108960), null]);
  strictEqual(encodeHistory(lines), golden("history"));
});

Deno.test("status goes both ways", () => {
  const status = decodeStatus("status", entry(golden("status")));
  const slots = { node_1: FAR, node_2: lsnFromBytes(67108928) };
  deepStrictEqual(status, { lsn: FAR, slots, retainSlots: ["node_1", "node_2"] });
  strictEqual(
    encodeStatus({ lsn: FAR, slots, retainSlots: ["node_2", "node_1"] }),
    golden("status"),
  );
});

Deno.test("encodeStatus() leaves empty fields out", () => {
  const status = { lsn: lsnFromBytes(67108960), slots: {}, retainSlots: [] };
  strictEqual(encodeStatus(status), golden("status_optime_only"));
  deepStrictEqual(decodeStatus("status", entry(golden("status_optime_only"))), status);
});

Deno.test("status tells of the wish whose candidate has everything, and garbage there tells nothing", () => {
  const status = { lsn: lsnFromBytes(67108960), slots: {}, retainSlots: [] };
  const told = { ...status, handoverRevision: 9_007_199_254_740_993n };
  const text = encodeStatus(told);
  strictEqual(text, '{"optime":67108960,"handover":"9007199254740993"}');
  deepStrictEqual(decodeStatus("status", entry(text)), told);
  for (const garbage of ["9", '"0"', '"-9"', '"9.0"', '"x"', "null", "{}", `"${"9".repeat(20)}"`]) {
    const wire = `{"optime":67108960,"handover":${garbage}}`;
    deepStrictEqual(decodeStatus("status", entry(wire)), status, garbage);
  }
});

Deno.test("decodeSync() tolerates blanks and knows when the mode is off", () => {
  const sync = decodeSync(entry(golden("sync")));
  deepStrictEqual(sync, {
    leader: "node-1",
    standbys: ["node-2", "node-3"],
    quorum: 1,
    revision: 7n,
  });
  const blanks = '{"leader":"a","sync_standby":" b , c "}';
  deepStrictEqual(decodeSync(entry(blanks)).standbys, ["b", "c"]);
  strictEqual(decodeSync(entry(golden("sync_off"))).leader, "");
});

Deno.test("decodeCluster() reads the whole tree, members sorted by name", () => {
  const view = viewOf({
    initialize: golden("initialize"),
    leader: golden("leader"),
    "members/node-2": golden("member_replica"),
    "members/node-1": golden("member_primary"),
    "members/node-1/odd": "{}",
    config: golden("config"),
    status: golden("status"),
    history: golden("history"),
    sync: golden("sync"),
    failover: golden("failover"),
    failsafe: "{}",
  });
  deepStrictEqual(view.members.map((member) => member.name), ["node-1", "node-2"]);
  deepStrictEqual([view.revision, view.lock?.holder, view.status.lsn], [9n, "node-1", FAR]);
  deepStrictEqual([view.history?.length, view.faults], [3, []]);
});

Deno.test("decodeCluster() counts garbage in any key as absent and lists it", () => {
  const names = ["initialize", "config", "failover", "history", "status", "sync", "members/a"];
  for (const garbage of ["\u0000{", "[", "null", '"x"', "-1.5", "garbage", null]) {
    const view = viewOf(Object.fromEntries(names.map((name) => [name, garbage])));
    deepStrictEqual([view.systemId, view.config, view.handover], [null, null, null]);
    deepStrictEqual([view.history, view.sync, view.members, view.status.lsn], [
      null,
      null,
      [],
      null,
    ]);
    strictEqual(view.faults.length, names.length);
    deepStrictEqual(view.settings, defaultSettings);
  }
});

Deno.test("decodeCluster() takes any text as the holder of the lock, but not an empty one", () => {
  strictEqual(viewOf({ leader: "garbage{" }).lock?.holder, "garbage{");
  for (const bad of ["", null]) {
    const view = viewOf({ leader: bad });
    deepStrictEqual([view.lock, view.faults.length], [null, 1]);
  }
});

Deno.test("decodeCluster() keeps the settings in force when the new ones cannot be used", () => {
  const before = { ...defaultSettings, ttlS: 77 };
  const config = entry('{"ttl":"soon"}', { key: keys.config });
  const view = decodeCluster(keys, { revision: 1n, entries: [config] }, before);
  deepStrictEqual([view.settings, view.faults.length], [before, 1]);
  ok(view.config !== null);
});

Deno.test("decodeCluster() reads pause beside settings that cannot be used, and keeps it when config is garbage", () => {
  const paused = { ...defaultSettings, paused: true };
  const read = (text: string, before = defaultSettings): boolean => {
    const config = entry(text, { key: keys.config });
    const { settings } = decodeCluster(keys, { revision: 1n, entries: [config] }, before);
    return settings.paused;
  };
  deepStrictEqual([read('{"ttl":"soon","pause":true}'), read('{"pause":"on"}')], [true, true]);
  deepStrictEqual([read('{"ttl":"soon"}', paused), read("{}", paused)], [false, false]);
  deepStrictEqual([read("garbage", paused), read("garbage")], [true, false]);
});

Deno.test("decodeCluster() reads optime/leader of old clusters only where status is missing", () => {
  strictEqual(viewOf({ "optime/leader": "67108960" }).status.lsn, lsnFromBytes(67108960));
  const both = viewOf({ "optime/leader": "1", status: golden("status_optime_only") });
  strictEqual(both.status.lsn, lsnFromBytes(67108960));
});
