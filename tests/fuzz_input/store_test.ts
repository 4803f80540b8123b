import { deepStrictEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import { parse } from "yaml";
import { ConfigError } from "../../lib/base/errors.ts";
import { history } from "../../lib/cli/history.ts";
import { list } from "../../lib/cli/list.ts";
import { showConfig } from "../../lib/cli/show_config.ts";
import { type Format, FORMATS } from "../../lib/cli/table.ts";
import { topology } from "../../lib/cli/topology.ts";
import { clusterDocument, historyDocument } from "../../lib/core/cluster_document.ts";
import type { ClusterView } from "../../lib/core/cluster_view.ts";
import { decide } from "../../lib/core/decide.ts";
import { initialMemory } from "../../lib/core/memory.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import { decodeCluster } from "../../lib/dcs/cluster_codec.ts";
import { keysOf, memberKey } from "../../lib/dcs/keys.ts";
import { world } from "../cli/faces.ts";
import { nodeView } from "../core/builders.ts";
import { anyJson, anyText, casesOf, garbled } from "./cases.ts";

const KEYS = keysOf({ namespace: "service", scope: "demo" });

const member = garbled([
  ...["conn_url", "api_url", "state", "role", "version", "tags", "pending_restart", "timeline"],
  ...["xlog_location", "receive_lsn", "replay_lsn", "replication_state", "scheduled_restart"],
  ...["pending_restart_reason", "pause", "proxy_url"],
]);

const NAMED: readonly (readonly [string, fc.Arbitrary<string>])[] = [
  [KEYS.leader, fc.oneof(anyText, fc.constantFrom("a", "b"))],
  [KEYS.initialize, anyText],
  [
    KEYS.config,
    garbled(["ttl", "loop_wait", "retry_timeout", "postgresql", "pause", "synchronous_mode"]),
  ],
  [KEYS.failover, garbled(["leader", "member", "candidate", "scheduled_at"])],
  [KEYS.history, fc.oneof(anyJson, fc.json({ maxDepth: 4 }).map((json) => `[[1,${json}]]`))],
  [KEYS.status, garbled(["optime", "slots", "retain_slots"])],
  [KEYS.sync, garbled(["leader", "sync_standby", "quorum"])],
  [memberKey(KEYS, "a"), member],
  [memberKey(KEYS, "b"), member],
  [`${KEYS.prefix}members/x/y`, member],
];

const entries = fc.tuple(
  ...NAMED.map(([key, usual]) =>
    fc.option(fc.oneof({ weight: 4, arbitrary: usual }, anyJson, fc.constant(null)), {
      nil: undefined,
    })
      .map((value) => value === undefined ? [] : [{ key, value, lease: "7", revision: 3n }])
  ),
).map((each) => each.flat());

Deno.test("no value in the store crashes a decision, a report or a command", async () => {
  await fc.assert(
    fc.asyncProperty(
      entries,
      fc.constantFrom(...FORMATS),
      async (all, format) => {
        const view = decodeCluster(KEYS, { revision: 9n, entries: all }, defaultSettings);
        decide(nodeView({ cluster: view }), initialMemory);
        JSON.stringify([clusterDocument(view, "demo"), historyDocument(view.history ?? [])]);
        await shows(view, format);
      },
    ),
    { numRuns: casesOf(0.3) },
  );
});

async function shows(view: ClusterView, format: Format): Promise<void> {
  const { context, out } = world({ views: [view], format });
  const options = { clusters: [], extended: true, timestamp: true, watchS: null };
  const codes = [
    await list(context, options),
    await topology(context, { watchS: null }),
    await orRefused(history(context)),
    await orRefused(showConfig(context)),
  ];
  ok(codes.every((code) => code === 0 || code === 1), codes.join());
  if (format !== "json" && format !== "yaml") return;
  // What a terminal must not get is escaped: nothing was replaced on the way.
  const parsed = parse(out[0] ?? "", { maxAliasCount: 0 });
  deepStrictEqual(parsed, clusterDocument(view, "demo")["members"]);
}

/** As the program ends where the store has nothing of the cluster. */
async function orRefused(code: Promise<number>): Promise<number> {
  return await code.catch((error: unknown) =>
    error instanceof ConfigError ? 1 : Promise.reject(error)
  );
}
