import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { list } from "../../lib/cli/list.ts";
import { memberVersions } from "../../lib/cli/member_versions.ts";
import { remove } from "../../lib/cli/remove.ts";
import { topology } from "../../lib/cli/topology.ts";
import type { MemberState } from "../../lib/core/cluster_view.ts";
import { readTags } from "../../lib/core/tags.ts";
import { cluster, lsn, member } from "../core/builders.ts";
import { world } from "./faces.ts";

const ONCE = { watchS: null };

function from(name: string, replicatefrom: string): MemberState {
  return member(name, { tags: readTags({ replicatefrom }) });
}

function firstColumn(text: string): readonly string[] {
  return text.split("\n").slice(1, -1).map((line) => line.split("\t")[0] ?? "");
}

Deno.test("topology() shows who copies from whom, past rings and members that are gone", async () => {
  const members = [
    member("a", { role: "primary" }),
    from("b", "c"),
    from("c", "a"),
    from("d", "gone"),
    from("e", "f"),
    from("f", "e"),
  ];
  const { context, out } = world({ views: [cluster({ members })], format: "tsv" });

  strictEqual(await topology(context, ONCE), 0);
  deepStrictEqual(firstColumn(out.join("")), ["a", "+ c", "  + b", "+ d", "+ e", "+ f"]);
});

Deno.test("topology() shows everybody when nobody leads", async () => {
  const members = [from("a", "b"), member("b")];
  const { context, out } = world({ views: [cluster({ members, lock: null })], format: "json" });
  await topology(context, ONCE);
  const shown = JSON.parse(out.join(""));

  deepStrictEqual(
    shown.map((one: { name: string; depth: number; source: string | null }) => [
      one.name,
      one.depth,
      one.source,
    ]),
    [["b", 0, null], ["a", 1, "b"]],
  );
});

Deno.test("list() extended shows positions, restarts and addresses", async () => {
  const options = { clusters: [], extended: true, timestamp: false, watchS: null };
  const members = [
    member("b", {
      receiveLsn: lsn(1000),
      replayLsn: lsn(500),
      pendingRestart: true,
      pendingRestartReason: { max_connections: { old_value: "100", new_value: "200" } },
      scheduledRestart: {
        schedule: "2030-05-01T02:00+00:00",
        restart_pending: true,
        postmaster_start_time: "2026-01-31 12:00:00+00:00",
      },
    }),
  ];
  const { context, out } = world({ views: [cluster({ members })], format: "tsv" });

  strictEqual(await list(context, options), 0);
  deepStrictEqual(out.join("").split("\n")[1]?.split("\t").slice(8), [
    "0/3E8",
    "0",
    "0/1F4",
    "0",
    "max_connections: 100->200",
    "2030-05-01T02:00+00:00 restart_pending: true",
    "http://127.0.0.1:8002/patroni",
  ]);
});

Deno.test("list() tells scheduled restarts, the time and several clusters", async () => {
  const members = [member("b", { scheduledRestart: { schedule: "2030-05-01T02:00Z" } })];
  const options = { clusters: ["demo", "other"], extended: false, timestamp: true, watchS: null };
  const { context, out } = world({ views: [cluster({ members })] });
  strictEqual(await list(context, options), 0);

  match(out.join(""), /^1970-01-01T00:00:00.000Z\nCluster: demo [^]*Cluster: other /);
  match(out.join(""), /Restart of b scheduled at 2030-05-01T02:00Z/);
  const json = world({ format: "json" });
  await list(json.context, options);
  deepStrictEqual(Object.keys(JSON.parse(json.out.join(""))), ["demo", "other"]);
});

const STATUS =
  '{"patroni":{"version":"4.1.4"},"agent":{"version":"0.1.0"},"server_version":150008}';
const PATRONI = '{"patroni":{"version":"3.0.2"},"server_version":90624}';

Deno.test("memberVersions() asks members, and tells who does not say", async () => {
  const { context, out, err } = world({
    page: [STATUS, "<html>"],
    deadPorts: [8003],
    format: "tsv",
  });

  strictEqual(await memberVersions(context, ["demo"]), 1);
  strictEqual(out.join(""), "Member\tAgent\tPostgreSQL\na\t\t\nb\t0.1.0\t15.8\nc\t\t\n");
  match(err.join(""), /a: answers with something[^]*c: cannot be reached/);
  const other = world({ page: PATRONI, format: "tsv" });
  strictEqual(await memberVersions(other.context, ["a"]), 0);
  strictEqual(other.out.join("").split("\n")[1], "a\tPatroni 3.0.2\t9.6.24");
  strictEqual(await memberVersions(world().context, ["z"]), 1);
});

const ANSWERS = ["demo", "Yes I am aware", "a"];

Deno.test("remove() deletes the cluster that was named three times", async () => {
  const { context, written, questions, err } = world({ reply: ANSWERS });

  strictEqual(await remove(context), 0);
  deepStrictEqual(written, [["remove", "demo", "a"]]);
  strictEqual(questions.length, 3);
  match(err.join(""), /agents run on a, b, c: they will write their keys again/);
});

for (const [index, wrong] of ["other", "yes", "b"].entries()) {
  Deno.test(`remove() deletes nothing for the answer "${wrong}", whatever --force says`, async () => {
    const reply = ANSWERS.map((right, at) => at === index ? wrong : right);
    const { context, written } = world({ reply, force: true });

    strictEqual(await remove(context), 2);
    deepStrictEqual(written, []);
  });
}

Deno.test("remove() does not ask for a leader that is not there", async () => {
  const { context, written } = world({ views: [cluster({ lock: null })], reply: ANSWERS });
  strictEqual(await remove(context), 0);
  deepStrictEqual(written, [["remove", "demo", null]]);
});

Deno.test("remove() tells a change and an unknown end apart", async () => {
  const changed = world({ reply: ANSWERS, written: { kind: "refused", why: "x" } });
  strictEqual(await remove(changed.context), 1);
  const unknown = world({ reply: ANSWERS, written: { kind: "unknown", why: "x" } });
  strictEqual(await remove(unknown.context), 3);
});
