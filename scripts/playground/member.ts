import { isJsonObject, type JsonObject } from "../../lib/base/json.ts";
import { agentProgram } from "./agent_program.ts";
import { memberFile, type MemberPlan } from "./member_file.ts";
import { endSwitchOf } from "./switch.ts";
import { endProcessesIn, readOrNull, signalPid, spawnLogged, worksIn } from "./processes.ts";
import { query, type SqlPlace } from "./sql.ts";

/** An answer of a member's REST API; `status` 0 means that there was none. */
export interface RestAnswer {
  readonly status: number;
  readonly body: JsonObject;
}

/** One real agent with its PostgreSQL, in a folder of its own. */
export class Member {
  readonly plan: MemberPlan;
  #agent: Deno.ChildProcess | null = null;

  constructor(plan: MemberPlan) {
    this.plan = plan;
  }

  get name(): string {
    return this.plan.name;
  }

  get configFile(): string {
    return `${this.plan.folder}/patroni.yml`;
  }

  get dataDir(): string {
    return `${this.plan.folder}/data`;
  }

  get logFile(): string {
    return `${this.plan.folder}/agent.log`;
  }

  /** Where its REST API is, without a path. */
  get restUrl(): string {
    const scheme = this.plan.secure === null ? "http" : "https";
    return `${scheme}://${this.plan.site.host}:${this.plan.restPort}`;
  }

  /** Where its server is. */
  get sqlPlace(): SqlPlace {
    const { site, pgPort, secure } = this.plan;
    return { host: site.host, port: pgPort, secure };
  }

  /** Pid of the agent, null while there is none. */
  get agentPid(): number | null {
    return this.#agent?.pid ?? null;
  }

  /** Writes the configuration and starts the agent; does not wait for anything. */
  async start(): Promise<void> {
    if (this.#agent !== null) throw new TypeError(`Cannot start agent ${this.name}: it runs`);
    await Deno.mkdir(this.plan.folder, { recursive: true, mode: 0o700 });
    await Deno.writeTextFile(this.configFile, memberFile(this.plan), { mode: 0o600 });
    const words = this.plan.program === "agent"
      ? [agentProgram(), this.configFile]
      : ["patroni", this.configFile];
    const [program = "", ...args] = [...this.plan.site.launch, ...words];
    this.#agent = spawnLogged({ program, args, logFile: this.logFile });
  }

  /** Sends the agent a signal. */
  signalAgent(signal: Deno.Signal): void {
    if (this.#agent !== null) signalPid(this.#agent.pid, signal);
  }

  /** Resolves with the exit code when the agent has ended by itself or by a signal. */
  async agentEnd(): Promise<number> {
    if (this.#agent === null) throw new TypeError(`Cannot await agent ${this.name}: none runs`);
    const { code } = await this.#agent.status;
    this.#agent = null;
    return code;
  }

  /** kill -9 of the agent; its server is left as it is. */
  async killAgent(): Promise<void> {
    if (this.#agent === null) return;
    this.signalAgent("SIGKILL");
    await this.agentEnd();
  }

  /** Pid of the postmaster by its own file, null when there is none. */
  async postmasterPid(): Promise<number | null> {
    const text = await readOrNull(`${this.dataDir}/postmaster.pid`);
    return text === null ? null : Math.abs(Number(text.split("\n")[0]));
  }

  /** The postmaster while it runs; its file alone may name a process that is gone, or somebody else's by now. */
  async runningPostmaster(): Promise<number | null> {
    const pid = await this.postmasterPid();
    return pid !== null && pid > 1 && await worksIn(pid, this.dataDir) ? pid : null;
  }

  /** kill -9 of the postmaster alone: its children must notice by themselves, or be found. */
  async killPostmaster(): Promise<number | null> {
    const pid = await this.runningPostmaster();
    if (pid !== null) signalPid(pid, "SIGKILL");
    return pid;
  }

  /** As if the host lost its power: agent and postmaster at once. */
  async killAll(): Promise<void> {
    this.signalAgent("SIGKILL");
    await this.killPostmaster();
    await this.killAgent();
  }

  /** Ends agent, server and every child of it, whatever state they are in. */
  async end(): Promise<void> {
    await this.killAgent();
    await endSwitchOf(this.dataDir);
    await endProcessesIn(this.plan.folder);
  }

  /** One request to its REST API as `fetch` makes it, with the certificate that it asks for; at most `withinMs`. */
  async ask(path: string, init: RequestInit = {}, withinMs = 60_000): Promise<Response> {
    const road = this.plan.secure?.askMember ?? fetch;
    const signal = AbortSignal.timeout(withinMs);
    return await road(`${this.restUrl}${path}`, { ...init, signal });
  }

  /** One GET, at most two seconds. */
  async rest(path: string): Promise<RestAnswer> {
    try {
      const response = await this.ask(path, {}, 2_000);
      const body: unknown = await response.json().catch(() => ({}));
      return { status: response.status, body: isJsonObject(body) ? body : {} };
    } catch (error) {
      return { status: 0, body: { error: String(error) } };
    }
  }

  /** One statement on this member's server. */
  async sql(text: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    return await query(this.sqlPlace, text);
  }
}
