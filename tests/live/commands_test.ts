import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { isJsonObject } from "../../lib/base/json.ts";
import {
  agentProgram,
  type CliInput,
  runAgentCommand,
  runAgentInTerminal,
} from "../../scripts/playground/agent_program.ts";
import type { Cluster } from "../../scripts/playground/cluster.ts";
import { STORE_LOGIN } from "../../scripts/playground/secure.ts";
import { waitFor } from "../../scripts/playground/wait.ts";
import { liveTest, tell } from "./live.ts";

/** Commands of an operator who sits at the host of member a. */
class Operator {
  readonly cluster: Cluster;

  constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  /** Runs a command that must end with `code`; its stdout and stderr. */
  async run(
    line: string | readonly string[],
    code = 0,
    input: CliInput = {},
  ): Promise<string> {
    const place = ["-c", this.cluster.member("a").configFile];
    const words = typeof line === "string" ? line.split(" ") : line;
    const result = await runAgentCommand([...place, ...words], input);
    const text = result.stdout + result.stderr;
    equal(result.code, code, `agent ${line}: ended with ${result.code}: ${text}`);
    return text;
  }

  async json(line: string): Promise<Readonly<Record<string, unknown>>[]> {
    const value: unknown = JSON.parse(await this.run(`${line} --format json`));
    return Array.isArray(value) ? value.filter(isJsonObject) : isJsonObject(value) ? [value] : [];
  }

  async sql(statement: string, ...words: readonly string[]): Promise<string> {
    const place = ["--config", this.cluster.member("a").configFile, "--format", "tsv"];
    const result = await runAgentCommand(["query", "-c", statement, ...place, ...words]);
    equal(result.code, 0, result.stderr);
    return result.stdout;
  }

  /** Until `list` shows what is wanted of so many members. */
  async sees(
    what: string,
    wanted: (member: Readonly<Record<string, unknown>>) => boolean,
    count = 1,
  ): Promise<void> {
    await waitFor(what, 20_000, async () => {
      const members = await this.json("list");
      const isMet = members.filter(wanted).length >= count;
      return { met: isMet ? true : null, seen: JSON.stringify(members) };
    });
  }
}

const IN_AN_HOUR = (): string => new Date(Date.now() + 3_600_000).toISOString();

async function looks(operator: Operator, leader: string, replica: string): Promise<void> {
  const members = await operator.json("list demo -e");
  deepEqual(members.map(({ name }) => name), ["a", "b", "c"]);
  const tree = (await operator.run("topology --format tsv")).split("\n").slice(1, -1);
  equal(tree[0]?.split("\t")[0], leader);
  ok(tree.slice(1).every((row) => row.startsWith("+ ")), tree.join());
  const versions = await operator.json("version demo");
  match(String(versions[2]?.["server"]), /^\d+\.\d+$/);
  match(await operator.run("version x", 1), /no member is named "x"/);
  const { plan } = operator.cluster.member(replica);
  equal(await operator.run(`dsn -m ${replica}`), `host=127.0.0.1 port=${plan.pgPort}\n`);
  match(await operator.run("history"), /Reason/);
  const url = `etcd3://${new URL(plan.etcd[0] ?? "").host}/service`;
  const { code, stdout, stderr } = await runAgentCommand(["list", "-d", url, "demo"], {
    cwd: operator.cluster.folder,
    env: { HOME: operator.cluster.folder, ...storeEnvironment(operator.cluster) },
  });
  equal(code, 0, stderr);
  match(stdout, /Cluster: demo/);
}

/** What `-d` cannot say of a secured store. */
function storeEnvironment({ secure }: Cluster): Readonly<Record<string, string>> {
  if (secure === null) return {};
  return {
    PATRONI_ETCD3_PROTOCOL: "https",
    PATRONI_ETCD3_CACERT: secure.certs.path("ca.crt"),
    PATRONI_ETCD3_CERT: secure.certs.path("client.crt"),
    PATRONI_ETCD3_KEY: secure.certs.path("client.key"),
    PATRONI_ETCD3_USERNAME: STORE_LOGIN.username,
    PATRONI_ETCD3_PASSWORD: STORE_LOGIN.password,
  };
}

async function queries(operator: Operator): Promise<void> {
  equal(await operator.sql("SELECT pg_is_in_recovery() AS yes"), "yes\nf\n");
  equal(await operator.sql("SELECT pg_is_in_recovery() AS yes", "-r", "replica"), "yes\nt\n");
  await operator.sql("CREATE TABLE one (x int); INSERT INTO one VALUES (1), (NULL)");
  equal(await operator.sql("SELECT x, x AS y FROM one ORDER BY 1"), "x\ty\n1\t1\n\t\n");
  match(await operator.run("query --command SELEC", 1), /syntax error/);
  match(
    await operator.run("query --command TABLE --username nobody", 1),
    /wants a password of nobody/,
  );
  const slow = ["query", "-c", "SELECT pg_sleep(9)", "--timeout", "1"];
  match(await operator.run(slow, 3), /Status unknown.*no answer in time/);
}

