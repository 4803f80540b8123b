import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { ApiContext } from "../../lib/api/context.ts";
import type { HistoryLine } from "../../lib/core/cluster_view.ts";
import { counted } from "../../lib/core/histogram.ts";
import { noWork } from "../../lib/core/work_counts.ts";
import type { WorkCounts } from "../../lib/core/work_counts.ts";
import { LiveBoard } from "../../lib/runtime/live_board.ts";
import { cluster, lsn, member, nodeView, replicaView, unreachable } from "../core/builders.ts";
import { STORE, TestApi } from "./fakes.ts";
import { families, sample } from "./prometheus_text.ts";

async function metrics(api: TestApi): Promise<string> {
  const reply = await api.send("/metrics");
  strictEqual(reply.status, 200);
  match(reply.headers.get("content-type") ?? "", /^text\/plain/);
  return await reply.text();
}

Deno.test("GET /metrics tells Patroni's metrics of a leader, with scope and name", async () => {
  const text = await metrics(new TestApi());
  match(
    text,
    /^# HELP patroni_primary .*\n# TYPE patroni_primary gauge\npatroni_primary\{scope="demo",name="a"\} 1$/m,
  );
  match(text, /^# TYPE patroni_xlog_location counter\npatroni_xlog_location\{.*\} 1000$/m);
  match(text, /^patroni_version\{.*\} 40104$/m);
  match(text, /^patroni_postgres_state\{.*\} 5$/m);
  match(text, /^agent_holds_lock\{.*\} 1$/m);
  match(text, /^agent_lease_left_seconds\{.*\} 20$/m);
});

Deno.test("GET /metrics counts what the dead-man's switch has sent", async () => {
  const fired = { INT: 2, KILL: 1 };
  const deadMan = { armed: true, endsMs: 1, pid: 7, firings: [], fired };
  const text = await metrics(new TestApi({ deadMan: () => deadMan }));
  match(text, /^agent_switch_firings\{scope="demo",name="a",signal="INT"\} 2$/m);
  match(text, /^agent_switch_firings\{.*signal="QUIT"\} 0$/m);
  match(text, /^agent_switch_armed\{.*\} 1$/m);
});

Deno.test("GET /metrics leaves out what is not known while the server is down, and says 0 elsewhere", async () => {
  const down = replicaView({ postgres: { kind: "no-data" } });
  const text = await metrics(new TestApi({}, down));
  ok(!text.includes("patroni_postgres_streaming"));
  match(text, /^patroni_xlog_replayed_location\{.*\} 0$/m);
  ok(!/None|NaN|null/.test(text));
});

Deno.test("HEAD /metrics has no body", async () => {
  const reply = await new TestApi({}, nodeView()).send("/metrics", { method: "HEAD" });
  strictEqual(reply.status, 200);
  strictEqual(await reply.text(), "");
});

const WORK: WorkCounts = {
  ...noWork,
  ticks: [0.005, 0.02, 40].reduce(counted, noWork.ticks),
  storeFaults: { timeout: 2 },
  tasks: [{ task: "clone", result: "done", times: 3 }, {
    task: "rewind",
    result: "failed",
    times: 1,
  }],
  failovers: 4,
  logLinesDropped: 5,
};

/** A member that follows "a", far behind, in a cluster whose name needs escapes. */
function follower(overrides: Partial<ApiContext> = {}): TestApi {
  const members = [member("a", { role: "primary" }), member("b", { replayLsn: lsn(400) })];
  const history = [historyLine("2026-01-01T00:00:01+00:00")];
  const view = replicaView({ cluster: cluster({ members, history }) });
  return new TestApi({ name: "b", scope: 'de"m\\o', work: () => WORK, ...overrides }, view);
}

function historyLine(at: string): HistoryLine {
  return { timeline: 1, lsn: lsn(10), reason: "no recovery target specified", at, newLeader: "a" };
}

Deno.test("GET /metrics is in Prometheus' text format: each metric once, with help, type and unequal labels", async () => {
  const text = await metrics(follower());
  const found = families(text);
  const names = found.map(({ name }) => name);
  deepStrictEqual(names.filter((name) => !/^(patroni|agent)_[a-z_]+$/.test(name)), []);
  deepStrictEqual(names.filter((name, place) => names.indexOf(name) !== place), []);
  for (const { name, help, metrics, type } of found) {
    ok(help.endsWith("."), `help of ${name}`);
    const own = metrics.map((one) => JSON.stringify(one.labels));
    strictEqual(new Set(own).size, own.length, name);
    if (type === "HISTOGRAM") continue; // the parser keeps no labels of these
    ok(metrics.length > 0 && own.every((one) => one.includes('"scope":"de\\"m\\\\o"')), name);
  }
  // A sample without its own TYPE line would make a family without a type.
  const heads = text.match(/^# TYPE /gm) ?? [];
  strictEqual(heads.length, found.length);
});

Deno.test("GET /metrics has histograms whose buckets add up", async () => {
  const text = await metrics(follower());
  const ticks = families(text)
    .find(({ name }) => name === "agent_loop_duration_seconds");
  const [one] = ticks?.metrics ?? [];
  strictEqual(ticks?.type, "HISTOGRAM");
  deepStrictEqual(one?.buckets, {
    ...{ "0.01": "1", "0.03": "2", "0.1": "2", "0.3": "2", "1": "2", "3": "2", "10": "2" },
    ...{ "30": "2", "+Inf": "3" },
  });
  match(text, /^agent_loop_duration_seconds_count\{scope="de.*",name="b"\} 3$/m);
  match(text, /^agent_loop_duration_seconds_sum\{scope="de.*",name="b"\} 40\.025$/m);
});

Deno.test("GET /metrics tells each follower's lag and the time of the last promotion", async () => {
  const text = await metrics(follower());
  strictEqual(sample(text, "agent_member_replayed_lag_bytes", { member: "b" }), "600");
  strictEqual(sample(text, "agent_member_received_lag_bytes", { member: "b" }), "0");
  strictEqual(sample(text, "agent_member_received_lag_bytes", { member: "a" }), undefined);
  strictEqual(sample(text, "agent_last_promotion_timestamp_seconds"), "1767225601");
  strictEqual(sample(text, "agent_holds_lock"), "0");
});

Deno.test("GET /metrics tells what this process has done, zeros included", async () => {
  const text = await metrics(follower());
  strictEqual(sample(text, "agent_failovers_total"), "4");
  strictEqual(sample(text, "agent_switchovers_total"), "0");
  strictEqual(sample(text, "agent_log_lines_dropped_total"), "5");
  strictEqual(sample(text, "agent_etcd_errors_total", { class: "timeout" }), "2");
  strictEqual(sample(text, "agent_etcd_errors_total", { class: "network" }), "0");
  const tasks = [["clone", "done"], ["clone", "failed"], ["rewind", "failed"]] as const;
  deepStrictEqual(
    tasks.map(([task, result]) => sample(text, "agent_tasks_total", { task, result })),
    ["3", "0", "1"],
  );
});

Deno.test("GET /metrics asks nobody: it answers while the store is silent, and before the first look", async () => {
  const silent = new TestApi({}, replicaView({ cluster: unreachable() }));
  silent.dcs.read = (): never => {
    throw new TypeError("the store must not be asked");
  };
  match(await metrics(silent), /^patroni_cluster_unlocked\{.*\} 1$/m);
  const { context } = silent;
  const board = new LiveBoard(() => ({ kind: "none" }), STORE);
  const unseen = new TestApi({ ...context, board });
  strictEqual(sample(await metrics(unseen), "patroni_postgres_state"), "-1");
});
