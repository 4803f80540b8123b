import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { agentProgram } from "../../scripts/playground/agent_program.ts";
import { waitFor } from "../../scripts/playground/wait.ts";
import { isHostMarker, readBlocks, readFileOf, readPages } from "../live/docs_blocks.ts";
import { tell } from "../live/live.ts";
import { Hosts } from "./hosts.ts";
import { IS_ROOT } from "./places.ts";

const NAMES = ["a", "b", "c"];
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const INSTALL = "lib/cli/INSTALL.md";

/** Stands for the next major version: the same programs under a name of their own. */
const NEXT = "next";

/** What the packages leave behind on a fresh host: everything runs, each etcd alone. */
const AS_INSTALLED = `
[ -e /etc/postgresql/VERSION/main ] || pg_createcluster VERSION main
systemctl enable --now postgresql etcd haproxy`;

/** What the packages of the next major version leave behind. */
const NEXT_PACKAGE = `
ln -s VERSION /usr/lib/postgresql/${NEXT}
install -d -o postgres -g postgres /var/lib/postgresql/${NEXT} /etc/postgresql/${NEXT}/main`;

/** Three hosts, and which blocks of the pages were run on them. */
class Installation {
  readonly hosts: Hosts;
  readonly done: string[] = [];
  readonly version: string;

  constructor(hosts: Hosts, version: string) {
    this.hosts = hosts;
    this.version = version;
  }