async function settings(operator: Operator): Promise<void> {
  match(await operator.run("show-config"), /\nloop_wait: 2\n/);
  await operator.run("edit-config --apply - --force", 0, { stdin: "maximum_lag_on_failover: 7" });
  match(await operator.run("show-config"), /maximum_lag_on_failover: 7\n/);
  match(await operator.run("edit-config -s ttl=soon --force", 1), /ttl/);
  const { folder } = operator.cluster;
  const place = ["-c", operator.cluster.member("a").configFile, "edit-config"];
  const edited = await runAgentInTerminal(place, {
    stdin: "y\n",
    env: { EDITOR: "sed -i 's/: 7$/: 8/'" },
  });
  equal(edited.code, 0, edited.stdout);
  match(await operator.run("show-config"), /maximum_lag_on_failover: 8\n/);

  // While the editor is open, somebody else changes the settings.
  const other = [agentProgram(), ...place, "-s", "maximum_lag_on_failover=9"];
  const script = `${
    other.join(" ")
  } --force && echo '# mine' >> "$1" && sed -i 's/: 8$/: 10/' "$1"`;
  await Deno.writeTextFile(`${folder}/editor.sh`, script);
  const late = await runAgentInTerminal(place, {
    stdin: "y\n",
    env: { EDITOR: `sh ${folder}/editor.sh`, TMPDIR: folder },
  });
  equal(late.code, 1, late.stdout);
  match(late.stdout, /changed by somebody else/);
  const [, kept = ""] = /--replace (\S+)/.exec(late.stdout) ?? [];
  match(await Deno.readTextFile(kept), /maximum_lag_on_failover: 10\n[^]*# mine/);
  match(await operator.run("show-config"), /maximum_lag_on_failover: 9\n/);
}

async function restarts(operator: Operator, replica: string): Promise<void> {
  match(await operator.run("reload --force"), /a: Reloaded the configuration/);
  await operator.run("edit-config -p max_connections=60 -q --force");
  // All of them, or a standby stays below its leader, and its recovery pauses (PostgreSQL 15, Hot Standby, Administrator's Overview).
  await operator.sees("pending restarts", (member) => member["pending_restart"] === true, 3);
  await operator.run("restart --pending --wait --force");
  equal(await operator.sql("SHOW max_connections"), "max_connections\n60\n");
  match(await operator.run(`restart ${replica} --pg-version 9.6.1 --force`), /left alone/);

  await operator.run(`restart ${replica} --scheduled ${IN_AN_HOUR()} --force`);
  await operator.sees(
    "a scheduled restart",
    ({ scheduled_restart }) => isJsonObject(scheduled_restart),
  );
  match(
    await operator.run(`restart ${replica} --scheduled ${IN_AN_HOUR()}`, 1),
    /scheduled already/,
  );
  match(await operator.run("flush restart --force"), new RegExp(`^${replica}: `));
}

async function copies(operator: Operator, leader: string, replica: string): Promise<void> {
  const before = await controlNumber(operator.cluster, replica);
  match(await operator.run(`reinit ${leader} --force`, 1), /it is the leader/);
  const text = await operator.run(`reinit ${replica} --wait --force`);
  await tell(text.trim());
  await operator.cluster.waitForStreaming(20_000);
  notEqual(await controlNumber(operator.cluster, replica), before);
}

/** The inode of a file that a copy makes anew. */
async function controlNumber(cluster: Cluster, name: string): Promise<number | null> {
  return (await Deno.stat(`${cluster.member(name).dataDir}/PG_VERSION`)).ino;
}

async function handovers(operator: Operator, leader: string, replica: string): Promise<void> {
  await operator.run(`switchover --candidate ${replica} --scheduled ${IN_AN_HOUR()} --force`);
  match(await operator.run("list"), /Switchover scheduled at /);
  await operator.run("flush switchover --force");
  ok(!/Switchover scheduled/.test(await operator.run("list")));
  match(
    await operator.run(`switchover --leader ${leader} --candidate ${replica} --force`),
    new RegExp(`Successfully switched over to "${replica}"`),
  );
  await operator.cluster.waitForStreaming(30_000);
  await operator.run(`failover --leader ${replica} --member ${leader} --force`);
  equal((await operator.cluster.waitForStreaming(30_000)).name, leader);
}

async function removal(operator: Operator, leader: string): Promise<void> {
  const { cluster } = operator;
  await Promise.all(cluster.members.map((member) => member.end()));
  const answers = (last: string): CliInput => ({ stdin: `demo\nYes I am aware\n${last}\n` });
  match(await operator.run("remove", 2, answers("nobody")), /nothing was removed/);
  match(await operator.run("list"), /Cluster: demo \(\d+\)/);
  match(await operator.run("remove", 0, answers(leader)), /Removed demo/);
  match(await operator.run("list"), /Cluster: demo \(uninitialized\)/);
}

liveTest(
  "every command of an operator does its work on a real cluster",
  { secure: true },
  async (cluster) => {
    await cluster.startMembers();
    const { name: leader } = await cluster.waitForStreaming(60_000);
    const replica = cluster.members.find(({ name }) => name !== leader)?.name ?? "";
    const operator = new Operator(cluster);
    await looks(operator, leader, replica);
    await queries(operator);
    await settings(operator);
    await restarts(operator, replica);
    await copies(operator, leader, replica);
    await handovers(operator, leader, replica);
    await removal(operator, leader);
  },
);
