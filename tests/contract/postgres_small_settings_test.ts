import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import type { Member } from "../postgres/real_server.ts";
import {
  bootstrapped,
  clusterSettings,
  eventually,
  job,
  member,
  NO_ESCALATION,
  onServers,
  sql,
  streaming,
} from "../postgres/real_server.ts";

const settings = clusterSettings();
const RAISED = clusterSettings({
  parameters: { shared_buffers: "16MB", fsync: "off", max_connections: "60" },
});

onServers(
  "probe() tells a replay that paused for small settings from a wished one",
  async (dir) => {
    await using a = member(dir, "a");
    await using b = member(dir, "b");
    await bootstrapped(a);
    await streaming(b, a);
    await sql(b, "SELECT pg_wal_replay_pause()");
    const wished = await eventually(b.manager, (view) => isPaused(view));
    strictEqual(wished.kind === "replica" && wished.tooSmall, undefined);
    await sql(b, "SELECT pg_wal_replay_resume()");

    await restartPrimary(a);
    const paused = await eventually(b.manager, isTooSmall);
    deepStrictEqual(paused.kind === "replica" && paused.tooSmall, {
      max_connections: { oldValue: "30", newValue: "60" },
    });

    // The configuration that this member knows still asks for less: the control file counts.
    deepStrictEqual(await b.manager.stop("fast", true, NO_ESCALATION, job()), { kind: "done" });
    deepStrictEqual(await b.manager.startReplica(a.source, settings, job()), { kind: "done" });
    const again = await eventually(b.manager, (view) => view.kind === "replica" && view.streaming);
    deepStrictEqual(again.kind === "replica" && [again.replayPaused, again.tooSmall], [
      false,
      undefined,
    ]);
  },
);

type View = Parameters<Parameters<typeof eventually>[1]>[0];

function isPaused(view: View): boolean {
  return view.kind === "replica" && view.replayPaused;
}

function isTooSmall(view: View): boolean {
  return view.kind === "replica" && Object.keys(view.tooSmall ?? {}).length > 0;
}

async function restartPrimary({ manager }: Member): Promise<void> {
  await manager.stop("fast", false, NO_ESCALATION, job());
  const untilMs = systemClock.bootMs() + 20_000;
  const started = await manager.startPrimary(untilMs, 20_000, RAISED, job());
  deepStrictEqual(started, { kind: "done" });
}
