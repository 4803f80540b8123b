import { fileURLToPath } from "node:url";
import { type Ended, runFile } from "../../scripts/executable/run_file.ts";
import { waitFor } from "../../scripts/playground/wait.ts";

const SCRIPT = fileURLToPath(new URL("./hosts.sh", import.meta.url));

/** Hosts with systemd on one network, 10.0.0.1 and so on, over the files of this machine (hosts.sh). */
export class Hosts implements AsyncDisposable {
  readonly names: readonly string[];
  readonly #folder: string;
  readonly #process: Deno.ChildProcess;
  /** Pid of each systemd, seen from here. */
  readonly #inits: readonly number[];

  private constructor(
    names: readonly string[],
    parts: { folder: string; process: Deno.ChildProcess; inits: readonly number[] },
  ) {
    this.names = names;
    this.#folder = parts.folder;
    this.#process = parts.process;
    this.#inits = parts.inits;
  }

  /** Whether this machine lets us: it has systemd, and root may mount and make control groups. */
  static async areAllowed(): Promise<boolean> {
    const folder = await Deno.makeTempDir({ dir: "/tmp", prefix: "agent-hosts-" });
    const { code } = await runFile(SCRIPT, ["probe", folder]);
    await Deno.remove(folder, { recursive: true });
    return code === 0;
  }

  /** Starts them and waits until each systemd says that its host is up. */
  static async start(names: readonly string[]): Promise<Hosts> {
    const folder = await Deno.makeTempDir({ dir: "/tmp", prefix: "agent-hosts-" });
    const process = new Deno.Command("unshare", {
      args: ["--net", "--", SCRIPT, "run", folder, ...names],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const inits = await firstNumbers(process.stdout, names.length);
    const hosts = new Hosts(names, { folder, process, inits });
    for (const name of names) await hosts.#untilUp(name);
    return hosts;
  }

  /** Runs shell text that must succeed, at most a minute; as root in /root, or as user postgres. */
  async run(name: string, text: string, user: "root" | "postgres" = "root"): Promise<string> {
    const { code, output } = await this.#try(name, text, user);
    if (code === 0) return output;
    throw new Error(`On host ${name}: ${text}\nended with ${code}: ${output}`);
  }

  /** Gives a host a file of this machine, or a text. */
  async give(
    name: string,
    path: string,
    content: string | { readonly from: string },
  ): Promise<void> {
    const target = `/proc/${this.#initOf(name)}/root${path}`;
    if (typeof content === "string") await Deno.writeTextFile(target, content);
    else await Deno.copyFile(content.from, target);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stdin.close();
    await this.#process.status;
    await Deno.remove(this.#folder, { recursive: true });
  }

  #initOf(name: string): number {
    const init = this.#inits[this.names.indexOf(name)];
    if (init === undefined) throw new TypeError(`Cannot find host ${name}`);
    return init;
  }

  async #try(name: string, text: string, user: "root" | "postgres"): Promise<Ended> {
    const inside = ["-m", "-p", "-n", "-i", "-u", "-C", "-r", "-w"];
    const home = user === "root" ? "/root" : "/var/lib/postgresql";
    const become = ["setpriv", "--reuid", user, "--regid", user, "--init-groups", "--"];
    const words = [`HOME=${home}`, "AGENT_CONFIG=/etc/agent/patroni.yml", "LANG=C.UTF-8"];
    const shell = [...become, "env", "-i", PATH, ...words, "bash", "-euo", "pipefail", "-c"];
    return await runFile("nsenter", [
      ...["--target", `${this.#initOf(name)}`, ...inside, "--"],
      ...[...shell, `cd ~\n${text}`],
    ]);
  }

  async #untilUp(name: string): Promise<void> {
    await waitFor(`systemd of host ${name}`, 30_000, async () => {
      const { code, output } = await this.#try(name, "systemctl is-system-running", "root");
      const log = await Deno.readTextFile(`${this.#folder}/${name}.log`);
      return { met: code === 0 || output.trim() === "degraded" ? true : null, seen: output + log };
    });
  }
}

const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The first lines of a stream as numbers; it is left open for what its writer may still say. */
async function firstNumbers(
  stream: ReadableStream<Uint8Array>,
  count: number,
): Promise<readonly number[]> {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (text.split("\n").length <= count) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`Cannot start hosts: their script ended after ${text.trim()}`);
    text += value;
  }
  return text.split("\n").slice(0, count).map(Number);
}
