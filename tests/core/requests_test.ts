import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import type { JsonObject } from "../../lib/base/json.ts";
import type { ClusterView } from "../../lib/core/cluster_view.ts";
import { judgeHandover } from "../../lib/core/requests.ts";
import type { HandoverRequest } from "../../lib/core/requests.ts";
import { readTags } from "../../lib/core/tags.ts";
import { cluster, handover, member, peer, silentPeer } from "./builders.ts";

const WALL_MS = Date.parse("2026-01-01T10:00:00Z");

function judge(overrides: Partial<HandoverRequest>): unknown {
  const verdict = judgeHandover({
    endpoint: "switchover",
    body: {},
    cluster: cluster(),
    wallMs: WALL_MS,
    peers: [peer("b"), peer("c")],
    ...overrides,
  });
  if (verdict.kind === "refused") return [verdict.status, verdict.text];
  if (verdict.kind === "ask-peers") return verdict.members.map(({ name }) => name);
  const { action, leader, candidate, oldLeader, scheduledAtMs } = verdict.handover;
  const at = scheduledAtMs === null ? {} : { scheduledAtMs };
  return { action, leader, candidate, oldLeader, ...at };
}

function paused(): ClusterView {
  return cluster({ config: { raw: { pause: true }, revision: 1n } });
}

function synchronous(standbys: readonly string[]): ClusterView {
  const sync = { leader: "a", standbys, quorum: 0, revision: 2n };
  return cluster({ config: { raw: { synchronous_mode: true }, revision: 1n }, sync });
}

const NO_CANDIDATE = "Failover could be performed only to a specific candidate";
const NO_LEADER = "Switchover could be performed only from a specific leader";
const NO_MEMBERS = "switchover is not possible: cluster does not have members except leader";
const NO_GOOD = "is not possible: no good candidates have been found";
const UNREADABLE =
  "Unable to parse scheduled timestamp. It should be in an unambiguous format, e.g. ISO 8601";
const AT = "2030-05-01T02:00:00+00:00";

type Row = readonly [string, Partial<HandoverRequest> & { body: JsonObject }, number, string];

const REFUSALS: readonly Row[] = [
  ["failover without target", { endpoint: "failover", body: { x: 1 } }, 400, NO_CANDIDATE],
  ["switchover without leader", { body: { candidate: "b" } }, 400, NO_LEADER],
  ["a leader that is no text", { body: { leader: 5 } }, 400, "leader must be the name of a member"],
  [
    "a candidate that is no text",
    { body: { leader: "a", member: ["b"] } },
    400,
    "candidate must be the name of a member",
  ],
  [
    "scheduled failover",
    { endpoint: "failover", body: { candidate: "b", scheduled_at: AT } },
    400,
    "Failover can't be scheduled",
  ],
  [
    "schedule in pause",
    { body: { leader: "a", scheduled_at: AT }, cluster: paused() },
    400,
    "Can't schedule switchover in the paused state",
  ],
  [
    "schedule without zone",
    { body: { leader: "a", scheduled_at: "2030-05-01T02:00" } },
    400,
    "Timezone information is mandatory for the scheduled switchover",
  ],
  [
    "schedule in the past",
    { body: { leader: "a", scheduled_at: "2026-01-01 10:30+01:00" } },
    422,
    "Cannot schedule switchover in the past",
  ],
  ["unreadable schedule", { body: { leader: "a", scheduled_at: "soon" } }, 422, UNREADABLE],
  [
    "impossible date",
    { body: { leader: "a", scheduled_at: "2030-13-01T00:00Z" } },
    422,
    UNREADABLE,
  ],
  ["number as schedule", { body: { leader: "a", scheduled_at: 5 } }, 422, UNREADABLE],
  [
    "switchover to anybody in pause",
    { body: { leader: "a" }, cluster: paused() },
    400,
    "Switchover is possible only to a specific candidate in a paused state",
  ],
  [
    "target and source the same",
    { body: { leader: "a", candidate: "a" } },
    400,
    "Switchover target and source are the same",
  ],
  [
    "target and source the same, scheduled",
    { body: { leader: "a", candidate: "a", scheduled_at: AT } },
    400,
    "Switchover target and source are the same",
  ],
  ["another leader", { body: { leader: "b" } }, 412, "leader name does not match"],
  [
    "no leader at all",
    { body: { leader: "a" }, cluster: cluster({ lock: null }) },
    412,
    "leader name does not match",
  ],
  [
    "asynchronous candidate",
    { body: { leader: "a", candidate: "c" }, cluster: synchronous(["b"]) },
    412,
    "candidate name does not match with sync_standby",
  ],
  ["unknown candidate", { body: { leader: "a", member: "z" } }, 412, "candidate does not exists"],
  [
    "no synchronous standby",
    { body: { leader: "a" }, cluster: synchronous(["z"]) },
    412,
    "switchover is not possible: can not find sync_standby",
  ],
  [
    "leader alone",
    { body: { leader: "a" }, cluster: cluster({ members: [member("a")] }) },
    412,
    NO_MEMBERS,
  ],
  [
    "others without address",
    { body: { leader: "a" }, cluster: cluster({ members: [member("b", { apiUrl: null })] }) },
    412,
    NO_MEMBERS,
  ],
  [
    "nobody answers",
    { body: { leader: "a" }, peers: [silentPeer("b"), silentPeer("c")] },
    412,
    `switchover ${NO_GOOD}`,
  ],
  [
    "the candidate may not lead",
    {
      endpoint: "failover",
      body: { candidate: "b" },
      peers: [peer("b", { tags: readTags({ nofailover: true }) })],
    },
    412,
    `failover ${NO_GOOD}`,
  ],
  [
    "the candidate's watchdog failed",
    { body: { leader: "a", candidate: "b" }, peers: [peer("b", { watchdogFailed: true })] },
    412,
    `switchover ${NO_GOOD}`,
  ],
  [
    "the candidate leads already",
    { endpoint: "failover", body: { candidate: "a" }, peers: "not asked" },
    412,
    `failover ${NO_GOOD}`,
  ],
  [
    "another request in work",
    { body: { leader: "a" }, cluster: cluster({ handover: handover({ leader: "a" }) }) },
    409,
    "another failover or switchover is in progress",
  ],
];

