import { deepEqual, doesNotMatch, equal, match } from "node:assert/strict";
import { liveTest } from "./live.ts";
import { waitFor } from "../../scripts/playground/wait.ts";

/** What the unit sets, with numbers that need no rights: a process may raise its own score. */
const AGENT_SCORE = 100;
const BACKEND_SCORE = 300;
/** With a host that nobody asks for: the agent must not use it, but archive_command may. */
const PROXY = "http://127.0.0.1:9";

const folder = Deno.makeTempDirSync({ prefix: "agent-service" });

/** A service manager's socket, and the words before the agent's command line as a unit would have them. */
const launch: readonly string[] = [
  "env",
  ...["-u", "DENO_DIR", "-u", "DENO_NO_UPDATE_CHECK"], // the tests' own; a unit has none
  `NOTIFY_SOCKET=${folder}/notify`,
  "PG_OOM_ADJUST_FILE=/proc/self/oom_score_adj",
  `PG_OOM_ADJUST_VALUE=${BACKEND_SCORE}`,
  `HTTP_PROXY=${PROXY}`,
  "choom",
  "-n",
  String(AGENT_SCORE),
  "--",
  ...["setpriv", "--no-new-privs", "--", "sh", "-c", 'umask 077 && exec "$@"', "sh"],
];

liveTest(
  "D19 D20 a service manager hears of start and end, and the server of what is its own",
  { members: ["a"], site: () => ({ host: "127.0.0.1", launch }) },
  async (cluster) => {
    using manager = openManager();
    const a = cluster.member("a");
    await cluster.startMembers();
    deepEqual(await manager.next(), ["READY=1", "STATUS=waiting for the store"]);
    a.signalAgent("SIGHUP");
    match((await manager.next()).join(), /^STATUS=member a of cluster/);
    await cluster.waitForLeader(30_000);
    const postmaster = await a.runningPostmaster();
    await assertEnvironment(postmaster);
    equal(await scoreOf(postmaster), AGENT_SCORE);
    const [seen] = await a.sql("SELECT pg_read_file('/proc/self/oom_score_adj') AS score");
    equal(Number(seen?.["score"]), BACKEND_SCORE);
    a.signalAgent("SIGTERM");
    deepEqual(await manager.next(), ["STOPPING=1", "STATUS=ending"]);
    equal(await a.agentEnd(), 0);
    equal(await a.runningPostmaster(), null);
    match(await Deno.readTextFile(a.logFile), /Reloaded the configuration/);
  },
);

interface Manager extends Disposable {
  /** Lines of the next message; at most 30 seconds. */
  next(): Promise<readonly string[]>;
}

function openManager(): Manager {
  const socket = Deno.listenDatagram({ transport: "unixpacket", path: `${folder}/notify` });
  const messages: string[] = [];
  void (async () => {
    for await (const [bytes] of socket) messages.push(new TextDecoder().decode(bytes));
  })();
  return {
    next: async () =>
      await waitFor("a message to the service manager", 30_000, () => {
        return Promise.resolve({ met: messages.shift()?.split("\n") ?? null, seen: "none" });
      }),
    [Symbol.dispose](): void {
      socket.close();
      Deno.removeSync(folder, { recursive: true });
    },
  };
}

async function assertEnvironment(pid: number | null): Promise<void> {
  const text = await Deno.readTextFile(`/proc/${pid}/environ`);
  doesNotMatch(text, /(^|\0)(NOTIFY_SOCKET|PATRONI_|AGENT_|DENO_)/);
  deepEqual(text.split("\0").filter((one) => one.startsWith("HTTP_PROXY")), [
    `HTTP_PROXY=${PROXY}`,
  ]);
}

async function scoreOf(pid: number | null): Promise<number> {
  return Number(await Deno.readTextFile(`/proc/${pid}/oom_score_adj`));
}
