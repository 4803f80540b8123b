import { isDeepStrictEqual } from "node:util";
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { within } from "../../lib/base/deadline.ts";
import { isJsonObject } from "../../lib/base/json.ts";
import type { JsonObject } from "../../lib/base/json.ts";
import type { Cluster } from "../../scripts/playground/cluster.ts";
import type { Member } from "../../scripts/playground/member.ts";
import { readOrNull } from "../../scripts/playground/processes.ts";
import { pause, waitFor } from "../../scripts/playground/wait.ts";
import { lostWrites, Writer } from "../../scripts/playground/writer.ts";
import { liveTest, tell } from "./live.ts";
import { deleteOf, documentOf, endOf, holdUpStart, order } from "./orders.ts";

/** Does this while a client writes to a streaming cluster. */
async function whileWriting(
  cluster: Cluster,
  work: (leader: Member, writer: Writer) => Promise<void>,
): Promise<void> {
  await cluster.startMembers();
  const leader = await cluster.waitForStreaming(60_000);
  await cluster.proxy.waitForWriter(leader.name, 10_000);
  const writer = new Writer(cluster.proxy.writePlace);
  writer.start();
  try {
    await waitFor("writes", 20_000, () => {
      const count = writer.report().acknowledged.length;
      return Promise.resolve({ met: count >= 20 ? true : null, seen: `${count} writes` });
    });
    writer.resetGap();
    await work(leader, writer);
  } finally {
    await writer.stop();
  }
}

