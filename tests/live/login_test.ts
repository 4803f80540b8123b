import { deepStrictEqual, equal, match } from "node:assert/strict";
import { isJsonObject } from "../../lib/base/json.ts";
import { objectAt } from "../../lib/config/faults.ts";
import { runAgentCommand } from "../../scripts/playground/agent_program.ts";
import type { Member } from "../../scripts/playground/member.ts";
import { STORE_LOGIN } from "../../scripts/playground/secure.ts";
import { waitFor } from "../../scripts/playground/wait.ts";
import { lostWrites, Writer } from "../../scripts/playground/writer.ts";
import { liveTest } from "./live.ts";

async function command(member: Member, ...words: readonly string[]): Promise<string> {
  const [name = "", ...rest] = words;
  const result = await runAgentCommand([name, "-c", member.configFile, ...rest]);
  equal(result.code, 0, `${result.stdout}${result.stderr}`);
  return result.stdout;
}

async function writePassword(member: Member, password: string): Promise<void> {
  const file: unknown = JSON.parse(await Deno.readTextFile(member.configFile));
  if (!isJsonObject(file)) throw new TypeError("Cannot read the member's file");
  const etcd3 = { ...objectAt(file, ["etcd3"]), password };
  await Deno.writeTextFile(member.configFile, JSON.stringify({ ...file, etcd3 }));
}

liveTest("another password of etcd is taken by a reload, and nobody loses the lock", {
  secure: true,
}, async (cluster) => {
  await cluster.startMembers();
  const leader = await cluster.waitForStreaming(60_000);
  await cluster.proxy.waitForWriter(leader.name, 10_000);
  const writer = new Writer(cluster.proxy.writePlace);
  writer.start();
  const password = "another-pw";
  for (const member of cluster.members) await writePassword(member, password);
  // The command line has the new password only, and etcd the old one: SIGHUP is the way then.
  for (const member of cluster.members) member.signalAgent("SIGHUP");
  for (const member of cluster.members) {
    await waitFor("the refusal in the log", 20_000, async () => {
      const text = await Deno.readTextFile(member.logFile);
      const isTold = /new login of etcd3 cannot be used yet.*authentication failed/.test(text);
      return { met: isTold ? true : null, seen: text.slice(-300) };
    });
  }
  await cluster.etcd.ask("auth/user/changepw", { name: STORE_LOGIN.username, password });

  const before = writer.report();
  await waitFor("the command line with the new password", 20_000, async () => {
    const { code, stderr } = await runAgentCommand(["list", "-c", leader.configFile]);
    return { met: code === 0 ? true : null, seen: stderr };
  });
  match(await command(leader, "reload", "--force"), /a: Reloaded the configuration\n/);
  await waitFor("writes for two leases", 60_000, () => {
    const more = writer.report().acknowledged.length - before.acknowledged.length;
    return Promise.resolve({ met: more >= 1000 ? true : null, seen: `${more} more` });
  });
  const { acknowledged, reconnects } = await writer.stop();
  equal(reconnects, before.reconnects); // nobody else has led in between
  const target = cluster.members.find((member) => member !== leader) ?? leader;
  await command(leader, "switchover", "--candidate", target.name, "--force");
  deepStrictEqual(await lostWrites(acknowledged, (text) => target.sql(text)), []);
});
