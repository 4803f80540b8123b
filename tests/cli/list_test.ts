import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { parse } from "yaml";
import { history } from "../../lib/cli/history.ts";
import { list } from "../../lib/cli/list.ts";
import { readTags } from "../../lib/core/tags.ts";
import { cluster, lsn, member } from "../core/builders.ts";
import { world } from "./faces.ts";

const MB = 1024 ** 2;

const VIEW = cluster({
  status: { lsn: lsn(20 * MB), slots: {}, retainSlots: [] },
  members: [
    member("c", { timeline: 3, xlogLocation: lsn(4 * MB), tags: readTags({ nofailover: true }) }),
    member("b", { timeline: 3, xlogLocation: lsn(20 * MB), replicationState: "streaming" }),
    member("a", { timeline: 3, role: "primary", pendingRestart: true }),
  ],
});

Deno.test("list() prints members by name with host, role, state, timeline and lag", async () => {
  const { context, out } = world({ views: [VIEW], format: "tsv" });

  strictEqual(await list(context), 0);
  deepStrictEqual(out.join("").split("\n"), [
    "Member\tHost\tRole\tState\tTL\tLag in MB\tPending restart\tTags",
    "a\t127.0.0.1:5401\tLeader\trunning\t3\t\t*\t",
    "b\t127.0.0.1:5402\tReplica\tstreaming\t3\t0\t\t",
    "c\t127.0.0.1:5403\tReplica\trunning\t3\t16\t\tnofailover: true",
    "",
  ]);
});

const GOLDEN = `\
Cluster: demo (7000000000000000001)
+--------+----------------+---------+-----------+----+-----------+
| Member | Host           | Role    | State     | TL | Lag in MB |
`;

Deno.test("list() fits a terminal of 80 columns when nothing is special", async () => {
  const members = VIEW.members.map((one) => ({
    ...one,
    tags: readTags({}),
    pendingRestart: false,
  }));
  const { context, out } = world({ views: [{ ...VIEW, members }] });
  await list(context);
  const text = out.join("");

  ok(text.startsWith(GOLDEN), text);
  ok(text.split("\n").every((line) => line.length <= 80), text);
});

Deno.test("list() gives the objects of GET /cluster as JSON and YAML", async () => {
  const json = world({ views: [VIEW], format: "json" });
  const yaml = world({ views: [VIEW], format: "yaml" });
  await list(json.context);
  await list(yaml.context);
  const members = JSON.parse(json.out.join(""));

  strictEqual(members[1].lag, 0);
  deepStrictEqual(members.map(({ role }: { role: string }) => role), [
    "leader",
    "replica",
    "replica",
  ]);
  deepStrictEqual(parse(yaml.out.join("")), members);
});

Deno.test("list() tells a cluster that is not there yet", async () => {
  const { context, out } = world({ views: [cluster({ systemId: null, lock: null, members: [] })] });
  await list(context);

  ok(out.join("").startsWith("Cluster: demo (uninitialized)\n"));
});

Deno.test("history() prints one line for each change of the leader", async () => {
  const line = { timeline: 1, lsn: lsn(0x3000148), reason: "no recovery target specified" };
  const lines = [{ ...line, at: "2026-01-01T10:00:00+00:00", newLeader: "b" }, {
    ...line,
    timeline: 2,
    at: null,
    newLeader: null,
  }];
  const { context, out } = world({ views: [cluster({ history: lines })], format: "tsv" });

  strictEqual(await history(context), 0);
  deepStrictEqual(out.join("").split("\n").slice(1, 3), [
    "1\t0/3000148\tno recovery target specified\t2026-01-01T10:00:00+00:00\tb",
    "2\t0/3000148\tno recovery target specified\t\t",
  ]);
});
