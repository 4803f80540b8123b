import type { ConnectionOptions } from "node:tls";
import type { HttpFetch } from "../../lib/base/http.ts";
import type { JsonObject } from "../../lib/base/json.ts";
import { silentLog } from "../../lib/base/log.ts";
import { type ClientTls, HttpsClient } from "../../lib/net/https_client.ts";
import { Certificates } from "../../tests/net/certificates.ts";

/** How members log in to a secured etcd. */
export const STORE_LOGIN = { username: "root", password: "store-pw" };

/**
 * Certificates of a playground that uses TLS everywhere, and the playground's own clients. Files may be replaced while
 * it runs. Everybody believes `ca.crt` for `server` (of etcd and PostgreSQL) and `client` (of both; without a common
 * name, which etcd would take for its user). Of the REST API, `rest` and its `caller`, members believe `rest_ca.crt`,
 * HAProxy and the playground `proxy_ca.crt`, which has both authorities.
 */
export class SecureSite implements AsyncDisposable {
  readonly certs: Certificates;
  readonly #store: HttpsClient;
  readonly #members: HttpsClient;
  readonly #names: readonly string[];

  private constructor(
    certs: Certificates,
    names: readonly string[],
    store: HttpsClient,
    members: HttpsClient,
  ) {
    this.certs = certs;
    this.#names = names;
    this.#store = store;
    this.#members = members;
  }

  /** Makes them for programs on these addresses, in a folder that is gone with the site. */
  static async create(hosts: readonly string[]): Promise<SecureSite> {
    const certs = await Certificates.create();
    const addresses = [...new Set(["127.0.0.1", "::1", ...hosts])].map((host) => `IP:${host}`);
    const names = ["DNS:localhost", ...addresses]; // Patroni asks its own server by that name
    await Promise.all(AUTHORITIES.map((name) => certs.authority(name)));
    await issueServers(certs, "first", names);
    await issueRest(certs, "first_rest", names);
    await Deno.copyFile(certs.path("first.crt"), certs.path("ca.crt"));
    await Deno.copyFile(certs.path("first_rest.crt"), certs.path("rest_ca.crt"));
    await bundle(certs, "proxy_ca.crt", ["first_rest", "second_rest"]);
    const store = await HttpsClient.open("store", tlsOf(certs, "client", "ca"), silentLog);
    const caller = tlsOf(certs, "caller", "proxy_ca");
    const members = await HttpsClient.open("members", caller, silentLog);
    return new SecureSite(certs, names, store, members);
  }

  /** Asks etcd by HTTPS, with a certificate. */
  get askStore(): HttpFetch {
    return this.#store.fetch;
  }

  /** Asks members by HTTPS, with a certificate. */
  get askMember(): HttpFetch {
    return this.#members.fetch;
  }

  /** What a session with a server checks and shows. */
  async forSql(): Promise<ConnectionOptions> {
    const [ca, cert, key] = await Promise.all(
      ["ca.crt", "client.crt", "client.key"].map((name) => this.certs.text(name)),
    );
    return { ca, cert, key };
  }

  /** From now on `file` has these authorities, `first`, `second`, `first_rest`, `second_rest`. */
  async believe(file: "ca.crt" | "rest_ca.crt", authorities: readonly string[]): Promise<void> {
    await bundle(this.certs, file, authorities);
    await this.#store.look();
  }

  /** New certificates of the REST API and its callers by `second_rest`. */
  async reissueRest(): Promise<void> {
    await issueRest(this.certs, "second_rest", this.#names);
    await this.#members.look();
  }

  /** New certificates of etcd, of the servers and of the clients of both by `second`. */
  async reissueServers(): Promise<void> {
    await issueServers(this.certs, "second", this.#names);
    await this.#store.look();
  }

  /** Certificate and key of `caller` in one file, as HAProxy wants them. */
  async callerPem(): Promise<string> {
    return await this.certs.text("caller.crt") + await this.certs.text("caller.key");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#store.close(), this.#members.close()]);
    await this.certs[Symbol.asyncDispose]();
  }
}

const AUTHORITIES: readonly string[] = ["first", "second", "first_rest", "second_rest"];

/** Replaces a file of authorities as a whole. */
async function bundle(
  certs: Certificates,
  file: string,
  authorities: readonly string[],
): Promise<void> {
  const texts = await Promise.all(authorities.map((name) => certs.text(`${name}.crt`)));
  await Deno.writeTextFile(certs.path(`${file}.new`), texts.join(""));
  await Deno.rename(certs.path(`${file}.new`), certs.path(file));
}

async function issueServers(
  certs: Certificates,
  authority: string,
  names: readonly string[],
): Promise<void> {
  await certs.issue(authority, "server", "server", names.join());
  await certs.issue(authority, "client", "");
}

async function issueRest(
  certs: Certificates,
  authority: string,
  names: readonly string[],
): Promise<void> {
  await certs.issue(authority, "rest", "rest", names.join());
  await certs.issue(authority, "caller");
}

function tlsOf(certs: Certificates, name: string, authority: string): ClientTls {
  const pair = { cert: certs.path(`${name}.crt`), key: certs.path(`${name}.key`) };
  return { ca: certs.path(`${authority}.crt`), ...pair, keyPassword: null, insecure: false };
}

/** What the file of a member on `host` says in addition: nobody gets anywhere without a certificate. */
export function secureOverlay({ certs }: SecureSite, host: string): JsonObject {
  const at = (name: string): string => certs.path(name);
  const login = {
    sslmode: "verify-full",
    sslrootcert: at("ca.crt"),
    sslcert: at("client.crt"),
    sslkey: at("client.key"),
  };
  return {
    etcd3: {
      protocol: "https",
      cacert: at("ca.crt"),
      cert: at("client.crt"),
      key: at("client.key"),
      ...STORE_LOGIN,
    },
    restapi: {
      certfile: at("rest.crt"),
      keyfile: at("rest.key"),
      cafile: at("rest_ca.crt"),
      verify_client: "required",
      allowlist: [`${host.split(".")[0]}.0.0.0/8`],
    },
    ctl: { cacert: at("rest_ca.crt"), certfile: at("caller.crt"), keyfile: at("caller.key") },
    postgresql: {
      authentication: { superuser: login, replication: login, rewind: login },
      parameters: {
        ssl: "on",
        ssl_cert_file: at("server.crt"),
        ssl_key_file: at("server.key"),
        ssl_ca_file: at("ca.crt"),
      },
      pg_hba: [
        "local all all scram-sha-256",
        "hostssl replication all samenet scram-sha-256 clientcert=verify-ca",
        "hostssl all all samenet scram-sha-256 clientcert=verify-ca",
      ],
    },
  };
}
