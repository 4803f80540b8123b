import { freePorts, spawnLogged } from "./processes.ts";
import { waitFor } from "./wait.ts";

/** A server behind the proxy. */
export interface Backend {
  readonly name: string;
  readonly pgPort: number;
  readonly restPort: number;
}

/** Where the proxy runs and what it stands for. */
export interface ProxyPlan {
  readonly folder: string;
  readonly writePort: number;
  readonly readPort: number;
  readonly backends: readonly Backend[];
  /** Authorities of the members' REST APIs; null: they speak plain http. */
  readonly authorities: string | null;
}

/** The configuration: writes go where `GET /` answers 200, reads where `GET /replica` does. */
function proxyFile(plan: ProxyPlan): string {
  return `global
  maxconn 200
  stats socket ${plan.folder}/haproxy.sock mode 600 level user

defaults
  mode tcp
  retries 1
  timeout connect 1s
  timeout client 1h
  timeout server 1h
  timeout check 1s
  default-server inter 500ms downinter 200ms fall 4 rise 1 on-marked-down shutdown-sessions

${section("write", plan.writePort, "/", plan)}
${section("read", plan.readPort, "/replica", plan)}`;
}

function section(
  name: string,
  port: number,
  path: string,
  { backends, authorities }: ProxyPlan,
): string {
  const tls = authorities === null ? "" : ` check-ssl verify required ca-file ${authorities}`;
  const servers = backends.map((server) =>
    `  server ${server.name} 127.0.0.1:${server.pgPort} check port ${server.restPort}${tls}`
  );
  return `listen ${name}
  bind 127.0.0.1:${port}
  option httpchk OPTIONS ${path}
  http-check expect status 200
${servers.join("\n")}
`;
}

/** A real HAProxy on loopback. */
export class Proxy {
  readonly plan: ProxyPlan;
  #process: Deno.ChildProcess | null = null;

  constructor(folder: string, backends: readonly Backend[], authorities: string | null) {
    const [writePort = 0, readPort = 0] = freePorts(2);
    this.plan = { folder, writePort, readPort, backends, authorities };
  }

  async start(): Promise<void> {
    await Deno.mkdir(this.plan.folder, { recursive: true });
    const file = `${this.plan.folder}/haproxy.cfg`;
    await Deno.writeTextFile(file, proxyFile(this.plan));
    this.#process = spawnLogged({
      program: "haproxy",
      args: ["-db", "-f", file],
      logFile: `${this.plan.folder}/haproxy.log`,
    });
  }

  async stop(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.status;
    this.#process = null;
  }

  /** Names of the servers that a section ("write" or "read") may send clients to now. */
  async up(section: "write" | "read"): Promise<readonly string[]> {
    const rows = (await this.#ask("show stat")).split("\n").map((row) => row.split(","));
    return rows
      .filter(([proxy, , ...rest]) => proxy === section && rest[15]?.startsWith("UP"))
      .flatMap(([, server]) => server === undefined || server === "BACKEND" ? [] : [server]);
  }

  /** Waits until writes go to this member and to no other. */
  async waitForWriter(name: string, deadlineMs: number): Promise<void> {
    await waitFor(`HAProxy sending writes to ${name}`, deadlineMs, async () => {
      const up = await this.up("write");
      return { met: up.length === 1 && up[0] === name ? true : null, seen: `up: ${up.join()}` };
    });
  }

  async #ask(command: string): Promise<string> {
    const path = `${this.plan.folder}/haproxy.sock`;
    using connection = await Deno.connect({ transport: "unix", path });
    await connection.write(new TextEncoder().encode(`${command}\n`));
    return await new Response(connection.readable).text();
  }
}
