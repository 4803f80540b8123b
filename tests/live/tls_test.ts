import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { connect } from "node:tls";
import type { JsonObject } from "../../lib/base/json.ts";
import { silentLog } from "../../lib/base/log.ts";
import { HttpsClient, PLAIN_CLIENT } from "../../lib/net/https_client.ts";
import { runAgentCommand } from "../../scripts/playground/agent_program.ts";
import type { Cluster } from "../../scripts/playground/cluster.ts";
import type { Member } from "../../scripts/playground/member.ts";
import type { SecureSite } from "../../scripts/playground/secure.ts";
import { waitFor } from "../../scripts/playground/wait.ts";
import { lostWrites, Writer } from "../../scripts/playground/writer.ts";
import { liveTest, tell } from "./live.ts";

interface Stranger extends AsyncDisposable {
  readonly fetch: HttpsClient["call"];
}

/** A client without a certificate that checks nobody. */
async function stranger(): Promise<Stranger> {
  const client = await HttpsClient.open("nobody", { ...PLAIN_CLIENT, insecure: true }, silentLog);
  return { fetch: client.call, [Symbol.asyncDispose]: () => client.close() };
}

/** Reads are open, what changes something needs a certificate. */
const OPTIONAL = (): JsonObject => ({ restapi: { verify_client: "optional" } });

function secureOf({ secure }: Cluster): SecureSite {
  ok(secure !== null);
  return secure;
}

/** The authority that issued what the member's REST API shows. */
async function issuerOf({ plan }: Member): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const options = { host: plan.site.host, port: plan.restPort, rejectUnauthorized: false };
  const socket = connect(options, () => resolve(String(socket.getPeerCertificate().issuer?.CN)));
  socket.on("error", reject);
  socket.setTimeout(2000, () => socket.destroy(new Error("no answer")));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

async function switchover(leader: Member, target: Member): Promise<void> {
  const names = ["--leader", leader.name, "--candidate", target.name];
  const result = await runAgentCommand([
    "switchover",
    "-c",
    leader.configFile,
    ...names,
    "--force",
  ]);
  equal(result.code, 0, `${result.stdout}${result.stderr}`);
}

function another(cluster: Cluster, leader: Member): Member {
  const found = cluster.members.find((member) => member !== leader);
  ok(found !== undefined);
  return found;
}

async function leaderAndWriter(cluster: Cluster): Promise<{ leader: Member; writer: Writer }> {
  await cluster.startMembers();
  const leader = await cluster.waitForStreaming(60_000);
  await cluster.proxy.waitForWriter(leader.name, 10_000);
  const writer = new Writer(cluster.proxy.writePlace);
  writer.start();
  await writesGoOn(writer);
  return { leader, writer };
}

async function writesGoOn(writer: Writer): Promise<void> {
  const before = writer.report().acknowledged.length;
  await waitFor("writes going on", 20_000, () => {
    const more = writer.report().acknowledged.length - before;
    return Promise.resolve({ met: more >= 20 ? true : null, seen: `${more} more` });
  });
}

const SHORT = "TLS everywhere: switchover by the command line and failover";
liveTest(SHORT, { secure: true, overrides: OPTIONAL }, async (cluster) => {
  await using nobody = await stranger();
  const { leader, writer } = await leaderAndWriter(cluster);
  const senders = await leader.sql(
    "SELECT client_dn FROM pg_stat_ssl JOIN pg_stat_replication USING (pid)",
  );
  deepEqual(senders, [{ client_dn: "/O=agent" }, { client_dn: "/O=agent" }]);

  const order = { method: "POST", body: JSON.stringify({ leader: leader.name }) };
  const refused = await nobody.fetch(`${leader.restUrl}/switchover`, order);
  deepEqual([refused.status, await refused.text()], [403, "client certificate required"]);
  const seen = await nobody.fetch(`${leader.restUrl}/primary`, {});
  deepEqual([seen.status, (await cluster.leader())?.name], [200, leader.name]);

  const target = another(cluster, leader);
  await switchover(leader, target);
  await cluster.proxy.waitForWriter(target.name, 10_000);
  await cluster.waitForStreaming(30_000);
  await writesGoOn(writer);
  await target.killAll();
  const startedMs = performance.now();
  const next = await cluster.waitForLeader(30_000, (member) => member !== target);
  await tell(`failover with TLS everywhere after ${Math.round(performance.now() - startedMs)} ms`);
  await cluster.proxy.waitForWriter(next.name, 10_000);
  await writesGoOn(writer);
  const { acknowledged } = await writer.stop();
  const lost = await lostWrites(acknowledged, (text) => next.sql(text));
  ok(lost.length <= 1, `lost ${lost.length}`); // asynchronous: what was on its way may be gone
});

