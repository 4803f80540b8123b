import { ok } from "node:assert/strict";
import { dirname } from "node:path";
import { agentProgram } from "../../scripts/playground/agent_program.ts";
import type { Cluster } from "../../scripts/playground/cluster.ts";
import type { Member } from "../../scripts/playground/member.ts";
import { waitFor } from "../../scripts/playground/wait.ts";
import { readFileOf } from "./docs_blocks.ts";

const MEMBERS = ["a", "b", "c"];

const STORE_LOST = "etcd is lost and the agents are started anew";
/** What may stand after `run:` before a block that is run. */
const MARKER = new RegExp(
  `^on a(?:, (${STORE_LOST}|systemd starts the agent again|(([abc]) is dead)))?(, then ([abc]) leads)?$`,
);

/** A shell on the host of member a, on a cluster that a leads; systemd is played by `supervise`. */
export class DocsHost {
  readonly #cluster: Cluster;
  /** Members that stay dead. */
  readonly #dead = new Set<string>();
  #ended = false;

  private constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Starts the members, a first, so that it leads. */
  static async start(cluster: Cluster): Promise<DocsHost> {
    const host = new DocsHost(cluster);
    await cluster.member("a").start();
    await cluster.waitForLeader(30_000);
    for (const name of ["b", "c"]) await cluster.member(name).start();
    await cluster.waitForStreaming(60_000);
    for (const member of cluster.members) void host.#supervise(member);
    return host;
  }

  /** What a page begins with: a leads, and the files that it prints are there. */
  async open(page: string): Promise<void> {
    if ((await this.#cluster.leader())?.name !== "a") {
      const { code, text } = await this.run("agent switchover --candidate a --force");
      ok(code === 0, text);
      await this.settle("on a, then a leads");
    }
    const proxy = await readFileOf(page, "haproxy.cfg");
    if (proxy === null) return;
    await Deno.writeTextFile(`${this.#cluster.folder}/haproxy.cfg`, this.#substituted(proxy));
  }

  /** From now on nobody starts an agent again. */
  end(): void {
    this.#ended = true;
  }

  /** Runs commands as one shell that ends at the first failure, at most a minute. */
  async run(text: string): Promise<{ readonly code: number; readonly text: string }> {
    const path = `${dirname(agentProgram())}:/usr/sbin:${Deno.env.get("PATH")}`;
    const { code, stdout, stderr } = await new Deno.Command("bash", {
      args: ["-euo", "pipefail", "-c", this.#substituted(text)],
      cwd: this.#cluster.folder,
      env: { PATH: path, AGENT_CONFIG: this.#cluster.member("a").configFile },
      stdin: "null",
      signal: AbortSignal.timeout(60_000),
    }).output();
    const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
    return { code, text: decode(stdout) + decode(stderr) };
  }

  /** Brings about the situation that a marker names. */
  async prepare(marker: string): Promise<void> {
    const [, situation = "", , dead] = MARKER.exec(marker) ?? [];
    ok(MARKER.test(marker), `an unknown marker: ${marker}`);
    if (situation === STORE_LOST) await this.#loseStore();
    if (dead !== undefined) await this.#lose(dead);
  }

  /** Waits for what the page promises after a block, then until the cluster is whole again. */
  async settle(marker: string): Promise<void> {
    const [, situation = "", , dead, , leader] = MARKER.exec(marker) ?? [];
    if (leader !== undefined) {
      await this.#cluster.waitForLeader(30_000, ({ name }) => name === leader);
    }
    if (dead === "c") await this.#waitWithoutSlot(dead);
    if (dead !== undefined) await this.#revive(dead);
    await this.#cluster.waitForStreaming(60_000);
    if (situation === STORE_LOST) {
      const { code, text } = await this.run("agent show-config --format json | diff - demo.json");
      ok(code === 0, `settings are not as before: ${text}`);
    }
  }

  async #waitWithoutSlot(slot: string): Promise<void> {
    await waitFor(`no slot ${slot}`, 20_000, async () => {
      const leader = await this.#cluster.waitForLeader(10_000);
      const rows = await leader.sql("SELECT slot_name FROM pg_replication_slots");
      const names = rows.map((row) => row["slot_name"]);
      return { met: names.includes(slot) ? null : true, seen: names.join() };
    });
  }

  async #lose(name: string): Promise<void> {
    this.#dead.add(name);
    await this.#cluster.member(name).killAll();
  }

  async #revive(name: string): Promise<void> {
    this.#dead.delete(name);
    const member = this.#cluster.member(name);
    await member.start();
    void this.#supervise(member);
  }

  /** Nothing of the store is left, and no process that remembers what it held. */
  async #loseStore(): Promise<void> {
    const { etcd, members } = this.#cluster;
    await etcd.kill(0);
    MEMBERS.forEach((name) => this.#dead.add(name));
    for (const member of members) member.signalAgent("SIGTERM");
    await waitFor("the end of the agents", 30_000, () => {
      const running = members.filter((member) => member.agentPid !== null);
      return Promise.resolve({
        met: running.length === 0 ? true : null,
        seen: `${running.length}`,
      });
    });
    this.#dead.clear();
    await etcd.startEmpty();
    for (const member of members) {
      await member.start();
      void this.#supervise(member);
    }
    await waitFor("members without an identity", 30_000, async () => {
      const { text } = await this.run("agent list");
      return { met: text.split("| Replica | running").length === 4 ? true : null, seen: text };
    });
  }

  /** Starts an agent again when it has ended, as the unit does (Restart=always). */
  async #supervise(member: Member): Promise<void> {
    while (!this.#ended) {
      await member.agentEnd();
      if (this.#ended || this.#dead.has(member.name)) return;
      await member.start();
    }
  }

  /** The addresses and files of this playground in place of those of the pages. */
  #substituted(text: string): string {
    const [etcd = ""] = this.#cluster.etcd.endpoints;
    const { folder } = this.#cluster;
    const pairs = MEMBERS.flatMap((name, index): [string, string][] => {
      const { restPort, pgPort } = this.#cluster.member(name).plan;
      const host = `10.0.0.${index + 1}`;
      return [
        [`${host}:5432 check port 8008`, `127.0.0.1:${pgPort} check port ${restPort}`],
        [`${host}:8008`, `127.0.0.1:${restPort}`],
        [`${host}:5432`, `127.0.0.1:${pgPort}`],
        [`http://${host}:2379`, etcd],
      ];
    });
    const files: [string, string][] = [
      ["/etc/agent/patroni.yml", this.#cluster.member("a").configFile],
      ["/etc/haproxy/haproxy.cfg", `${folder}/haproxy.cfg`],
    ];
    const whole = [...pairs, ...files].reduce((now, [from, to]) => now.replaceAll(from, to), text);
    ok(!whole.includes("10.0.0."), `an address that is not replaced: ${whole}`);
    return whole;
  }
}
