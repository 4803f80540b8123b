import { readOrNull, signalPid } from "./processes.ts";
import type { Site } from "./site.ts";
import { waitFor } from "./wait.ts";

/** A playground's network is in nobody's way: it is known inside of this process's network alone. */
const SUBNET = "10.213.7";
const BRIDGE = "bridge0";
/** The address of the tests themselves: no cut concerns it, so they see every member at any time. */
const WATCHER = `${SUBNET}.254`;
/** A locally administered address that nobody has: frames to it are delivered to nobody, and nobody is told. */
const NOBODY = "02:00:00:00:00:99";
/** A network ends with its holder; this ends it when we cannot. */
const HOLD_S = "3600";

interface Host {
  readonly address: string;
  readonly holder: Deno.ChildProcess;
}

/** Hosts on one bridge, each a network namespace; frames between any two can be lost, in one direction or both. */
export interface Network extends AsyncDisposable {
  /** Where a program on this host runs, without the rights that built the network. */
  site(host: string): Site;
  /** From now on nothing that `from` sends reaches `to`, connections that stand included; neither is told. */
  cut(from: string, to: string): Promise<void>;
  /** Undoes every cut. */
  heal(): Promise<void>;
  /** Ends the hosts' networks. */
  close(): Promise<void>;
}

/** True where `scripts/test` could give this process a network of its own with the right to build on it. */
export function mayBuildNetworks(): boolean {
  return Deno.env.get("AGENT_OWN_NETWORK") !== undefined;
}

/** Builds a bridge and a host for each name; `folder` marks the processes that hold their namespaces. */
export async function buildNetwork(names: readonly string[], folder: string): Promise<Network> {
  const network = new BridgedNetwork();
  try {
    await network.build(names, folder);
    return network;
  } catch (error) {
    await network.close();
    throw error;
  }
}

class BridgedNetwork implements Network {
  readonly #hosts = new Map<string, Host>();
  readonly #cuts = new Map<string, readonly [Host, Host]>();

  async build(names: readonly string[], folder: string): Promise<void> {
    await run("ip", "link", "set", "lo", "up");
    await run("ip", "link", "add", BRIDGE, "type", "bridge");
    await run("ip", "address", "add", `${WATCHER}/24`, "dev", BRIDGE);
    await run("ip", "link", "set", BRIDGE, "up");
    for (const [index, name] of names.entries()) {
      const host = { address: `${SUBNET}.${index + 1}`, holder: hold(folder) };
      this.#hosts.set(name, host);
      await connectToBridge(host, `port${index}`);
    }
  }

  site(name: string): Site {
    const { address, holder } = this.#host(name);
    return { host: address, launch: [...inside(holder), ...WITHOUT_RIGHTS] };
  }

  async cut(from: string, to: string): Promise<void> {
    const [source, target] = [this.#host(from), this.#host(to)];
    const neighbour = ["neigh", "replace", target.address, "lladdr", NOBODY];
    await runIn(source, "ip", ...neighbour, "dev", "eth0", "nud", "permanent");
    this.#cuts.set(`${from} ${to}`, [source, target]);
  }

  async heal(): Promise<void> {
    for (const [key, [source, target]] of this.#cuts) {
      await runIn(source, "ip", "neigh", "del", target.address, "dev", "eth0");
      this.#cuts.delete(key);
    }
  }

  async close(): Promise<void> {
    for (const { holder } of this.#hosts.values()) {
      signalPid(holder.pid, "SIGKILL");
      await holder.status;
    }
    this.#hosts.clear();
    await run("ip", "link", "del", BRIDGE);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #host(name: string): Host {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new TypeError(`Cannot find host ${name} of this network`);
    return host;
  }
}

const WITHOUT_RIGHTS: readonly string[] = [
  "setpriv",
  "--ambient-caps",
  "-all",
  "--inh-caps",
  "-all",
  "--",
];

function inside(holder: Deno.ChildProcess): readonly string[] {
  return ["nsenter", `--net=/proc/${holder.pid}/ns/net`, "--"];
}

/** A namespace lives as long as a process in it. */
function hold(folder: string): Deno.ChildProcess {
  return new Deno.Command("unshare", {
    args: ["--net", "--", "sleep", HOLD_S],
    cwd: folder,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

async function connectToBridge(host: Host, port: string): Promise<void> {
  const { pid } = host.holder;
  await waitFor(`the namespace of process ${pid}`, 10_000, async () => {
    const command = await readOrNull(`/proc/${pid}/comm`);
    return { met: command?.trim() === "sleep" ? true : null, seen: `${command}` };
  });
  const peer = ["type", "veth", "peer", "name", "eth0", "netns", `${pid}`];
  await run("ip", "link", "add", port, ...peer);
  await run("ip", "link", "set", port, "master", BRIDGE, "up");
  await runIn(host, "ip", "address", "add", `${host.address}/24`, "dev", "eth0");
  await runIn(host, "ip", "link", "set", "eth0", "up");
  await runIn(host, "ip", "link", "set", "lo", "up");
}

async function runIn({ holder }: Host, ...words: readonly string[]): Promise<void> {
  await run(...inside(holder), ...words);
}

async function run(...[program = "", ...args]: readonly string[]): Promise<void> {
  const signal = AbortSignal.timeout(10_000);
  const { success, stderr } = await new Deno.Command(program, { args, signal }).output();
  if (success) return;
  const words = [program, ...args].join(" ");
  throw new Error(`Cannot run ${words}: ${new TextDecoder().decode(stderr).trim()}`);
}
