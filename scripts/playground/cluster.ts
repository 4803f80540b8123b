import type { JsonObject } from "../../lib/base/json.ts";
import { type EtcdProcess, type EtcdTls, startEtcd } from "../../tests/contract/etcd_process.ts";
import { Proxy } from "./haproxy.ts";
import { Member } from "./member.ts";
import { freePorts } from "./processes.ts";
import { SecureSite, STORE_LOGIN } from "./secure.ts";
import { LOOPBACK, type Site } from "./site.ts";
import { waitFor } from "./wait.ts";

/** What a playground is made of. */
export interface ClusterOptions {
  /** Names of the members. */
  readonly members: readonly string[];
  readonly etcdMembers: 1 | 3;
  /** Those of them that run the distribution's Patroni. */
  readonly patroni?: readonly string[];
  /** Laid over the settings below. */
  readonly dcs?: JsonObject;
  /** Laid over the file of each member. */
  readonly overrides?: (name: string) => JsonObject;
  /** TLS and certificates everywhere, or plain text; absent: as `AGENT_TLS` says, plain text without it. */
  readonly secure?: boolean;
  /** Where each member runs, and each etcd member, `e0` and so on; on loopback by default. */
  readonly site?: (name: string) => Site;
}

/** Settings that make a loss of the leader short and still obey loop_wait + 2 · retry_timeout <= ttl. */
const SETTINGS: JsonObject = {
  ttl: 10,
  loop_wait: 2,
  retry_timeout: 3,
  maximum_lag_on_failover: 1_048_576,
  postgresql: { parameters: { max_connections: 50 } },
};

/** A real cluster on loopback: etcd, agents with their PostgreSQL, HAProxy, all in one temporary folder. */
export class Cluster {
  readonly folder: string;
  readonly etcd: EtcdProcess;
  readonly members: readonly Member[];
  readonly proxy: Proxy;
  /** null: everything is in plain text. */
  readonly secure: SecureSite | null;

  constructor(parts: Pick<Cluster, "folder" | "etcd" | "members" | "secure">) {
    this.folder = parts.folder;
    this.etcd = parts.etcd;
    this.members = parts.members;
    this.secure = parts.secure;
    const backends = parts.members.map(({ plan }) => plan);
    this.proxy = new Proxy(`${parts.folder}/proxy`, backends, parts.secure);
  }

  /** Starts every agent at once, and the proxy; waits for nothing. */
  async startMembers(): Promise<void> {
    await Promise.all(this.members.map((member) => member.start()));
    await this.proxy.start();
  }

  member(name: string): Member {
    const found = this.members.find((member) => member.name === name);
    if (found === undefined) throw new TypeError(`Cannot find member ${name} of this playground`);
    return found;
  }

  /** The only member that answers `GET /primary` with 200, or null. */
  async leader(): Promise<Member | null> {
    const answers = await Promise.all(this.members.map((member) => member.rest("/primary")));
    const leaders = this.members.filter((_, index) => answers[index]?.status === 200);
    return leaders.length === 1 ? leaders[0] ?? null : null;
  }

  /** Waits until one member leads that `accept` takes. */
  async waitForLeader(
    deadlineMs: number,
    accept: (member: Member) => boolean = (): boolean => true,
  ): Promise<Member> {
    return await waitFor("a leader", deadlineMs, async () => {
      const leader = await this.leader();
      return { met: leader !== null && accept(leader) ? leader : null, seen: await this.summary() };
    });
  }

  /** Waits until one member leads and `replicas` others stream from it. */
  async waitForStreaming(deadlineMs: number, replicas = this.members.length - 1): Promise<Member> {
    return await waitFor(`a leader with ${replicas} streaming replicas`, deadlineMs, async () => {
      const leader = await this.leader();
      const senders = leader === null ? 0 : await streamingFrom(leader);
      const fine = senders >= replicas && await this.#serving("/replica") >= replicas;
      return { met: fine ? leader : null, seen: await this.summary() };
    });
  }

  async #serving(path: string): Promise<number> {
    const answers = await Promise.all(this.members.map((member) => member.rest(path)));
    return answers.filter(({ status }) => status === 200).length;
  }

  /** One line for each member, as its REST API tells it. */
  async summary(): Promise<string> {
    const answers = await Promise.all(this.members.map((member) => member.rest("/patroni")));
    return this.members.map((member, index) => {
      const { status, body } = answers[index] ?? { status: 0, body: {} };
      return `${member.name}: ${status} ${body["role"]} ${body["state"]} timeline ${
        body["timeline"]
      }`;
    }).join("; ");
  }

  /** Copies every log to a new folder that outlives this cluster; returns its name. */
  async keepLogs(): Promise<string> {
    const kept = await Deno.makeTempDir({ dir: "/var/tmp", prefix: "agent-logs-" });
    const script = 'cd "$0" && find . ( -name "*.log*" -o -name patroni.yml -o -name "*.cfg" )' +
      ' -not -path "*/pg_wal/*" -exec cp --parents -t "$1" {} +';
    const quoted = script.replaceAll("( ", "\\( ").replaceAll(" )", " \\)");
    await new Deno.Command("sh", { args: ["-c", quoted, this.folder, kept] }).output();
    return kept;
  }

  /** Ends everything that was started and removes the folder. */
  async close(): Promise<void> {
    await this.proxy.stop();
    await Promise.all(this.members.map((member) => member.end()));
    await this.etcd.close();
    await this.secure?.[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

async function streamingFrom(leader: Member): Promise<number> {
  const rows = await leader.sql(
    "SELECT count(*)::int AS n FROM pg_stat_replication WHERE state = 'streaming'" +
      " AND application_name <> 'pg_basebackup'",
  );
  return Number(rows[0]?.["n"] ?? 0);
}

function etcdTls({ certs, askStore }: SecureSite): EtcdTls {
  const [ca, cert, key] = [
    certs.path("ca.crt"),
    certs.path("server.crt"),
    certs.path("server.key"),
  ];
  return { ca, cert, key, fetch: askStore, login: STORE_LOGIN };
}

async function secureSiteOf(options: ClusterOptions): Promise<SecureSite | null> {
  if (!(options.secure ?? Deno.env.get("AGENT_TLS") === "yes")) return null;
  const { members, etcdMembers, site } = options;
  const names = [...members, ...Array.from({ length: etcdMembers }, (_, index) => `e${index}`)];
  return await SecureSite.create(names.map((name) => (site?.(name) ?? LOOPBACK).host));
}

/** Starts etcd and plans the members; `startMembers` starts them. */
export async function planCluster(options: ClusterOptions): Promise<Cluster> {
  const folder = await Deno.makeTempDir({ prefix: "c-" });
  const site = options.site ?? ((): Site => LOOPBACK);
  const secure = await secureSiteOf(options);
  const tls = secure === null ? {} : { tls: etcdTls(secure) };
  const etcd = await startEtcd({ members: options.etcdMembers, site, ...tls });
  const ports = freePorts(options.members.length * 2);
  const members = options.members.map((name, index) =>
    new Member({
      scope: "demo",
      name,
      program: options.patroni?.includes(name) ? "patroni" : "agent",
      folder: `${folder}/${name}`,
      site: site(name),
      pgPort: ports[index * 2] ?? 0,
      restPort: ports[index * 2 + 1] ?? 0,
      etcd: etcd.endpoints,
      dcs: { ...SETTINGS, ...options.dcs },
      overrides: options.overrides?.(name) ?? {},
      secure,
    })
  );
  return new Cluster({ folder, etcd, members, secure });
}