async function patronictl(member: Member, ...words: readonly string[]): Promise<string> {
  using deadline = within(60_000);
  const { stdout, stderr } = await new Deno.Command("patronictl", {
    args: ["-c", member.configFile, ...words],
    env: { LC_ALL: "C.UTF-8" },
    signal: deadline.signal,
  }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

/** Ends the writer after `ms` more; all that was confirmed is there. */
async function nothingIsLost(writer: Writer, leader: Member, ms: number): Promise<number> {
  await pause(ms);
  const { acknowledged, longestGapMs } = await writer.stop();
  deepEqual(await lostWrites(acknowledged, (text) => leader.sql(text)), []);
  return longestGapMs;
}

/** Who has the lock by the store, also while its server lets nobody in. */
async function lockOwner(asked: Member): Promise<unknown> {
  const { members } = (await asked.rest("/cluster")).body;
  const all = Array.isArray(members) ? members.filter(isJsonObject) : [];
  return all.find(({ role }) => role === "leader")?.["name"];
}

async function startOf(member: Member): Promise<string> {
  const [row] = await member.sql("SELECT pg_postmaster_start_time()::text AS at");
  return String(row?.["at"]);
}

liveTest(
  "a restart of the leader keeps the lock and loses no write, and applies what was pending",
  { dcs: { ttl: 20 }, secure: true },
  (cluster) =>
    whileWriting(cluster, async (leader, writer) => {
      const before = await startOf(leader);
      const timeline = (await leader.rest("/patroni")).body["timeline"];
      const parameters = { max_connections: 77 };
      await order(leader, "PATCH", "/config", { postgresql: { parameters } });
      await waitFor("a pending restart", 20_000, async () => {
        const { body } = await leader.rest("/patroni");
        const seen = JSON.stringify(body["pending_restart_reason"] ?? null);
        return { met: body["pending_restart"] === true ? true : null, seen };
      });
      const reply = await order(leader, "POST", "/restart", { restart_pending: true });
      deepEqual([reply.status, reply.text], [200, "restarted successfully"]);
      const operation = await documentOf(leader, reply.operation);
      deepEqual([operation["kind"], operation["state"]], ["restart", "done"]);
      equal((await leader.sql("SHOW max_connections"))[0]?.["max_connections"], "77");
      ok(await startOf(leader) !== before);
      const { body } = await leader.rest("/patroni");
      deepEqual([body["role"], body["timeline"], body["pending_restart"]], [
        "primary",
        timeline,
        undefined,
      ]);
      equal((await order(leader, "POST", "/restart", { restart_pending: true })).status, 503);
      await cluster.proxy.waitForWriter(leader.name, 10_000);
      const gapMs = await nothingIsLost(writer, leader, 1_000);
      await tell(`longest gap of a restart of the leader: ${gapMs} ms`);
      equal((await cluster.leader())?.name, leader.name);
    }),
);

liveTest(
  "a reinitialized replica is copied anew under writes, with its progress",
  {
    members: ["a", "b"],
    secure: true,
    overrides: () => ({ postgresql: { basebackup: [{ "max-rate": "24M" }] } }),
  },
  (cluster) =>
    whileWriting(cluster, async (leader, writer) => {
      const words = "(SELECT string_agg(md5((i * g)::text), '') FROM generate_series(1, 12) AS g)";
      await leader.sql("CREATE TABLE ballast (t text)");
      // Each within the deadline of a query, also beside other clusters.
      for (let chunk = 0; chunk < 10; chunk++) {
        await leader.sql(`INSERT INTO ballast SELECT ${words} FROM generate_series(1, 25000) AS i`);
      }
      const replica = cluster.members.find((member) => member !== leader);
      ok(replica !== undefined);
      await Deno.writeTextFile(`${replica.dataDir}/left_over`, "of the old copy");
      const refused = await order(leader, "POST", "/reinitialize", {});
      deepEqual([refused.status, refused.text], [503, "I am the leader, can not reinitialize"]);

      const reply = await order(replica, "POST", "/reinitialize", {});
      deepEqual([reply.status, reply.text], [200, "reinitialize started"]);
      const again = await order(replica, "POST", "/reinitialize", {});
      deepEqual([again.status, again.text], [503, "reinitialize already in progress"]);
      const { end, seen } = await endOf(replica, reply.operation, 60_000);
      deepEqual([end["state"], end["text"]], ["done", "reinitialized successfully"]);
      const copied = seen.map((each) => each["progress"]).filter(isJsonObject);
      await tell(`progress: ${[...new Set(copied.map(({ text }) => String(text)))].join(", ")}`);
      ok(copied.some(({ bytes_total: total }) => Number(total) > 100 * 1024 ** 2));
      equal(await readOrNull(`${replica.dataDir}/left_over`), null);
      equal(await readOrNull(`${replica.dataDir}.diverged/PG_VERSION`), null);
      await cluster.waitForStreaming(30_000);
      await nothingIsLost(writer, leader, 500);
    }),
);

liveTest(
  "a scheduled switchover happens at its time, and one that was deleted does not",
  { dcs: { ttl: 20, loop_wait: 5 } },
  (cluster) =>
    whileWriting(cluster, async (leader, writer) => {
      const target = cluster.members.find((member) => member !== leader);
      ok(target !== undefined);
      const body = { leader: leader.name, candidate: target.name };
      const at = (ms: number): string => new Date(Date.now() + ms).toISOString();

      const first = await order(target, "POST", "/switchover", {
        ...body,
        scheduled_at: at(6_000),
      });
      deepEqual([first.status, first.text], [202, "Switchover scheduled"]);
      match(JSON.stringify((await leader.rest("/cluster")).body), /scheduled_switchover/);
      deepEqual(await deleteOf(target, "/switchover"), [200, "scheduled switchover deleted"]);
      deepEqual(await deleteOf(target, "/switchover"), [404, "no switchover is scheduled"]);
      await pause(7_000);
      equal((await cluster.leader())?.name, leader.name);

      const planned = at(8_000);
      const second = await order(leader, "POST", "/switchover", { ...body, scheduled_at: planned });
      equal(second.status, 202);
      const { end } = await endOf(leader, second.operation, 30_000);
      equal(end["text"], `Successfully switched over to "${target.name}"`);
      const lateMs = Date.parse(String(end["started_at"])) - Date.parse(planned);
      await tell(`the leader began ${lateMs} ms after the planned time`);
      ok(lateMs >= 0 && lateMs <= 1_000, `${lateMs} ms`);
      await cluster.proxy.waitForWriter(target.name, 10_000);
      await nothingIsLost(writer, target, 500);
      equal((await order(target, "GET", "/cluster")).text.includes("scheduled_switchover"), false);
    }),
);

liveTest(
  "a scheduled restart is shown, happens at its time, and one with a short timeout fails in time",
  { members: ["a", "b"] },
  async (cluster) => {
    await cluster.startMembers();
    const leader = await cluster.waitForStreaming(60_000);
    const replica = cluster.members.find((member) => member !== leader);
    ok(replica !== undefined);
    const before = await startOf(replica);
    const schedule = new Date(Date.now() + 6_000).toISOString();
    const planned = await order(replica, "POST", "/restart", { schedule, role: "replica" });
    deepEqual([planned.status, planned.text], [202, "Restart scheduled"]);
    await waitFor("the schedule in /cluster", 10_000, async () => {
      const seen = JSON.stringify((await leader.rest("/cluster")).body);
      return { met: seen.includes('"scheduled_restart":{"schedule"') ? true : null, seen };
    });
    const { end } = await endOf(replica, planned.operation, 30_000);
    equal(end["state"], "done");
    ok(await startOf(replica) !== before);
    deepEqual(await deleteOf(replica, "/restart"), [404, "no restarts are scheduled"]);
    await cluster.waitForStreaming(30_000);

    const ready = await holdUpStart(leader);
    const reply = await order(leader, "POST", "/restart", { timeout: 2 });
    deepEqual([reply.status, reply.text], [503, "restart failed"]);
    equal(await lockOwner(replica), leader.name);
    await ready();
    await cluster.waitForStreaming(60_000);
  },
);

liveTest(
  "PUT /config replaces the settings and tells of a conflict",
  { members: ["a"] },
  async (cluster) => {
    await cluster.startMembers();
    const leader = await cluster.waitForLeader(60_000);
    const read = await waitFor("the settings", 20_000, async () => {
      const found = await order(leader, "GET", "/config");
      return { met: found.status === 200 ? found : null, seen: found.text };
    });
    const present: JsonObject = JSON.parse(read.text);
    const next = { ...present, maximum_lag_on_failover: 4096 };
    const condition = { "if-match": read.etag };
    equal((await order(leader, "PUT", "/config", next, condition)).status, 200);
    const conflict = await order(leader, "PUT", "/config", present, condition);
    deepEqual([conflict.status, conflict.text], [409, "the configuration was changed meanwhile"]);
    equal((await order(leader, "PUT", "/config", { ...next, ttl: null })).status, 400);
    equal((await order(leader, "PUT", "/config", { ...next, ttl: "soon" })).status, 400);
    await waitFor("the new settings", 10_000, async () => {
      const { text } = await order(leader, "GET", "/config");
      return { met: isDeepStrictEqual(JSON.parse(text), next) ? true : null, seen: text };
    });
  },
);

liveTest(
  "the distribution's patronictl restarts, copies anew, schedules and flushes",
  { members: ["a", "b"], secure: true },
  async (cluster) => {
    await cluster.startMembers();
    const leader = await cluster.waitForStreaming(60_000);
    const replica = cluster.members.find((member) => member !== leader);
    ok(replica !== undefined);
    const { scope } = leader.plan;
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const before = await startOf(leader);
    match(await patronictl(leader, "restart", scope, leader.name, "--force"), /Success: restart/);
    ok(await startOf(leader) !== before);
    const planned = ["restart", scope, replica.name, "--scheduled", later, "--force"];
    match(await patronictl(leader, ...planned), /Success: restart scheduled/);
    await waitFor("the scheduled restart in its list", 20_000, async () => {
      const seen = await patronictl(leader, "list", "--extended");
      return { met: seen.includes("Scheduled restart") ? true : null, seen };
    });
    match(await patronictl(leader, "flush", scope, "restart", "--force"), /Success: flush/);
    match(
      await patronictl(leader, "reinit", scope, replica.name, "--force", "--wait"),
      /Reinitialize is completed/,
    );
    const names = ["--leader", leader.name, "--candidate", replica.name];
    const switchover = ["switchover", scope, ...names, "--scheduled", later, "--force"];
    match(await patronictl(leader, ...switchover), /Switchover scheduled/);
    match(await patronictl(leader, "flush", scope, "switchover"), /Success: scheduled switchover/);
    match(await patronictl(leader, "reload", scope, "--force"), /Reload request received/);
  },
);
