import { equal, match, notEqual, ok } from "node:assert/strict";
import { runAgentCommand } from "../../scripts/playground/agent_program.ts";
import { type Cluster, planCluster } from "../../scripts/playground/cluster.ts";
import { liveTest, tell } from "./live.ts";
import { timed, waitFor } from "../../scripts/playground/wait.ts";

const CALLBACK = '#!/bin/sh\necho "$2 $3 $4" >> "$1"\n';
const PRE_PROMOTE = '#!/bin/sh\n[ ! -e "$1" ]\n';

/** Files that the hooks and watchdogs of a member write or read. */
function filesOf(folder: string, name: string): Record<"events" | "watchdog" | "refuses", string> {
  const at = (kind: string): string => `${folder}/${name}.${kind}`;
  return { events: at("events"), watchdog: at("watchdog"), refuses: at("refuses") };
}

async function withHooks(
  body: (cluster: Cluster, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "agent-hooks" });
  await Deno.writeTextFile(`${folder}/callback`, CALLBACK, { mode: 0o755 });
  await Deno.writeTextFile(`${folder}/pre_promote`, PRE_PROMOTE, { mode: 0o755 });
  for (const name of ["a", "b", "c"]) {
    const { events, watchdog } = filesOf(folder, name);
    for (const file of [events, watchdog]) await Deno.writeTextFile(file, "");
  }
  const cluster = await planCluster({
    members: ["a", "b", "c"],
    etcdMembers: 1,
    overrides: (name) => {
      const { events, watchdog, refuses } = filesOf(folder, name);
      const callback = `${folder}/callback ${events}`;
      return {
        watchdog: { mode: "required", driver: "testing", device: watchdog },
        postgresql: {
          callbacks: { on_start: callback, on_stop: callback, on_role_change: callback },
          pre_promote: `${folder}/pre_promote ${refuses}`,
        },
      };
    },
  });
  try {
    await body(cluster, folder);
  } catch (error) {
    throw new Error(`${await cluster.summary()}; logs: ${await cluster.keepLogs()}`, {
      cause: error,
    });
  } finally {
    await cluster.close();
    await Deno.remove(folder, { recursive: true });
  }
}

async function contains(path: string, wanted: RegExp): Promise<void> {
  await waitFor(`${wanted} in ${path}`, 20_000, async () => {
    const text = await Deno.readTextFile(path);
    return { met: wanted.test(text) ? true : null, seen: JSON.stringify(text) };
  });
}

Deno.test("hooks and watchdogs follow the lock, and pre_promote turns it away", async () => {
  await withHooks(async (cluster, folder) => {
    await cluster.startMembers();
    const first = await cluster.waitForStreaming(60_000);
    const files = filesOf(folder, first.name);
    await contains(files.events, /^on_start primary demo|^on_start primary /m);
    await contains(files.watchdog, /^Ctimeout=5\n1+$/);

    const barred = cluster.members.find((member) => member !== first) ?? first;
    // The former leader may be back soon enough to win the free lock again: it, too, is turned away then.
    for (const one of [barred, first]) {
      await Deno.writeTextFile(filesOf(folder, one.name).refuses, "");
    }
    const words = ["--leader", first.name, "--candidate", barred.name, "--force"];
    const result = await runAgentCommand(["switchover", "-c", first.configFile, ...words]);
    const next = await cluster.waitForLeader(60_000, (member) => member !== first);
    notEqual(next.name, barred.name, result.stdout);
    await cluster.waitForStreaming(60_000);
    await contains(filesOf(folder, barred.name).watchdog, /^Ctimeout=5\n1*V$/);
    await contains(files.watchdog, /^Ctimeout=5\n1+V(Ctimeout=5\n1*V)*$/);
    await contains(files.events, /^on_role_change replica /m);
    const { events, watchdog } = filesOf(folder, next.name);
    await contains(events, /^on_role_change primary /m);
    await contains(watchdog, /^Ctimeout=5\n1+$/);
    equal((await next.rest("/patroni")).body["watchdog_failed"], undefined);

    next.signalAgent("SIGTERM");
    await next.agentEnd();
    match(await Deno.readTextFile(events), /^on_stop primary /m);
    ok((await Deno.readTextFile(watchdog)).endsWith("V"));
  });
});

const GATE = `/tmp/agent-gate-${Deno.pid}`;

liveTest(
  "D14 a switchover does not wait for a blocked archiver",
  {
    members: ["a", "b"],
    overrides: () => ({
      postgresql: {
        parameters: {
          archive_mode: "on",
          archive_command: `while [ ! -e ${GATE} ]; do sleep 0.1; done`,
        },
      },
    }),
  },
  async (cluster) => {
    await cluster.startMembers();
    const first = await cluster.waitForStreaming(60_000);
    const words = ["--leader", first.name, "--force"];
    const tookMs = await timed(async () => {
      await runAgentCommand(["switchover", "-c", first.configFile, ...words]);
      await cluster.waitForLeader(20_000, (member) => member !== first);
    });
    await tell(`switchover beside a blocked archiver: ${Math.round(tookMs)} ms`);
    notEqual(await first.postmasterPid(), null);
    equal((await first.rest("/patroni")).body["state"], "stopping");
    await Deno.writeTextFile(GATE, "");
    try {
      await cluster.waitForStreaming(30_000);
    } finally {
      await Deno.remove(GATE);
    }
  },
);