for (const [title, request, status, text] of REFUSALS) {
  Deno.test(`judgeHandover() refuses with ${status}: ${title}`, () => {
    deepStrictEqual(judge(request), [status, text]);
  });
}

Deno.test("F13 judgeHandover() takes the early form: a failover that names a leader is a switchover", () => {
  const expected = { action: "switchover", leader: "a", candidate: null, oldLeader: "a" };

  deepStrictEqual(judge({ endpoint: "failover", body: { leader: "a" } }), expected);
  deepStrictEqual(judge({ endpoint: "failover", body: { leader: "a", member: "b" } }), {
    ...expected,
    candidate: "b",
  });
});

Deno.test("judgeHandover() takes candidate before member, and empty ones as absent", () => {
  const body = { leader: "a", candidate: "", member: "c" };

  deepStrictEqual(judge({ body }), {
    action: "switchover",
    leader: "a",
    candidate: "c",
    oldLeader: "a",
  });
});

Deno.test("judgeHandover() allows a failover when nobody leads", () => {
  deepStrictEqual(
    judge({ endpoint: "failover", body: { candidate: "b" }, cluster: cluster({ lock: null }) }),
    { action: "failover", leader: null, candidate: "b", oldLeader: null },
  );
});

Deno.test("judgeHandover() allows a failover to an asynchronous member", () => {
  deepStrictEqual(
    judge({ endpoint: "failover", body: { candidate: "c" }, cluster: synchronous(["b"]) }),
    { action: "failover", leader: null, candidate: "c", oldLeader: "a" },
  );
});

Deno.test("judgeHandover() wants exactly the possible members to be asked first", () => {
  const peers = "not asked";

  deepStrictEqual(judge({ body: { leader: "a" }, peers }), ["b", "c"]);
  deepStrictEqual(judge({ body: { leader: "a", candidate: "c" }, peers }), ["c"]);
  deepStrictEqual(judge({ body: { leader: "a" }, peers, cluster: synchronous(["b"]) }), ["b"]);
});

Deno.test("judgeHandover() overwrites a request that nobody can carry out any more", () => {
  const stale = [
    cluster({ handover: handover({ leader: "c" }) }),
    cluster({ handover: handover({ candidate: "a" }) }),
    cluster({ handover: handover({ leader: "a", scheduledAtMs: 1 }) }),
  ];
  for (const given of stale) {
    deepStrictEqual(judge({ body: { leader: "a" }, cluster: given, peers: "not asked" }), [
      "b",
      "c",
    ]);
  }
});

Deno.test("judgeHandover() takes a schedule as it is: who leads and follows then is judged then", () => {
  const scheduledAtMs = Date.parse(AT);
  const ghost = { leader: "ghost", candidate: "c", scheduled_at: AT };
  deepStrictEqual(judge({ body: ghost, peers: "not asked" }), {
    action: "switchover",
    leader: "ghost",
    candidate: "c",
    oldLeader: "a",
    scheduledAtMs,
  });
});

Deno.test("judgeHandover() replaces a schedule by another, and puts none over a request in work", () => {
  const body = { leader: "a", scheduled_at: AT };
  const planned = cluster({ handover: handover({ leader: "a", scheduledAtMs: 1 }) });
  const inWork = cluster({ handover: handover({ leader: "a" }) });
  const expected = { action: "switchover", leader: "a", candidate: null, oldLeader: "a" };
  deepStrictEqual(judge({ body, cluster: planned }), {
    ...expected,
    scheduledAtMs: Date.parse(AT),
  });
  deepStrictEqual(judge({ body, cluster: inWork }), [
    409,
    "another failover or switchover is in progress",
  ]);
});

Deno.test("judgeHandover() answers any body", () => {
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), (more, one) => {
    const body = JSON.parse(
      JSON.stringify({ ...more, leader: "a", scheduled_at: one, member: one }),
    );
    judge({ body });
    judge({ body, endpoint: "failover", cluster: synchronous(["b"]) });
  }));
});
