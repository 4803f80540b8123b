import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import type { Client } from "pg";
import { liveTest, tell } from "./live.ts";
import type { Cluster } from "../../scripts/playground/cluster.ts";
import type { Member } from "../../scripts/playground/member.ts";
import { processesIn, readOrNull, signalPid } from "../../scripts/playground/processes.ts";
import { connect } from "../../scripts/playground/sql.ts";
import { switchOf } from "../../scripts/playground/switch.ts";
import { pause, waitFor } from "../../scripts/playground/wait.ts";
import { lostWrites, Writer } from "../../scripts/playground/writer.ts";

const WRITERS = 24;

/** A client that writes straight to one member as fast as it can, and notes the boot clock at which each commit was asked for. */
class DirectWriter {
  readonly acknowledged: number[] = [];
  /** Boot clock at which the last confirmed commit was confirmed. */
  lastMs = 0;
  readonly #port: number;
  readonly #step: number;
  #next: number;
  #wanted = true;
  #running: Promise<void>;

  constructor(port: number, first: number, step: number) {
    this.#port = port;
    this.#next = first;
    this.#step = step;
    this.#running = this.#loop();
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    await this.#running;
  }

  async #loop(): Promise<void> {
    let client: Client | null = null;
    while (this.#wanted) {
      const id = this.#next;
      this.#next += this.#step;
      try {
        client ??= await connect(this.#port);
        await client.query("INSERT INTO playground_writes (id) VALUES ($1)", [id]);
        this.lastMs = bootMs();
        this.acknowledged.push(id);
      } catch {
        await client?.end().catch(() => undefined);
        client = null;
        await pause(50);
      }
    }
    await client?.end().catch(() => undefined);
  }
}

function bootMs(): number {
  return Number(Deno.readTextFileSync("/proc/uptime").split(" ")[0]) * 1000;
}

/** The deadline that the switch of a member obeys: end of the lease on the boot clock. */
async function leaseEndsMs(member: Member): Promise<number> {
  const found = await switchOf(member.dataDir);
  const state = await Deno.readTextFile(`${found?.folder}/state`);
  const [word, , , , ends] = state.split(" ");
  equal(word, "armed");
  return Number(ends);
}

interface Scene {
  readonly leader: Member;
  readonly direct: readonly DirectWriter[];
  /** Through the proxy: tells how long an application waits. */
  readonly writer: Writer;
}

async function underLoad(cluster: Cluster): Promise<Scene> {
  await cluster.startMembers();
  const leader = await cluster.waitForStreaming(60_000);
  await cluster.proxy.waitForWriter(leader.name, 10_000);
  await leader.sql("CREATE TABLE playground_writes (id bigint PRIMARY KEY)");
  const writer = new Writer(cluster.proxy.plan.writePort);
  const direct = Array.from({ length: WRITERS }, (_, index) => {
    return new DirectWriter(leader.plan.pgPort, 1_000_000 + index, WRITERS);
  });
  writer.start();
  await waitFor("all writers at work", 20_000, () => {
    const slowest = Math.min(...direct.map((one) => one.acknowledged.length));
    return Promise.resolve({ met: slowest >= 20 ? true : null, seen: `${slowest}` });
  });
  writer.resetGap();
  return { leader, direct, writer };
}

async function writesGoOn(writer: Writer): Promise<void> {
  const before = writer.report().acknowledged.length;
  await waitFor("writes on the new leader", 20_000, () => {
    const more = writer.report().acknowledged.length - before;
    return Promise.resolve({ met: more >= 20 ? true : null, seen: `${more} more` });
  });
}

/** Kills each `sleep` of the switch until told to stop. */
async function killSleeps(pid: number, isWanted: () => boolean): Promise<number> {
  let count = 0;
  while (isWanted()) {
    const text = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`).catch(() => "");
    for (const child of text.split(" ").map(Number).filter((one) => one > 0)) {
      signalPid(child, "SIGKILL");
      count++;
    }
    await pause(70);
  }
  return count;
}

interface Blow {
  readonly signal: "SIGSTOP" | "SIGKILL";
  readonly killsSleeps: boolean;
  /** The agent is killed and started before, so that it has only just taken over its own server. */
  readonly restartsFirst?: boolean;
}

/** The agent of the leader is hit; nobody may commit on its server after its lease, and nothing may be lost. */
async function survive(cluster: Cluster, blow: Blow): Promise<void> {
  const { leader, direct, writer } = await underLoad(cluster);
  const found = await switchOf(leader.dataDir);
  notEqual(found, null);
  if (blow.restartsFirst === true) await restartAgent(leader);
  equal((await switchOf(leader.dataDir))?.pid, found?.pid);
  if (blow.signal === "SIGKILL") await leader.killAgent();
  else leader.signalAgent("SIGSTOP");
  const endsMs = await leaseEndsMs(leader);
  let isWanted = blow.killsSleeps;
  const killing = killSleeps(found?.pid ?? 0, () => isWanted);

  const next = await cluster.waitForLeader(40_000, (member) => member !== leader);
  await writesGoOn(writer);
  await pause(3_000); // time for a commit on the old server that must not come
  isWanted = false;
  const kills = await killing;
  for (const one of direct) await one.stop();
  const { acknowledged, longestGapMs } = await writer.stop();

  const lastMs = Math.max(...direct.map((one) => one.lastMs));
  ok(lastMs > 0 && lastMs < endsMs, `last commit ${lastMs - endsMs} ms after the end`);
  const all = [...acknowledged, ...direct.flatMap((one) => one.acknowledged)];
  const lost = await lostWrites(all, (text) => next.sql(text));
  deepEqual(lost, []);
  await tell(
    `${all.length} acknowledged, lost ${lost.length}; last commit ${
      Math.round(endsMs - lastMs)
    } ms before the lease's end; gap ${longestGapMs} ms; sleeps killed ${kills}`,
  );
  await comesBack(leader, blow);
  const led = await cluster.waitForStreaming(60_000);
  notEqual(led.name, leader.name);
  await disarmed(leader);
  await inHistory(led, leader.name);
}

