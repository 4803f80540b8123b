import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import type { ClusterView } from "../../lib/core/cluster_view.ts";
import { judgeHandover, whyCannotLead } from "../../lib/core/requests.ts";
import { cluster, peer } from "./builders.ts";

const LISTED_A = { members: { a: "http://a/patroni" }, revision: 4n };

const OBSTACLES: readonly (readonly [string, ClusterView, RegExp | null])[] = [
  ["nobody leads", cluster({ lock: null }), null],
  ["an emptied store", cluster({ lock: null, systemId: null }), /initialize and config again$/],
  ["an emptied store whose leader is there", cluster({ systemId: null }), null],
  ["a claim", cluster({ lock: null, systemId: "" }), /founding the cluster/],
  ["a list without it", cluster({ lock: null, failsafe: LISTED_A }), /delete the key failsafe/],
  ["a list without it, and a leader", cluster({ failsafe: LISTED_A }), null],
];

for (const [title, view, why] of OBSTACLES) {
  Deno.test(`judgeHandover() refuses at once what cannot be for long: ${title}`, () => {
    const verdict = judgeHandover({
      endpoint: "failover",
      body: { candidate: "b" },
      cluster: view,
      wallMs: 0,
      peers: [peer("b")],
    });
    const obstacle = whyCannotLead(view, "b");

    if (why === null) {
      deepStrictEqual([verdict.kind, obstacle], ["accepted", null]);
      return;
    }
    match(obstacle ?? "", why);
    strictEqual(verdict.kind === "refused" && verdict.status, 412);
  });
}
