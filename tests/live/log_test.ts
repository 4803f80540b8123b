import { equal, match, ok } from "node:assert/strict";
import type { JsonObject } from "../../lib/base/json.ts";
import type { Member } from "../../scripts/playground/member.ts";
import { memberFile } from "../../scripts/playground/member_file.ts";
import { readOrNull } from "../../scripts/playground/processes.ts";
import { pause, waitFor } from "../../scripts/playground/wait.ts";
import { sample } from "../api/prometheus_text.ts";
import { liveTest } from "./live.ts";

/** One metric of a member now. */
async function metric(member: Member, name: string): Promise<number> {
  const response = await member.ask("/metrics", {}, 2_000);
  return Number(sample(await response.text(), name));
}

/** Waits until the member's own file tells more than a pipe and the queue hold. */
async function someDropped(member: Member): Promise<number> {
  return await waitFor("dropped lines", 60_000, async () => {
    const dropped = await metric(member, "agent_log_lines_dropped_total");
    return { met: dropped > 0 ? dropped : null, seen: `${dropped} dropped` };
  });
}

/** Puts another section `log` into the member's file and has it read again. */
async function relog(member: Member, log: JsonObject): Promise<void> {
  const { overrides } = member.plan;
  await Deno.writeTextFile(
    member.configFile,
    memberFile({ ...member.plan, overrides: { ...overrides, log } }),
  );
  member.signalAgent("SIGHUP");
}

const LOUD: JsonObject = { level: "DEBUG", max_queue_size: 3, deduplicate_heartbeat_logs: false };

liveTest("D22 a leader whose log file hangs leads on and counts lines; a reload moves the log", {
  members: ["a"],
  dcs: { loop_wait: 1 },
}, async (cluster) => {
  const [member] = cluster.members;
  if (member === undefined) throw new TypeError("Cannot find the only member");
  const dir = `${member.plan.folder}/logs`;
  await Deno.mkdir(dir, { recursive: true });
  equal((await new Deno.Command("mkfifo", { args: [`${dir}/patroni.log`] }).output()).code, 0);
  await member.start();
  await cluster.waitForLeader(60_000);
  await relog(member, { ...LOUD, dir });
  await someDropped(member);
  equal(await cluster.leader(), member);
  const before = await metric(member, "agent_lease_left_seconds");
  await pause(3_000);
  ok(before > 5 && await metric(member, "agent_lease_left_seconds") > 5, "the lease is renewed");

  await relog(member, { ...LOUD, type: "json" });
  const line = await waitFor("a line that tells of dropped ones", 20_000, async () => {
    const text = await readOrNull(member.logFile) ?? "";
    return { met: /^\{.*lines were dropped.*\}$/m.exec(text)?.[0] ?? null, seen: text.slice(-500) };
  });
  match(String(JSON.parse(line).message), /^\d+ log lines were dropped: /);
  await waitFor("an event in JSON", 20_000, async () => {
    const text = await readOrNull(member.logFile) ?? "";
    const found = /^\{"asctime":.*"message":"no action\. I am \(a\), the leader.*"rule":/m.exec(
      text,
    );
    return { met: found, seen: text.slice(-500) };
  });
});