  /** The sources are there, and the file of one's own, changed as the page wants it. */
  async begin(): Promise<void> {
    for (const [index, name] of NAMES.entries()) {
      await this.#root(name, `${AS_INSTALLED}\nmkdir -p dist scripts`);
      await this.hosts.give(name, "/root/dist/agent", { from: agentProgram() });
      const unit = "scripts/agent.service";
      await this.hosts.give(name, `/root/${unit}`, { from: ROOT + unit });
      const sample = await Deno.readTextFile(`${ROOT}patroni.yml`);
      const own = sample.replace("name: pg-a", `name: ${name}`).replaceAll("change-me", "pw")
        .replaceAll("10.0.0.2", "10.0.0.").replaceAll("10.0.0.11", `10.0.0.${index + 1}`);
      await this.hosts.give(name, "/root/patroni.yml", this.#here(own));
    }
  }

  /** Runs a page from its beginning to its end. */
  async follow(page: string): Promise<void> {
    const etcd = await readFileOf(page, "etcd") ?? "";
    const proxy = await readFileOf(page, "haproxy.cfg") ?? "";
    for (const { line, marker, text } of await readBlocks(page)) {
      if (text.includes("systemctl enable --now etcd")) {
        await this.#giveEach("/etc/default/etcd", etcd);
      }
      if (text.includes("haproxy -c")) await this.#giveEach("/etc/haproxy/haproxy.cfg", proxy);
      await this.runBlock(page, { line, marker, text });
      if (!/systemctl enable --now agent/.test(text)) continue;
      if (marker.startsWith("on host a")) await this.#untilLed();
      else await this.untilWhole("a");
    }
  }

  /** The blocks of a page whose marker this is. */
  async runMarked(page: string, wanted: string): Promise<void> {
    const blocks = (await readBlocks(page)).filter(({ marker }) => marker === wanted);
    ok(blocks.length > 0, `${page} has no block "${wanted}"`);
    for (const block of blocks) await this.runBlock(page, block);
  }

  async runBlock(
    page: string,
    { line, marker, text }: {
      readonly line: number;
      readonly marker: string;
      readonly text: string;
    },
  ): Promise<void> {
    const [, one] = /^on host ([abc])\b/.exec(marker) ?? [];
    this.done.push(`${page}:${line}`);
    if (one !== undefined) await this.#root(one, text);
    else if (marker === "on hosts b and c") {
      await Promise.all(["b", "c"].map((name) => this.#root(name, text)));
    } else if (marker === "on each host, a first") await this.#inTurn(text);
    else if (marker === "on each host") {
      await Promise.all(NAMES.map((name) => this.#root(name, text)));
    } else await this.hosts.run("a", this.#here(text), "postgres");
  }

  /** Waits for a leader, this one, and two that stream from it. */
  async untilWhole(leader: string): Promise<void> {
    await waitFor(`${leader} with two replicas`, 60_000, async () => {
      const seen = await this.hosts.run("a", "agent list --format tsv", "postgres");
      const states = seen.split("\n").slice(1, -1).map((row) => row.split("\t").slice(0, 4));
      const isWhole = states.length === 3 &&
        states.every(([name, , role, state]) =>
          name === leader ? role === "Leader" && state === "running" : state === "streaming"
        );
      return { met: isWhole ? true : null, seen };
    });
  }

  async #inTurn(text: string): Promise<void> {
    await this.#root("a", text);
    await this.#untilLed();
    await Promise.all(["b", "c"].map((name) => this.#root(name, text)));
  }

  async #untilLed(): Promise<void> {
    await waitFor("a leader", 90_000, async () => {
      const seen = await this.hosts.run("a", "agent list --format tsv", "postgres");
      return { met: seen.includes("\tLeader\trunning\t") ? true : null, seen };
    });
  }

  /** A file that the page prints for host a. */
  async #giveEach(path: string, text: string): Promise<void> {
    for (const [index, name] of NAMES.entries()) {
      const own = text.replace(/(_NAME=e|_URLS=http:\/\/10\.0\.0\.)1/g, `$1${index + 1}`);
      await this.hosts.give(name, path, own);
    }
  }

  async #root(name: string, text: string): Promise<string> {
    return await this.hosts.run(name, this.#here(text));
  }

  /** Nothing is fetched or built here, and the distribution's PostgreSQL may be another one. */
  #here(text: string): string {
    return text.replaceAll("apt-get install ", "apt-get install --simulate ")
      .replace("deno task compile\n", "")
      .replaceAll("change-me", "pw")
      .replace("postgresql-18", "postgresql")
      .replace(/(?<=[/@])18(?=[/-])/g, NEXT)
      .replace(/VERSION|(?<=\/)15(?=\/)/g, this.version);
  }
}

/** The newest PostgreSQL of this machine. */
async function version(): Promise<string> {
  const names = await Array.fromAsync(Deno.readDir("/usr/lib/postgresql"), ({ name }) => name);
  return names.sort((one, other) => Number(other) - Number(one))[0] ?? "";
}

async function reachThroughProxy({ hosts }: Installation): Promise<void> {
  const ask = (port: number): string =>
    `PGPASSWORD=pw psql -h 10.0.0.2 -p ${port} -U postgres -Atc "SELECT pg_is_in_recovery()"`;
  for (const [port, answer] of [[5000, "f\n"], [5001, "t\n"]] as const) {
    await waitFor(`a server at port ${port}`, 20_000, async () => {
      const seen = await hosts.run("b", ask(port), "postgres");
      return { met: seen === answer ? true : null, seen };
    });
  }
}

/** An upgrade: systemd starts the agent again, and it leads on with the same server. */
async function upgrade(installation: Installation): Promise<void> {
  const { hosts } = installation;
  const agent = "systemctl show --property MainPID agent";
  const server = 'head -1 "$(sed -n "s/ *data_dir: //p" /etc/agent/patroni.yml)/postmaster.pid"';
  const before = [await hosts.run("a", agent), await hosts.run("a", server)];
  const marker = "on a, systemd starts the agent again, then a leads";
  await installation.runMarked("lib/cli/OPERATING.md", marker);
  await waitFor("another agent", 20_000, async () => {
    const seen = await hosts.run("a", agent);
    return { met: seen !== before[0] && seen !== "MainPID=0\n" ? true : null, seen };
  });
  await installation.untilWhole("a");
  notEqual(await hosts.run("a", agent), before[0]);
  equal(await hosts.run("a", server), before[1]);
}

/** To the next major version: the data get another identity and directory, and nothing that was written is missing. */
async function upgradeServers(installation: Installation): Promise<void> {
  const { hosts } = installation;
  const query = async (name: string, text: string): Promise<string> =>
    await hosts.run(name, `PGPASSWORD=pw psql -h 127.0.0.1 -U postgres -Atc "${text}"`, "postgres");
  // A cluster that has lived has a history, which the new data do not share.
  for (const name of ["b", "a"]) {
    await hosts.run("a", `agent switchover --candidate ${name} --force`, "postgres");
    await installation.untilWhole(name);
  }
  const identity = "SELECT system_identifier FROM pg_control_system()";
  const before = await query("a", identity);
  await query("a", "CREATE TABLE kept AS SELECT 7 AS value");
  await hosts.run("a", "agent edit-config -s member_slots_ttl=1799 --force", "postgres");
  for (const name of NAMES) {
    await hosts.run(name, NEXT_PACKAGE.replaceAll("VERSION", installation.version));
  }
  await installation.follow("lib/cli/MAJOR-UPGRADE.md");
  notEqual(await query("a", identity), before);
  for (const name of NAMES) {
    equal(await query(name, "SELECT value FROM kept"), "7\n");
    match(await query(name, "SHOW data_directory"), /\/next\//);
  }
  match(await hosts.run("a", "agent show-config", "postgres"), /member_slots_ttl: 1799/);
  const history = await hosts.run("a", "agent history --format tsv", "postgres");
  deepEqual(history.split("\n").slice(1, -1).map((row) => row.split("\t")[0]), ["1"]);
}

/** Host c runs Patroni by the distribution's own unit, and moves to the agent. */
async function replacePatroni(installation: Installation): Promise<void> {
  const { hosts } = installation;
  await hosts.run(
    "c",
    `systemctl disable --now agent
    install -m 600 -o postgres -g postgres /etc/agent/patroni.yml /etc/patroni/config.yml
    systemctl enable --now patroni`,
  );
  const versions = (): Promise<string> =>
    hosts.run("a", "agent version demo --format tsv || true", "postgres");
  await waitFor("Patroni and its server on c", 30_000, async () => {
    const seen = await versions();
    return { met: /^c\tPatroni \S+\t\d/m.test(seen) ? true : null, seen };
  });
  await installation.runMarked("lib/core/FROM-PATRONI.md", "on host c, which runs Patroni");
  await installation.untilWhole("a");
  match(await versions(), /^c\t\d/m);
}

/** Two of three etcd are gone with their data; the third goes on alone, then with new ones. */
async function loseMostOfEtcd(installation: Installation): Promise<void> {
  const { hosts } = installation;
  for (const name of ["b", "c"]) {
    await hosts.run(name, "kill -KILL $(systemctl show --property MainPID --value etcd)");
  }
  const page = "lib/cli/TROUBLE.md";
  await installation.runMarked(page, "on host a, most of etcd is lost");
  await installation.untilWhole("a");
  await installation.runMarked(page, "on host b, its etcd joins again");
  const members = await hosts.run(
    "b",
    "curl -sf http://10.0.0.2:2379/v3/cluster/member/list -d '{}'",
  );
  deepEqual(members.match(/"name":"\w+"/g)?.sort(), ['"name":"e1"', '"name":"e2"']);
  match(await hosts.run("b", "curl -sf http://10.0.0.2:2379/health"), /"true"/);
}

Deno.test({
  name: "three hosts with systemd are installed, upgraded and repaired as the pages say",
  ignore: !IS_ROOT,
  fn: async (test) => {
    const isAllowed = await Hosts.areAllowed();
    await test.step({ name: "the pages", ignore: !isAllowed, fn: followPages });
  },
});

async function followPages(): Promise<void> {
  await using hosts = await Hosts.start(NAMES);
  try {
    await followOn(hosts);
  } catch (error) {
    for (const name of NAMES) {
      const log = "journalctl --no-pager --output cat --lines 40 -u agent -u patroni -u etcd";
      await tell(`host ${name}\n${await hosts.run(name, log)}`);
    }
    throw error;
  }
}

async function followOn(hosts: Hosts): Promise<void> {
  const installation = new Installation(hosts, await version());
  await installation.begin();
  await installation.follow(INSTALL);
  await reachThroughProxy(installation);
  await upgrade(installation);
  await upgradeServers(installation);
  await replacePatroni(installation);
  await loseMostOfEtcd(installation);
  for (const page of await readPages()) {
    const blocks = (await readBlocks(page)).filter(({ marker }) => isHostMarker(marker));
    const missed = blocks.filter(({ line }) => !installation.done.includes(`${page}:${line}`));
    deepEqual(missed, [], page);
  }
}

Deno.test("the commands of the README that install are those of the page", async () => {
  const page = await Deno.readTextFile(ROOT + INSTALL);
  const [block] = (await readBlocks("README.md")).filter(({ marker }) =>
    marker === `no, ${INSTALL}`
  );
  for (const line of block?.text.trim().split("\n") ?? [""]) {
    ok(page.includes(`\n${line.replace(/ +#.*/, "")}\n`), line);
  }
});
