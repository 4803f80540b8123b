import type { HttpFetch } from "../../lib/base/http.ts";
import { isJsonObject, type JsonObject } from "../../lib/base/json.ts";
import { freePorts } from "../../scripts/playground/processes.ts";
import { LOOPBACK, type Site } from "../../scripts/playground/site.ts";

/** A real etcd, made of plain processes in a folder of its own. */
export interface EtcdProcess extends AsyncDisposable {
  /** Client URLs, one for each member. */
  readonly endpoints: readonly string[];
  /** Process ids by member; a restarted member has a new one. */
  readonly pids: readonly number[];
  /** SIGSTOP: connections are accepted, nothing is answered. */
  stop(member: number): void;
  cont(member: number): void;
  /** SIGKILL; resolves when the process is gone. */
  kill(member: number): Promise<void>;
  /** Starts a killed member again on its old ports and data; resolves when it answers. */
  restart(member: number): Promise<void>;
  /** Kills the only member, throws its data away and starts it as a new and empty etcd on its old ports. */
  startEmpty(): Promise<void>;
  /** The index of the member that leads now. */
  leader(): Promise<number>;
  /** One request to the first member, `kv/range` and the like, with a login where there are any. Throws unless it is done. */
  ask(path: string, body: JsonObject): Promise<JsonObject>;
  /** Kills every member and removes the folder. */
  close(): Promise<void>;
}

