import { deepEqual, equal, match } from "node:assert/strict";
import { liveTest } from "./live.ts";
import { waitFor } from "../../scripts/playground/wait.ts";

/** What the distribution's `patronictl list` prints, as rows of its JSON form. */
async function patronictlList(configFile: string): Promise<readonly Record<string, unknown>[]> {
  const output = await new Deno.Command("patronictl", {
    args: ["-c", configFile, "list", "--format", "json"],
    signal: AbortSignal.timeout(30_000),
  }).output();
  equal(output.code, 0, new TextDecoder().decode(output.stderr));
  return JSON.parse(new TextDecoder().decode(output.stdout));
}

liveTest(
  "a member of the distribution's Patroni joins as a replica and both list each other",
  { patroni: ["c"], dcs: { ttl: 20, retry_timeout: 5 } },
  async (cluster) => {
    const ours = ["a", "b"].map((name) => cluster.member(name));
    const theirs = cluster.member("c");
    await Promise.all(ours.map((member) => member.start()));
    await cluster.waitForStreaming(60_000, 1);
    await theirs.start();
    const leader = await cluster.waitForStreaming(60_000, 2);
    const rows = await waitFor("patronictl listing three running members", 30_000, async () => {
      const seen = await patronictlList(leader.configFile);
      const states = seen.map((row) => String(row["State"]));
      const all = states.length === 3 &&
        states.every((state) => /^(running|streaming)$/.test(state));
      return { met: all ? seen : null, seen: JSON.stringify(seen) };
    });
    deepEqual(rows.map((row) => row["Member"]).sort(), ["a", "b", "c"]);
    deepEqual(rows.filter((row) => row["Role"] === "Leader").map((row) => row["Member"]), [
      leader.name,
    ]);
    const { body } = await leader.rest("/cluster");
    match(JSON.stringify(body["members"]), /"name":\s?"c"/);
  },
);
