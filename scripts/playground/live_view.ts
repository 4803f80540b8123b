import { isJsonObject, type JsonObject } from "../../lib/base/json.ts";
import type { Cluster } from "./cluster.ts";
import type { Member } from "./member.ts";
import { print, printRaw } from "./print.ts";
import { pause } from "./wait.ts";
import type { Writer } from "./writer.ts";

const EVERY_MS = 500;
const HOME_AND_CLEAR = "\x1b[H\x1b[J";

/** Redraws the state of the cluster twice a second until `stopped`; without a terminal it appends one line a picture. */
export async function showLive(
  cluster: Cluster,
  writer: Writer,
  agent: string,
  stopped: AbortSignal,
): Promise<void> {
  const isTerminal = Deno.stdout.isTerminal();
  let [before, sinceMs] = [0, performance.now() - EVERY_MS];
  if (!isTerminal) await print(hints(cluster, agent));
  while (!stopped.aborted) {
    const written = writer.report().acknowledged.length;
    const nowMs = performance.now();
    const perSecond = Math.round((written - before) * 1000 / (nowMs - sinceMs));
    [before, sinceMs] = [written, nowMs];
    const table = await picture(cluster, writer, perSecond);
    if (isTerminal) await printRaw(`${HOME_AND_CLEAR}${table}\n${hints(cluster, agent)}\n`);
    else await print(await cluster.summary());
    await pause(EVERY_MS);
  }
}

async function picture(cluster: Cluster, writer: Writer, perSecond: number): Promise<string> {
  const [rows, up] = await Promise.all([
    memberRows(cluster.members),
    cluster.proxy.up("write").catch(() => []),
  ]);
  const { acknowledged, longestGapMs, reconnects } = writer.report();
  const silence = writer.silentMs > 1_000 ? `, silent for ${writer.silentMs} ms` : "";
  return [
    row(["MEMBER", "ROLE", "STATE", "TIMELINE", "LAG", "AGENT", "POSTMASTER"]),
    ...rows,
    "",
    `HAProxy sends writes to: ${up.join(", ") || "nobody"}`,
    `Client: ${perSecond} writes/s, ${acknowledged.length} acknowledged, ` +
    `longest gap ${longestGapMs} ms, ${reconnects} connects${silence}`,
  ].join("\n");
}

async function memberRows(members: readonly Member[]): Promise<readonly string[]> {
  const answers = await Promise.all(members.map((member) => member.rest("/patroni")));
  const postmasters = await Promise.all(members.map((member) => member.postmasterPid()));
  const positions = answers.map(({ body }) => positionOf(body));
  const newest = Math.max(...positions.filter((position) => position !== null));
  return members.map((member, index) => {
    const body = answers[index]?.body ?? {};
    const position = positions[index] ?? null;
    const lag = position === null ? "" : `${newest - position} B`;
    const words = [body["role"] ?? "no answer", body["state"] ?? "", body["timeline"] ?? "", lag];
    return row([member.name, ...words, member.agentPid, postmasters[index]].map(shown));
  });
}

/** Where the server is in the WAL, in bytes: written by a primary, replayed by a replica. */
function positionOf(body: JsonObject): number | null {
  const xlog = isJsonObject(body["xlog"]) ? body["xlog"] : {};
  const position = xlog["location"] ?? xlog["replayed_location"];
  return typeof position === "number" ? position : null;
}

function shown(value: unknown): string {
  return value === null || value === undefined ? "-" : String(value);
}

function row(words: readonly string[]): string {
  return words.map((word) => word.padEnd(12)).join("");
}

function hints(cluster: Cluster, agent: string): string {
  const [first, second] = cluster.members;
  const config = `-c ${first?.configFile}`;
  return `
Try in another terminal (as root, or as the user that started this):
  ${agent} list ${config}
  ${agent} failover ${config} --leader ${first?.name} --member ${second?.name}
  ${agent} switchover ${config}
  ${agent} history ${config}
  kill -9 <pid of a postmaster>              it is started again at once
  kill -9 <pids of agent and postmaster>     another member takes over within 10 s
  PGPASSWORD=super-pw psql -h 127.0.0.1 -p ${cluster.proxy.plan.writePort} -U postgres
Logs: ${cluster.folder}/<member>/agent.log and log/postgres.log
Ctrl-C ends everything and removes ${cluster.folder}`;
}