liveTest(
  "I14 certificates and authority of the REST API are replaced while the cluster runs",
  { secure: true },
  async (cluster) => {
    await using nobody = await stranger();
    const secure = secureOf(cluster);
    const { leader, writer } = await leaderAndWriter(cluster);
    writer.resetGap();
    await secure.believe("rest_ca.crt", ["first_rest", "second_rest"]);
    await allTake(cluster, "Took new certificates for members");
    await secure.reissueRest();
    await cluster.proxy.renewCertificate(secure);
    await waitFor("new certificates on every member", 20_000, async () => {
      const issuers = await Promise.all(cluster.members.map(issuerOf));
      return { met: issuers.every((name) => name === "second_rest") || null, seen: issuers.join() };
    });
    await secure.believe("rest_ca.crt", ["second_rest"]);
    for (const member of cluster.members) member.signalAgent("SIGHUP");
    await allTake(cluster, "Reloaded the configuration");
    await writesGoOn(writer);
    equal((await cluster.leader())?.name, leader.name);
    ok(writer.report().longestGapMs < 1000, `a gap of ${writer.report().longestGapMs} ms`);

    // A switchover without a candidate asks the other members, by the new certificates alone.
    const args = ["switchover", "-c", leader.configFile, "--leader", leader.name, "--force"];
    const result = await runAgentCommand(args);
    equal(result.code, 0, `${result.stdout}${result.stderr}`);
    const next = await cluster.waitForLeader(20_000, (member) => member !== leader);
    await cluster.proxy.waitForWriter(next.name, 10_000);
    await writesGoOn(writer);
    await writer.stop();
    await rejects(nobody.fetch(`${next.restUrl}/primary`, {}));
  },
);

liveTest(
  "I14 certificates and authority of etcd and PostgreSQL are replaced while the cluster runs",
  { secure: true },
  async (cluster) => {
    const secure = secureOf(cluster);
    const { leader, writer } = await leaderAndWriter(cluster);
    writer.resetGap();
    await secure.believe("ca.crt", ["first", "second"]);
    await cluster.etcd.restart(0); // it reads its authorities when it starts
    await reloadAll(cluster, 1);
    await secure.reissueServers();
    await reloadAll(cluster, 2);
    await secure.believe("ca.crt", ["second"]);
    await cluster.etcd.restart(0);
    await reloadAll(cluster, 3);
    await writesGoOn(writer);
    equal((await cluster.leader())?.name, leader.name);
    const { longestGapMs } = writer.report();
    await tell(`longest gap while certificates were replaced: ${longestGapMs} ms`);
    ok(longestGapMs < 1_000, `a gap of ${longestGapMs} ms`);

    const target = another(cluster, leader);
    await switchover(leader, target);
    await cluster.waitForStreaming(30_000);
    const senders = await target.sql(
      "SELECT issuer_dn FROM pg_stat_ssl JOIN pg_stat_replication USING (pid)",
    );
    deepEqual(senders, [{ issuer_dn: "/CN=second" }, { issuer_dn: "/CN=second" }]);
    await cluster.proxy.waitForWriter(target.name, 10_000);
    await writesGoOn(writer);
    const { acknowledged } = await writer.stop();
    deepEqual(await lostWrites(acknowledged, (text) => target.sql(text)), []);
  },
);

liveTest(
  "a broken certificate ends a start with its name, and a reload keeps the old one",
  { secure: true },
  async (cluster) => {
    const { certs } = secureOf(cluster);
    const { leader, writer } = await leaderAndWriter(cluster);
    await Deno.writeTextFile(certs.path("rest.key"), "garbage");
    leader.signalAgent("SIGHUP");
    await waitFor("a complaint", 10_000, async () => {
      const log = await Deno.readTextFile(leader.logFile);
      const told = /Cannot reload the configuration.*restapi\.keyfile: .*no private key/s.test(log);
      return { met: told || null, seen: log.slice(-500) };
    });
    equal((await leader.rest("/primary")).status, 200);
    await writesGoOn(writer);
    await writer.stop();
    const replica = another(cluster, leader);
    await replica.killAgent();
    await replica.start();
    equal(await replica.agentEnd(), 78);
    match(
      await Deno.readTextFile(replica.logFile),
      /restapi\.keyfile: .*rest\.key: holds no private key/,
    );
  },
);

liveTest(
  "patronictl and a member of the distribution's Patroni work with TLS everywhere",
  { secure: true, members: ["a", "c"], patroni: ["c"], dcs: { ttl: 20, retry_timeout: 5 } },
  async (cluster) => {
    const [a, c] = [cluster.member("a"), cluster.member("c")];
    await a.start();
    await cluster.waitForLeader(60_000);
    await c.start();
    await cluster.waitForStreaming(60_000, 1);
    const words = ["switchover", "--leader", "a", "--candidate", "c", "--force", "demo"];
    const { code, stdout, stderr } = await new Deno.Command("patronictl", {
      args: ["-c", a.configFile, ...words],
      signal: AbortSignal.timeout(60_000),
    }).output();
    const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    equal(code, 0, text);
    match(text, /Successfully switched over/);
    equal((await cluster.waitForLeader(10_000)).name, "c");
    await cluster.waitForStreaming(30_000, 1);
    await c.killAll(); // ours asks nobody who is left, and leads again
    equal((await cluster.waitForLeader(60_000, (member) => member === a)).name, "a");
  },
);

/** Has every agent and its server read everything again, for the `times`th time. */
async function reloadAll(cluster: Cluster, times: number): Promise<void> {
  for (const member of cluster.members) member.signalAgent("SIGHUP");
  await allTake(cluster, "Reloaded the configuration", times);
  await cluster.waitForStreaming(20_000); // the store answers everybody
}

/** Every agent has logged the sentence so many times. */
async function allTake(cluster: Cluster, sentence: string, times = 1): Promise<void> {
  await waitFor(`"${sentence}" in every log`, 20_000, async () => {
    const logs = await Promise.all(
      cluster.members.map(({ logFile }) => Deno.readTextFile(logFile)),
    );
    const count = logs.filter((log) => log.split(sentence).length > times).length;
    return { met: count === logs.length || null, seen: `${count}` };
  });
}
