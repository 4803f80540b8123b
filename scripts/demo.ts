import { runOnce } from "./playground/measured_run.ts";
import { type Cluster, planCluster } from "./playground/cluster.ts";
import { print } from "./playground/print.ts";
import { writeLauncher } from "./playground/launcher.ts";
import { showLive } from "./playground/live_view.ts";
import { timed } from "./playground/wait.ts";
import { Writer } from "./playground/writer.ts";

const MEMBERS: readonly string[] = ["anna", "bert", "carl"];

async function demo(once: boolean): Promise<number> {
  await print("Starting etcd");
  const cluster = await planCluster({ members: MEMBERS, etcdMembers: 1 });
  const stopped = new AbortController();
  const stop = (): void => stopped.abort();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, stop);
  }
  try {
    return await play(cluster, once, stopped.signal);
  } catch (error) {
    if (stopped.signal.aborted) return 130;
    await print(`${error}\nThe logs are kept in ${await cluster.keepLogs()}`);
    return 1;
  } finally {
    await print("Ending: clients, HAProxy, agents, PostgreSQL, etcd");
    await cluster.close();
    await print("Nothing is left running");
  }
}

async function play(cluster: Cluster, once: boolean, stopped: AbortSignal): Promise<number> {
  await print(`Starting the agents ${MEMBERS.join(", ")} on empty folders, and HAProxy`);
  const tookMs = await timed(async () => {
    await cluster.startMembers();
    await cluster.waitForStreaming(90_000);
  });
  const leader = await cluster.waitForLeader(10_000);
  await cluster.proxy.waitForWriter(leader.name, 15_000);
  const seconds = (tookMs / 1000).toFixed(1);
  await print(`One leader, two streaming replicas after ${seconds} s`);
  const writer = new Writer(cluster.proxy.writePlace);
  writer.start();
  try {
    if (once) return await runOnce(cluster, writer);
    await showLive(cluster, writer, await writeLauncher(cluster), stopped);
    return 0;
  } finally {
    await writer.stop();
  }
}

Deno.exit(await demo(Deno.args.includes("--once")));
