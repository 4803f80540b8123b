import { freePorts, spawnLogged } from "./processes.ts";
import type { SecureSite } from "./secure.ts";
import { LOOPBACK } from "./site.ts";
import type { SqlPlace } from "./sql.ts";
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
  /** null: the members' REST APIs speak plain http. */
  readonly secure: SecureSite | null;
}

/**
 * The configuration: writes go where `GET /` answers 200, reads where `GET /replica` does. No `retries`: HAProxy waits a
 * second before it tries the same server again, which would lie over every gap; clients connect again themselves.
 */
function proxyFile(plan: ProxyPlan): string {
  return `global
  maxconn 200
  stats socket ${plan.folder}/haproxy.sock mode 600 level admin

defaults
  mode tcp
  retries 0
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
  { folder, backends, secure }: ProxyPlan,
): string {
  const tls = secure === null
    ? ""
    : ` check-ssl verify required ca-file ${secure.certs.path("proxy_ca.crt")} crt ${
      pemOf(folder)
    }`;
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

/** Certificate and key for the checks. */
function pemOf(folder: string): string {
  return `${folder}/caller.pem`;
}

/** A real HAProxy on loopback. */
export class Proxy {
  readonly plan: ProxyPlan;
  #process: Deno.ChildProcess | null = null;

  constructor(folder: string, backends: readonly Backend[], secure: SecureSite | null) {
    const [writePort = 0, readPort = 0] = freePorts(2);
    this.plan = { folder, writePort, readPort, backends, secure };
  }

  /** Where applications write. */
  get writePlace(): SqlPlace {
    const { writePort, secure } = this.plan;
    return { host: LOOPBACK.host, port: writePort, secure };
  }

  async start(): Promise<void> {
    await Deno.mkdir(this.plan.folder, { recursive: true });
    const { folder, secure } = this.plan;
    const file = `${folder}/haproxy.cfg`;
    await Deno.writeTextFile(file, proxyFile(this.plan));
    if (secure !== null) await Deno.writeTextFile(pemOf(folder), await secure.callerPem());
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

  /** The checks show the present certificate of `caller` from now on; no client is disturbed. */
  async renewCertificate(secure: SecureSite): Promise<void> {
    const file = pemOf(this.plan.folder);
    const answers = [
      await this.#ask(`set ssl cert ${file} <<\n${await secure.callerPem()}`),
      await this.#ask(`commit ssl cert ${file}`),
    ];
    if (!answers[1]?.includes("Success")) throw new Error(`Cannot renew it: ${answers.join()}`);
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