async function restartAgent(leader: Member): Promise<void> {
  await leader.killAgent();
  await leader.start();
  await waitFor("the lock in its old hands", 15_000, async () => {
    const { status } = await leader.rest("/primary");
    return { met: status === 200 ? true : null, seen: `${status}` };
  });
}

async function comesBack(leader: Member, blow: Blow): Promise<void> {
  if (blow.signal === "SIGKILL") await leader.start();
  else leader.signalAgent("SIGCONT");
  await tellsFirings(leader);
}

async function tellsFirings(member: Member): Promise<void> {
  await waitFor("the firings in the status", 10_000, async () => {
    const { body } = await member.rest("/patroni");
    const text = JSON.stringify(body["agent"] ?? null);
    return { met: text.includes('"signal":"INT"') ? true : null, seen: text };
  });
}

/** The firing is told in the history of the cluster. */
async function inHistory(leader: Member, fenced: string): Promise<void> {
  const wanted = `the dead-man's switch of ${fenced} sent `;
  await waitFor("the firing in the history", 15_000, async () => {
    const seen = await (await fetch(`http://127.0.0.1:${leader.plan.restPort}/history`)).text();
    return { met: seen.includes(wanted) ? true : null, seen };
  });
}

async function disarmed(member: Member): Promise<void> {
  await waitFor("a switch at rest", 15_000, async () => {
    const { body } = await member.rest("/patroni");
    const text = JSON.stringify(body["agent"] ?? null);
    return { met: text.includes('"switch":{"armed":false') ? true : null, seen: text };
  });
}

liveTest(
  "A18 nobody commits after the lease of a leader whose agent is stopped",
  {},
  async (cluster) => {
    await survive(cluster, { signal: "SIGSTOP", killsSleeps: false });
  },
);

liveTest("nor when the sleep of its switch is killed, too", {}, async (cluster) => {
  await survive(cluster, { signal: "SIGSTOP", killsSleeps: true });
});

liveTest(
  "nobody commits after the lease of a leader whose agent is killed",
  {},
  async (cluster) => {
    await survive(cluster, { signal: "SIGKILL", killsSleeps: false });
  },
);

liveTest(
  "a killed switch is replaced while the leader goes on",
  { members: ["a"] },
  async (cluster) => {
    await cluster.startMembers();
    const leader = await cluster.waitForLeader(60_000);
    const before = await switchOf(leader.dataDir);
    signalPid(before?.pid ?? 0, "SIGKILL");
    await waitFor("another switch", 5_000, async () => {
      const found = await switchOf(leader.dataDir);
      return {
        met: found !== null && found.pid !== before?.pid ? true : null,
        seen: `${found?.pid}`,
      };
    });
    await pause(12_000);
    equal((await leader.rest("/primary")).status, 200);
  },
);

liveTest("a bootstrap whose agent is killed leaves no writable server", {
  members: ["a"],
}, async (cluster) => {
  const member = cluster.member("a");
  await member.start();
  await waitFor("the first server", 60_000, async () => {
    const text = await readOrNull(`${member.dataDir}/postmaster.pid`) ?? "";
    return { met: /^\d[^]*\bready\b/.test(text) ? true : null, seen: text };
  });
  await member.killAgent();
  const endsMs = await leaseEndsMs(member);
  await waitFor("the end of the server", 20_000, async () => {
    const left = await processesIn(member.dataDir);
    return { met: left.length === 0 ? true : null, seen: `${left.length} processes` };
  });
  await tell(`fenced ${Math.round(endsMs - bootMs())} ms before the lease's end`);
  ok(bootMs() < endsMs);
  await member.start();
  await cluster.waitForLeader(60_000);
});

liveTest(
  "nobody commits after the lease of a leader stopped just after its restart",
  {},
  async (cluster) => {
    await survive(cluster, { signal: "SIGSTOP", killsSleeps: false, restartsFirst: true });
  },
);

liveTest("an agent that is told to end leaves neither server nor switch", {
  members: ["a"],
}, async (cluster) => {
  const member = cluster.member("a");
  await member.start();
  await cluster.waitForLeader(60_000);
  const before = await switchOf(member.dataDir);
  notEqual(before, null);
  member.signalAgent("SIGTERM");
  equal(await member.agentEnd(), 0);
  deepEqual(await processesIn(member.dataDir), []);
  await waitFor("the end of the switch", 3_000, async () => {
    const found = await switchOf(member.dataDir);
    return { met: found === null ? true : null, seen: `${found?.pid}` };
  });
  equal(await readOrNull(`${before?.folder}/state`), null);
});
