import { deepEqual, equal, ok } from "node:assert/strict";
import type { Cluster } from "../../scripts/playground/cluster.ts";
import type { Member } from "../../scripts/playground/member.ts";
import { postgresBin } from "../../scripts/playground/member_file.ts";
import { processesIn, signalPid } from "../../scripts/playground/processes.ts";
import { switchOf } from "../../scripts/playground/switch.ts";
import { pause, waitFor } from "../../scripts/playground/wait.ts";
import { liveTest, tell } from "./live.ts";

const ONE = { members: ["a"] };
const TTL_MS = 10_000;

async function run(program: string, ...args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(`${postgresBin()}/${program}`, {
    args: [...args],
    stdout: "null",
    signal: AbortSignal.timeout(60_000),
  }).output();
  ok(success, new TextDecoder().decode(stderr));
}

async function startByHand(member: Member): Promise<void> {
  await run("pg_ctl", "start", "-w", "-D", member.dataDir, "-l", `${member.plan.folder}/hand.log`);
}

/** As after a new start of the host: neither agent nor switch nor server. */
async function hostStartsAnew(member: Member): Promise<void> {
  await member.killAgent();
  const found = await switchOf(member.dataDir);
  if (found?.pid !== undefined) signalPid(found.pid, "SIGKILL");
  if (found !== null) await Deno.remove(found.folder, { recursive: true });
  await run("pg_ctl", "stop", "-w", "-m", "fast", "-D", member.dataDir);
}

async function led(cluster: Cluster): Promise<Member> {
  await cluster.startMembers();
  const member = await cluster.waitForLeader(60_000);
  await waitFor("the mark of a managed directory", 10_000, async () => {
    const names = await filesNamed(member.plan.folder, "managed.json");
    return { met: names > 0 ? true : null, seen: `${names}` };
  });
  return member;
}

async function filesNamed(folder: string, name: string): Promise<number> {
  let count = 0;
  for await (const entry of Deno.readDir(folder)) {
    if (entry.name === name) count++;
    if (entry.isDirectory && entry.name.startsWith(".agent")) {
      count += await filesNamed(`${folder}/${entry.name}`, name);
    }
  }
  return count;
}

async function serverEnds(member: Member, withinMs: number): Promise<void> {
  const began = performance.now();
  await waitFor("the end of the server", withinMs, async () => {
    const left = await processesIn(member.dataDir);
    return { met: left.length === 0 ? true : null, seen: `${left.length} processes` };
  });
  await tell(`stopped after ${Math.round(performance.now() - began)} ms, ttl 10`);
}

liveTest(
  "a primary that the system started is stopped when no store says that it may lead",
  ONE,
  async (cluster) => {
    const member = await led(cluster);
    await cluster.etcd.kill(0);
    await hostStartsAnew(member);
    await startByHand(member);
    await member.start();
    await serverEnds(member, TTL_MS + 5_000);
    await cluster.etcd.restart(0);
    await cluster.waitForLeader(60_000);
  },
);

liveTest(
  "a primary that the system starts after the agent is stopped, too, while the store is down",
  ONE,
  async (cluster) => {
    const member = await led(cluster);
    await cluster.etcd.kill(0);
    await hostStartsAnew(member);
    await member.start();
    await waitFor("an agent that waits for the store", 20_000, async () => {
      const log = await Deno.readTextFile(member.logFile);
      const lastStart = log.slice(log.lastIndexOf(" starts a"));
      return { met: lastStart.includes("Waiting for the store") || null, seen: lastStart };
    });
    await startByHand(member);
    await serverEnds(member, 2 * TTL_MS + 5_000);
    await cluster.etcd.restart(0);
    await cluster.waitForLeader(60_000);
  },
);

liveTest(
  "a primary that no agent has led is left alone while the store is down",
  ONE,
  async (cluster) => {
    const member = cluster.member("a");
    await Deno.mkdir(member.plan.folder, { recursive: true });
    await run("initdb", "-D", member.dataDir, "-A", "trust", "-U", "postgres");
    const conf =
      `port = ${member.plan.pgPort}\nunix_socket_directories = '${member.plan.folder}'\n`;
    await Deno.writeTextFile(`${member.dataDir}/postgresql.conf`, conf, { append: true });
    await startByHand(member);
    const before = await member.postmasterPid();
    await cluster.etcd.kill(0);
    await member.start();
    await pause(TTL_MS * 1.3);
    equal(await member.postmasterPid(), before);
    ok((await processesIn(member.dataDir)).length > 0);
  },
);

liveTest(
  "a primary in maintenance mode is left alone by a new agent without the store",
  ONE,
  async (cluster) => {
    const member = await led(cluster);
    const reply = await member.ask("/config", { method: "PATCH", body: '{"pause":true}' });
    equal(reply.status, 200);
    await reply.body?.cancel();
    await waitFor("a switch at rest", 10_000, async () => {
      const seen = JSON.stringify((await member.rest("/patroni")).body["agent"] ?? null);
      return { met: seen.includes('"switch":{"armed":false') ? true : null, seen };
    });
    const before = await member.postmasterPid();
    await member.killAgent();
    await cluster.etcd.kill(0);
    await member.start();
    await pause(TTL_MS * 1.3);
    equal(await member.postmasterPid(), before);
    await cluster.etcd.restart(0);
    await cluster.waitForLeader(30_000);
    deepEqual(await member.postmasterPid(), before);
  },
);
