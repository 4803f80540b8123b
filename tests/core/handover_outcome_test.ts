import { deepStrictEqual } from "node:assert/strict";
import type { ClusterView } from "../../lib/core/cluster_view.ts";
import { handoverEnd, handoverUnknown } from "../../lib/core/handover_outcome.ts";
import type { HandoverEnd } from "../../lib/core/handover_outcome.ts";
import type { Handover } from "../../lib/core/requests.ts";
import { cluster, handover } from "./builders.ts";

const SWITCHOVER: Handover = {
  action: "switchover",
  leader: "a",
  candidate: "b",
  oldLeader: "a",
  scheduledAtMs: null,
};
const FAILOVER: Handover = {
  action: "failover",
  leader: null,
  candidate: "b",
  oldLeader: null,
  scheduledAtMs: null,
};

function end(
  handover: Handover,
  later: ClusterView,
  revision: bigint | null = 50n,
): HandoverEnd | null {
  return handoverEnd({ handover, readRevision: 40n, revision }, later);
}

const PENDING = handover({ leader: "a", candidate: "b", revision: 50n });

const ENDS: readonly (readonly [string, Handover, ClusterView, number | null, string])[] = [
  ["nothing happened yet", SWITCHOVER, cluster({ handover: PENDING }), null, ""],
  ["the lock is free", SWITCHOVER, cluster({ lock: null, handover: PENDING }), null, ""],
  [
    "the candidate leads",
    SWITCHOVER,
    cluster({ lock: "b", handover: PENDING }),
    200,
    'Successfully switched over to "b"',
  ],
  ["another leads", SWITCHOVER, cluster({ lock: "c" }), 200, 'Switched over to "c" instead of "b"'],
  [
    "anybody was asked for",
    { ...SWITCHOVER, candidate: null },
    cluster({ lock: "c" }),
    200,
    'Successfully switched over to "c"',
  ],
  ["it was withdrawn", SWITCHOVER, cluster(), 503, "Switchover failed"],
  ["it was withdrawn and nobody leads", FAILOVER, cluster({ lock: null }), 503, "Failover failed"],
  [
    "another request replaced it",
    SWITCHOVER,
    cluster({ handover: { ...PENDING, revision: 60n } }),
    503,
    "Switchover failed",
  ],
  ["a failover won", FAILOVER, cluster({ lock: "b" }), 200, 'Successfully failed over to "b"'],
  [
    "a failover to another",
    FAILOVER,
    cluster({ lock: "c" }),
    200,
    'Failed over to "c" instead of "b"',
  ],
  ["the picture is older", SWITCHOVER, cluster({ revision: 49n, lock: "b" }), null, ""],
];

for (const [title, wish, later, status, text] of ENDS) {
  Deno.test(`handoverEnd() is ${status ?? "open"} when ${title}`, () => {
    deepStrictEqual(end(wish, later), status === null ? null : { status, text });
  });
}

Deno.test("handoverEnd() never calls a request failed whose write got no answer", () => {
  deepStrictEqual(end(SWITCHOVER, cluster(), null), null);
  deepStrictEqual(end(SWITCHOVER, cluster({ lock: "b", revision: 39n }), null), null);
  deepStrictEqual(end(SWITCHOVER, cluster({ lock: "b" }), null)?.status, 200);
});

Deno.test("handoverUnknown() says the words that patronictl looks for", () => {
  deepStrictEqual(handoverUnknown(FAILOVER, 20), {
    status: 503,
    text: "Failover status unknown after 20 seconds; operation may still be in progress",
  });
});
