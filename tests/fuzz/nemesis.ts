import { systemClock } from "../../lib/base/clock.ts";
import type { Cluster } from "../../scripts/playground/cluster.ts";
import type { Hit } from "../../scripts/playground/history.ts";
import { signalPid } from "../../scripts/playground/processes.ts";
import { type RunningSwitch, switchOf } from "../../scripts/playground/switch.ts";
import { pause } from "../../scripts/playground/wait.ts";
import { type Event, partsOf } from "./plan.ts";

/** Undoes what was done. */
type Undo = () => Promise<void>;

/** Carries out every event at its time and undoes it; resolves with what was done to members when all of it is over. */
export async function torment(
  cluster: Cluster,
  events: readonly Event[],
): Promise<readonly Hit[]> {
  const startMs = systemClock.bootMs();
  const hits = await Promise.all(events.map(async (event) => {
    await pause(startMs + event.atMs - systemClock.bootMs());
    const fromMs = systemClock.bootMs();
    const undo = await carryOut(cluster, event);
    await pause(event.forMs);
    await undo();
    return hitsOf(event, fromMs, systemClock.bootMs());
  }));
  return hits.flat();
}

function hitsOf({ deed, target }: Event, fromMs: number, toMs: number): readonly Hit[] {
  const how = deed.startsWith("stop") ? "stop" : "kill";
  return partsOf(deed).flatMap((part): readonly Hit[] =>
    part === "agent" || part === "switch" || part === "postmaster"
      ? [{ member: target, part, how, fromMs, toMs }]
      : []
  );
}

async function carryOut(cluster: Cluster, { deed, target }: Event): Promise<Undo> {
  if (deed === "stop etcd" || deed === "kill etcd") {
    return await hitEtcd(cluster, deed, Number(target.slice(1)));
  }
  const member = cluster.member(target);
  switch (deed) {
    case "stop agent":
      return stopped(member.agentPid);
    case "stop switch":
      return stopped((await switchOf(member.dataDir))?.pid ?? null);
    case "stop postmaster":
      return stopped(await member.runningPostmaster());
    case "kill switch":
      killSwitchOf(await switchOf(member.dataDir));
      return nothing;
    case "kill postmaster":
      await member.killPostmaster();
      return nothing;
    case "kill agent":
      await member.killAgent();
      return () => member.start();
    case "kill server":
      await member.killAll();
      return () => member.start();
  }
}

async function hitEtcd(
  { etcd }: Cluster,
  deed: "stop etcd" | "kill etcd",
  index: number,
): Promise<Undo> {
  if (deed === "kill etcd") {
    await etcd.kill(index);
    return () => etcd.restart(index);
  }
  etcd.stop(index);
  return () => Promise.resolve(etcd.cont(index));
}

function killSwitchOf(found: RunningSwitch | null): void {
  if (found !== null) signalPid(found.pid, "SIGKILL");
}

function stopped(pid: number | null): Undo {
  if (pid === null) return nothing;
  signalPid(pid, "SIGSTOP");
  return () => Promise.resolve(signalPid(pid, "SIGCONT"));
}

function nothing(): Promise<void> {
  return Promise.resolve();
}
