import { deepStrictEqual, equal, match, notEqual } from "node:assert/strict";
import { isJsonObject, type JsonObject } from "../../lib/base/json.ts";
import { objectAt } from "../../lib/config/faults.ts";
import type { Member } from "../../scripts/playground/member.ts";
import { waitFor } from "../../scripts/playground/wait.ts";
import { liveTest } from "./live.ts";

/** Writes the member's file anew and has its agent read it. */
async function rewrite(member: Member, change: (file: JsonObject) => JsonObject): Promise<void> {
  const file: unknown = JSON.parse(await Deno.readTextFile(member.configFile));
  if (!isJsonObject(file)) throw new TypeError("Cannot read the member's file");
  await Deno.writeTextFile(member.configFile, JSON.stringify(change(file)));
  member.signalAgent("SIGHUP");
}

async function logged(member: Member, wanted: RegExp): Promise<void> {
  await waitFor(`${wanted} in the log`, 15_000, async () => {
    const text = await Deno.readTextFile(member.logFile);
    return { met: wanted.test(text) ? true : null, seen: text.slice(-300) };
  });
}

liveTest("SIGHUP brings tags and parameters into force; a faulty file changes nothing", {
  members: ["a", "b"],
}, async (cluster) => {
  await cluster.startMembers();
  const leader = await cluster.waitForStreaming(60_000);
  const pid = await leader.postmasterPid();
  await rewrite(leader, (file) => {
    const server = objectAt(file, ["postgresql"]);
    const parameters = { ...objectAt(server, ["parameters"]), work_mem: "7MB" };
    const tags = { zone: "north", noloadbalance: true };
    return { ...file, tags, postgresql: { ...server, parameters } };
  });
  await waitFor("the new work_mem", 15_000, async () => {
    const [row] = await leader.sql("SHOW work_mem");
    return { met: row?.["work_mem"] === "7MB" ? true : null, seen: JSON.stringify(row) };
  });
  const { body } = await leader.rest("/patroni");
  deepStrictEqual(body["tags"], { zone: "north", noloadbalance: true });
  equal((await leader.rest("/health?tag_zone=north")).status, 200);
  equal((await leader.rest("/health?tag_zone=south")).status, 503);

  await Deno.writeTextFile(leader.configFile, "scope: [");
  leader.signalAgent("SIGHUP");
  await logged(leader, /Cannot reload the configuration, the old one stays in force/);
  deepStrictEqual((await leader.rest("/patroni")).body["tags"], body["tags"]);
  equal(await leader.postmasterPid(), pid);
  notEqual(pid, null);
  match(await Deno.readTextFile(leader.logFile), /Reloaded the configuration/);
});
