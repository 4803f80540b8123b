import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { Allowlist } from "../../lib/api/allowlist.ts";
import { OPEN_ACCESS } from "../../lib/api/access.ts";
import { watchShutOut } from "../../lib/api/shut_out.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import type { ClusterView } from "../../lib/core/cluster_view.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import { cluster, member, nodeView } from "../core/builders.ts";
import { TestApi } from "./fakes.ts";

const SAFE = { ...defaultSettings, failsafeMode: true };

function clusterOf(hosts: readonly string[], settings = SAFE): ClusterView {
  const members = hosts.map((host, index) =>
    member("abc"[index] ?? "", { apiUrl: `http://${host}:8008/patroni` })
  );
  return cluster({ settings, members });
}

/** b is kept out. */
const BARRED = clusterOf(["10.0.0.1", "10.9.9.9"]);

/** What is warned of while the board shows one picture after the other; the last is the one that bars a member. */
async function warnings(
  allowlist: readonly string[],
  views: readonly ClusterView[],
): Promise<readonly string[]> {
  const closing = new AbortController();
  const told: string[] = [];
  const api = new TestApi({ access: () => ({ ...OPEN_ACCESS, allowlist }) });
  const first = Promise.withResolvers<void>();
  const warn = (text: string): void => {
    told.push(text);
    if (told.length === 1) first.resolve();
  };
  const resolve = (name: string): Promise<readonly string[]> =>
    name === "db2" ? Promise.resolve(["10.0.0.2"]) : Promise.reject(new Error("unknown"));
  const context = { ...api.context, log: { ...silentLog, warn } };
  const watching = watchShutOut(context, new Allowlist(systemClock, resolve), closing.signal);
  for (const view of views) api.publish(nodeView({ cluster: view }));
  api.publish(nodeView({ cluster: BARRED }));
  await first.promise;
  closing.abort();
  await watching;
  return told;
}

const GOOD = ["10.0.0.0/24"];

Deno.test("watchShutOut() names the members that the allowlist keeps out, once", async () => {
  const told = await warnings(GOOD, [BARRED, BARRED]);
  strictEqual(told.length, 1);
  match(told[0] ?? "", /keeps b \(10\.9\.9\.9\) from POST \/failsafe/);
});

Deno.test("watchShutOut() is silent without failsafe mode, for its own address and for names it knows", async () => {
  const calm = [
    clusterOf(["10.8.8.8", "10.9.9.8"], defaultSettings),
    clusterOf(["10.8.8.8", "db2", "unknown.example"]),
  ];
  const told = await warnings(GOOD, calm);
  deepStrictEqual(told.map((text) => /keeps (.*) from/.exec(text)?.[1]), ["b (10.9.9.9)"]);
});

Deno.test("watchShutOut() ends at once when the agent ends", async () => {
  const { context } = new TestApi();
  await watchShutOut(context, new Allowlist(systemClock), AbortSignal.abort());
});
