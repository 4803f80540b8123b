import { deepStrictEqual, notStrictEqual, strictEqual } from "node:assert/strict";
import { agentProgram } from "../../scripts/playground/agent_program.ts";
import { signalPid } from "../../scripts/playground/processes.ts";
import { waitFor } from "../../scripts/playground/wait.ts";
import { runFile, startFile } from "../../scripts/executable/run_file.ts";
import { IS_ROOT } from "./places.ts";

const SYSTEMD = "/lib/systemd/systemd";
const UNIT = new URL("../../scripts/agent.service", import.meta.url).pathname;
const PG_BIN = Deno.env.get("PG_BIN") ?? "/usr/lib/postgresql/15/bin";
/** Inside; a file system of their own. */
const FOLDER = "/run/t";
const DATA = `${FOLDER}/pg/data`;
/** Where Debian has the files of a cluster; to the unit /etc is read-only otherwise. */
const CONFIG_DIR = "/etc/postgresql/sd";

const CONFIG = `
scope: sd
name: a
restapi: {listen: 127.0.0.1:28008}
etcd3: {host: 127.0.0.1:23790}
bootstrap: {initdb: [encoding: UTF8]}
postgresql:
  listen: 127.0.0.1:25432
  data_dir: ${DATA}
  config_dir: ${CONFIG_DIR}
  bin_dir: ${PG_BIN}
  parameters: {unix_socket_directories: ${FOLDER}/pg}
  authentication:
    superuser: {username: postgres, password: x}
    replication: {username: repl, password: x}
`;

/**
 * systemd as the first process of its own namespaces. It knows no unit of this host, so that it changes nothing here: no
 * mount, no clean-up of temporary files. The unit under test is the file itself, with other paths of program and configuration.
 */
const START = `
mount --make-rprivate /
for place in /run /dev/shm /var/cache /var/tmp; do mount -t tmpfs -o mode=1777 tmpfs $place; done
mount -t proc proc /proc
mkdir -p /run/none /run/systemd /run/lock /run/units/agent.service.d ${FOLDER}
cp "$1" ${FOLDER}/agent
cp "$2" /run/units/
printf '%s' "$3" >${FOLDER}/patroni.yml
mount -t tmpfs tmpfs /etc/postgresql
mkdir ${FOLDER}/pg ${CONFIG_DIR}
chown postgres ${FOLDER}/pg ${CONFIG_DIR}
printf '[Service]\\nExecStart=\\nExecStart=%s/agent %s/patroni.yml\\n' ${FOLDER} ${FOLDER} \
  >/run/units/agent.service.d/test.conf
for target in test sysinit basic network-online shutdown; do
  printf '[Unit]\\nDefaultDependencies=no\\n' >/run/units/$target.target
done
at=http://127.0.0.1
printf '[Unit]\\nDefaultDependencies=no\\n[Service]\\nExecStart=%s %s %s %s %s\\n' "$(command -v etcd)" \
  "--data-dir ${FOLDER}/etcd" "--listen-client-urls $at:23790" "--advertise-client-urls $at:23790" \
  "--listen-peer-urls $at:23800" >/run/units/etcd.service
exec env -i container=test PATH="$PATH" SYSTEMD_UNIT_PATH=/run/units \
  SYSTEMD_GENERATOR_PATH=/run/none ${SYSTEMD} --system --unit=test.target --show-status=no
`;

/** A host of its own, as far as systemd can see. */
class Host implements AsyncDisposable {
  readonly #child = startFile("unshare", [
    ..."--pid --mount --uts --ipc --cgroup --net --fork --kill-child sh -ec".split(" "),
    START,
    "sh",
    agentProgram(),
    UNIT,
    CONFIG,
  ], { env: { LC_ALL: "C" } });
  #first = 0;

  /** Its first process, seen from here. */
  async begin(): Promise<void> {
    const { pid } = this.#child.child;
    await waitFor("systemd", 20_000, async () => {
      const children = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
      this.#first = Number(children.trim());
      const { output } = await this.control("is-system-running");
      return { met: output.trim() === "running" ? true : null, seen: output };
    });
  }

  /** Runs systemctl there. */
  async control(...args: readonly string[]): Promise<{ readonly code: number; output: string }> {
    const enter = ["-t", `${this.#first}`, "-m", "-p", "-u", "-i", "-C", "-n", "--"];
    return await runFile("nsenter", [...enter, "systemctl", "--no-pager", ...args]);
  }

  /** What systemd says of the agent, by key. */
  async state(...keys: readonly string[]): Promise<readonly string[]> {
    const { output } = await this.control("show", "agent.service", "-p", keys.join());
    const found = new Map(
      output.trim().split("\n").map((line) => {
        const [key = "", ...value] = line.split("=");
        return [key, value.join("=")];
      }),
    );
    return keys.map((key) => found.get(key) ?? "");
  }

  /** Pid of the postmaster once it is ready, as it is there; null: none runs. */
  async server(): Promise<string | null> {
    const path = `/proc/${this.#first}/root${DATA}/postmaster.pid`;
    const text = await Deno.readTextFile(path).catch(() => "");
    return /^(\d+)\n[^]*\bready\b/.exec(text)?.[1] ?? null;
  }

  async write(text: string): Promise<void> {
    await Deno.writeTextFile(`/proc/${this.#first}/root${FOLDER}/patroni.yml`, text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.control("stop", "agent.service", "etcd.service");
    signalPid(this.#first, "SIGKILL"); // and with it everything there
    await this.#child.ended;
  }
}

async function serverOf(host: Host): Promise<string> {
  return await waitFor("the server", 60_000, async () => {
    const met = await host.server();
    return { met, seen: (await host.state("ActiveState", "StatusText")).join() };
  });
}

// A host without systemd, or a user who may not make such namespaces, has no such test.
if (IS_ROOT && (await Deno.stat(SYSTEMD).catch(() => null)) !== null) {
  Deno.test("systemd runs the unit: start, reload, a killed agent, stop, a faulty file", async () => {
    await using host = new Host();
    await host.begin();
    strictEqual((await host.control("start", "etcd.service")).code, 0);
    deepStrictEqual(await host.control("start", "agent.service"), { code: 0, output: "" });
    const server = await serverOf(host);

    strictEqual((await host.control("reload", "agent.service")).code, 0);
    const [before] = await host.state("MainPID");
    await host.control("kill", "-s", "KILL", "--kill-whom=main", "agent.service");
    await waitFor("the next agent", 30_000, async () => {
      const seen = await host.state("NRestarts", "ActiveState");
      return { met: seen.join() === "1,active" ? true : null, seen: seen.join() };
    });
    notStrictEqual((await host.state("MainPID"))[0], before);
    strictEqual(await host.server(), server, "the server runs on");

    strictEqual((await host.control("stop", "agent.service")).code, 0);
    deepStrictEqual(await host.state("ActiveState", "Result"), ["inactive", "success"]);
    strictEqual(await host.server(), null);
    strictEqual((await host.control("start", "agent.service")).code, 0);
    await serverOf(host);
    await host.control("stop", "agent.service");

    await host.write("scope: [");
    notStrictEqual((await host.control("start", "agent.service")).code, 0);
    const end = await host.state("ActiveState", "ExecMainStatus", "NRestarts");
    deepStrictEqual(end, ["failed", "78", "0"]);
  });
}
