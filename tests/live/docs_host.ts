import { ok } from "node:assert/strict";
import { dirname } from "node:path";
import { agentProgram } from "../../scripts/playground/agent_program.ts";
import type { Cluster } from "../../scripts/playground/cluster.ts";
import type { Member } from "../../scripts/playground/member.ts";
import { waitFor } from "../../scripts/playground/wait.ts";
import { readFileOf } from "./docs_blocks.ts";

const MEMBERS = ["a", "b", "c"];

/** A shell on the host of member a, on a cluster that a leads; systemd is played by `supervise`. */
export class DocsHost {
  readonly #cluster: Cluster;
  /** Members that stay dead. */
  readonly #dead = new Set<string>();
  #ended = false;

  private constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  static async start(cluster: Cluster, page: string): Promise<DocsHost> {
    const host = new DocsHost(cluster);
    await cluster.member("a").start();
    await cluster.waitForLeader(30_000);
    for (const name of ["b", "c"]) await cluster.member(name).start();
    await cluster.waitForStreaming(60_000);
    for (const member of cluster.members) void host.#supervise(member);
    const proxy = await readFileOf(page, "haproxy.cfg");
    if (proxy !== null) {
      await Deno.writeTextFile(`${cluster.folder}/haproxy.cfg`, host.#substituted(proxy));
    }
    return host;
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

  /** Brings about what a marker says of the state before its block. */
  async prepare(marker: string): Promise<void> {
    const [, name] = /^on a, ([abc]) is dead$/.exec(marker) ?? [];
    if (name !== undefined) await this.#lose(name);
    else if (marker === "on a, etcd is lost and the agents are started anew") {
      await this.#loseStore();
    } else ok(["on a", "on a, systemd starts the agent again"].includes(marker), marker);
  }

  /** Waits until the cluster is whole again; every other member lives. */
  async settle(marker: string): Promise<void> {
    if (/ is dead$/.test(marker)) await this.#revive();
    await this.#cluster.waitForStreaming(60_000);
  }

  async #lose(name: string): Promise<void> {
    this.#dead.add(name);
    await this.#cluster.member(name).killAll();
  }

  async #revive(): Promise<void> {
    for (const name of this.#dead) {
      this.#dead.delete(name);
      await this.#cluster.waitForLeader(30_000);
      const member = this.#cluster.member(name);
      await member.start();
      void this.#supervise(member);
    }
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