/** True where an etcd executable can be run; tests that need one are skipped by name otherwise. */
export function etcdInstalled(): boolean {
  try {
    return new Deno.Command("etcd", { args: ["--version"], stdout: "null" }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** How many members, and where each of `e0`, `e1`, `e2` runs: on loopback by default. */
export interface EtcdPlan {
  readonly members: 1 | 3;
  readonly site?: (name: string) => Site;
  /** Founded with etcd's defaults, as Debian does it on each host: every such etcd of one member has the same ids. */
  readonly byDefaults?: true;
  /** Serves clients and each other by HTTPS only, and asks both for a certificate. */
  readonly tls?: EtcdTls;
}

/** Files of the servers, and a client to ask them with. */
export interface EtcdTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly fetch: HttpFetch;
  /** The user that may do everything, and must log in; absent: everybody may, without a login. */
  readonly login?: EtcdLogin;
}

/** A user of etcd. */
export interface EtcdLogin {
  readonly username: string;
  readonly password: string;
}

/** Starts one member, or three that form one cluster; resolves when each of them is healthy. */
export async function startEtcd(plan: EtcdPlan): Promise<EtcdProcess> {
  const { members, site } = plan;
  const folder = await Deno.makeTempDir({ prefix: "etcd-test-" });
  const sites = Array.from({ length: members }, (_, index) => site?.(`e${index}`) ?? LOOPBACK);
  const cluster = new ProcessesOfEtcd(folder, sites, plan);
  try {
    await cluster.startAll();
    return cluster;
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

interface Member {
  readonly launch: readonly string[];
  readonly args: readonly string[];
  readonly endpoint: string;
  process: Deno.ChildProcess | null;
  pid: number;
}

class ProcessesOfEtcd implements EtcdProcess {
  readonly #folder: string;
  readonly #members: readonly Member[];
  readonly #fetch: HttpFetch;
  readonly #login: EtcdLogin | null;

  constructor(folder: string, sites: readonly Site[], plan: EtcdPlan) {
    const { tls } = plan;
    this.#folder = folder;
    this.#fetch = tls?.fetch ?? fetch;
    this.#login = tls?.login ?? null;
    this.#members = planMembers(folder, sites, plan);
  }

  get endpoints(): readonly string[] {
    return this.#members.map((member) => member.endpoint);
  }

  get pids(): readonly number[] {
    return this.#members.map((member) => member.pid);
  }

  async startAll(): Promise<void> {
    this.#members.forEach(spawn);
    await Promise.all(this.#members.map((member) => answersHealthy(member.endpoint, this.#fetch)));
    await this.#demandLogins();
  }

  stop(member: number): void {
    Deno.kill(this.#member(member).pid, "SIGSTOP");
  }

  cont(member: number): void {
    Deno.kill(this.#member(member).pid, "SIGCONT");
  }

  async kill(member: number): Promise<void> {
    const { process } = this.#member(member);
    this.#member(member).process = null;
    process?.kill("SIGKILL");
    await process?.status;
  }

  async restart(member: number): Promise<void> {
    await this.kill(member);
    spawn(this.#member(member));
    await answersHealthy(this.#member(member).endpoint, this.#fetch);
  }

  async startEmpty(): Promise<void> {
    await this.kill(0);
    await Deno.remove(`${this.#folder}/e0`, { recursive: true });
    await this.restart(0);
    await this.#demandLogins();
  }

  async leader(): Promise<number> {
    const answers = await Promise.all(this.endpoints.map((url) => askStatus(url, this.#fetch)));
    const leader = answers.find((answer) => answer !== null)?.leader;
    return answers.findIndex((answer) => answer?.member === leader);
  }

  async ask(path: string, body: JsonObject): Promise<JsonObject> {
    if (this.#login === null) return await this.#post(path, body);
    const { username: name, password } = this.#login;
    const { token } = await this.#post("auth/authenticate", { name, password });
    return await this.#post(path, body, { authorization: String(token) });
  }

  async #demandLogins(): Promise<void> {
    if (this.#login === null) return;
    const { username: name, password } = this.#login;
    await this.#post("auth/user/add", { name, password });
    await this.#post("auth/role/add", { name: "root" });
    await this.#post("auth/user/grant", { user: name, role: "root" });
    await this.#post("auth/enable", {});
  }

  async #post(
    path: string,
    body: JsonObject,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<JsonObject> {
    const init = { method: "POST", body: JSON.stringify(body), headers };
    const signal = AbortSignal.timeout(5_000);
    const response = await this.#fetch(`${this.endpoints[0]}/v3/${path}`, { ...init, signal });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`Cannot ask etcd for ${path}: ${text}`);
    const answer: unknown = JSON.parse(text);
    return isJsonObject(answer) ? answer : {};
  }

  async close(): Promise<void> {
    for (const index of this.#members.keys()) await this.kill(index);
    await Deno.remove(this.#folder, { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #member(index: number): Member {
    const member = this.#members[index];
    if (member === undefined) throw new TypeError(`Cannot find member ${index} of this etcd`);
    return member;
  }
}

function planMembers(
  folder: string,
  sites: readonly Site[],
  { tls, byDefaults }: EtcdPlan,
): readonly Member[] {
  const ports = freePorts(sites.length * 2);
  const plan = sites.map(({ host, launch }, index) => ({
    name: `e${index}`,
    launch,
    client: `${tls === undefined ? "http" : "https"}://${host}:${ports[index * 2]}`,
    peer: `${tls === undefined ? "http" : "https"}://${host}:${ports[index * 2 + 1]}`,
  }));
  const knownAs = (peer: string): string => byDefaults === true ? "http://localhost:2380" : peer;
  const everyone = plan.map(({ name, peer }) => `${name}=${knownAs(peer)}`).join(",");
  const token = byDefaults === true ? "etcd-cluster" : folder;
  const secure = tls === undefined ? [] : [
    ...["--cert-file", tls.cert, "--key-file", tls.key],
    ...["--trusted-ca-file", tls.ca, "--client-cert-auth"],
    ...["--peer-cert-file", tls.cert, "--peer-key-file", tls.key],
    ...["--peer-trusted-ca-file", tls.ca, "--peer-client-cert-auth"],
  ];
  return plan.map(({ name, launch, client, peer }) => ({
    launch,
    endpoint: client,
    process: null,
    pid: 0,
    args: [
      ...["--name", name, "--data-dir", `${folder}/${name}`],
      ...["--listen-client-urls", client, "--advertise-client-urls", client],
      ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", knownAs(peer)],
      ...["--initial-cluster", everyone, "--initial-cluster-token", token],
      ...["--logger", "zap", "--log-outputs", `${folder}/${name}.log`, "--log-level", "warn"],
      ...secure,
    ],
  }));
}

function spawn(member: Member): void {
  const quiet = { stdin: "null", stdout: "null", stderr: "null" } as const;
  const [program = "", ...args] = [...member.launch, "etcd", ...member.args];
  member.process = new Deno.Command(program, { args, ...quiet }).spawn();
  member.pid = member.process.pid;
}

async function answersHealthy(endpoint: string, road: HttpFetch): Promise<void> {
  const endsAt = Date.now() + 30_000;
  let last = "not asked";
  while (Date.now() < endsAt) {
    last = await askHealth(endpoint, road);
    if (last.includes('"health":"true"')) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Cannot start etcd at ${endpoint}: ${last}`);
}

async function askHealth(endpoint: string, road: HttpFetch): Promise<string> {
  try {
    const response = await road(`${endpoint}/health`, { signal: AbortSignal.timeout(2_000) });
    return await response.text();
  } catch (error) {
    return String(error);
  }
}

async function askStatus(
  endpoint: string,
  road: HttpFetch,
): Promise<{ member: string; leader: string } | null> {
  try {
    const options = { method: "POST", body: "{}", signal: AbortSignal.timeout(1_000) };
    const response = await road(`${endpoint}/v3/maintenance/status`, options);
    const { header, leader } = await response.json();
    return { member: header.member_id, leader };
  } catch {
    return null;
  }
}
