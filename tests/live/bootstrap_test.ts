import { deepEqual, equal } from "node:assert/strict";
import { liveTest, tell } from "./live.ts";
import { timed } from "../../scripts/playground/wait.ts";

liveTest("three agents started at once on empty folders make one cluster", {}, async (cluster) => {
  const tookMs = await timed(async () => {
    await cluster.startMembers();
    await cluster.waitForStreaming(60_000);
  });
  await tell(`three members streaming ${(tookMs / 1000).toFixed(1)} s after the start`);
  const rows = await Promise.all(
    cluster.members.map((member) =>
      member.sql("SELECT system_identifier::text AS id FROM pg_control_system()")
    ),
  );
  equal(new Set(rows.map(([row]) => row?.["id"])).size, 1);
  const timelines = await Promise.all(cluster.members.map((member) => member.rest("/patroni")));
  deepEqual(timelines.map(({ body }) => body["timeline"]), [1, 1, 1]);
  const initdbs = await Promise.all(cluster.members.map(wasFounded));
  equal(initdbs.filter(Boolean).length, 1);
});

/** A server that came from pg_basebackup has a backup label kept as `backup_label.old`; one from initdb has none. */
async function wasFounded(member: { readonly dataDir: string }): Promise<boolean> {
  try {
    await Deno.stat(`${member.dataDir}/backup_label.old`);
    return false;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    throw error;
  }
}
