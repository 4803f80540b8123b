import type { AccessRules } from "../api/access.ts";
import type { ListenPlan } from "../api/listeners.ts";
import { ConfigError } from "../base/errors.ts";
import type { ConfigFault } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { AgentConfig } from "../config/agent_config.ts";
import { HttpsClient } from "../net/https_client.ts";
import { TlsFault } from "../net/tls.ts";
import type { TlsFiles } from "../net/tls.ts";
import { TlsSource } from "../net/tls_source.ts";
import { certificateFaults, clientFaults } from "./certificate_faults.ts";

/**
 * Replaced certificates count without a signal, and before they are needed: members may not talk to each other for
 * weeks, and must be able to when the leader is gone.
 */
const LOOK_EVERY_MS = 5000;

/** Who may call us, and how we call others: everything that has to do with certificates. */
export class Access {
  /** Members of the cluster. */
  readonly members: HttpsClient;
  /** The store. */
  readonly store: HttpsClient;
  readonly #log: Log;
  readonly #timer: ReturnType<typeof setInterval>;
  #server: TlsSource | null;
  #config: AgentConfig;

  private constructor(
    parts: { members: HttpsClient; store: HttpsClient; server: TlsSource | null },
    config: AgentConfig,
    log: Log,
  ) {
    this.members = parts.members;
    this.store = parts.store;
    this.#server = parts.server;
    this.#config = config;
    this.#log = log;
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS);
  }

  /**
   * Reads every certificate, and looks for replaced ones every few seconds until `close`. Throws `ConfigError` with all
   * that cannot be used.
   */
  static async open(config: AgentConfig, log: Log): Promise<Access> {
    await throwCertificateFaults(config);
    const { members, store } = await openClients(config, log);
    const { tls } = config.restapi;
    const server = tls === null ? null : await openServer(tls, log);
    return new Access({ members, store, server }, config, log);
  }

  /** The rules of the moment. */
  rules(): AccessRules {
    const { restapi } = this.#config;
    return {
      authentication: restapi.authentication,
      allowlist: restapi.allowlist,
      allowlistIncludeMembers: restapi.allowlistIncludeMembers,
      headers: restapi.headers,
      httpsHeaders: restapi.httpsHeaders,
      serverName: restapi.serverTokens === "ProductOnly" ? "agent" : null,
    };
  }

  /** Name and password for our own calls to members. */
  login(): AgentConfig["ctl"] {
    return this.#config.ctl;
  }

  /** How the REST API listens. */
  plan(): ListenPlan {
    const { listen, tls, requestQueueSize: backlog } = this.#config.restapi;
    if (tls === null || this.#server === null) return { listen, tls: null, backlog };
    return { listen, tls: { source: this.#server, verifyClient: tls.verifyClient }, backlog };
  }

  /**
   * What a new configuration says, from now on; `relisten` gives `plan()` to the server. Throws `ConfigError` when a
   * certificate cannot be used, and what `relisten` throws; then everything is as before.
   */
  async reload(config: AgentConfig, relisten: () => Promise<void>): Promise<void> {
    await throwCertificateFaults(config);
    const before = { config: this.#config, server: this.#server };
    try {
      await this.#follow(config);
      await relisten();
    } catch (error) {
      this.#server = before.server;
      await this.#goBack(before.config, relisten);
      throw error;
    }
  }

  /** Ends idle connections. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#look();
    await Promise.all([this.members.close(), this.store.close()]);
  }

  async #follow(config: AgentConfig): Promise<void> {
    const { tls } = config.restapi;
    const server = this.#server;
    if (tls === null) this.#server = null;
    else if (server !== null) await orConfigError("restapi", () => server.follow(tls));
    else this.#server = await openServer(tls, this.#log);
    await orConfigError("ctl", () => this.members.reload(config.ctlTls));
    const storeTls = { ...config.etcd.tls, insecure: false };
    await orConfigError("etcd3", () => this.store.reload(storeTls));
    this.#config = config;
  }

  async #goBack(config: AgentConfig, relisten: () => Promise<void>): Promise<void> {
    this.#config = config;
    try {
      await this.#follow(config);
      await relisten();
    } catch (error) {
      this.#log.error(`Cannot go back to the certificates from before: ${String(error)}`);
    }
  }

  async #look(): Promise<void> {
    await Promise.all([this.members.look(), this.store.look(), this.#server?.look()]);
  }
}

function openServer(files: TlsFiles, log: Log): Promise<TlsSource> {
  return orConfigError("restapi", () => TlsSource.open("the REST API", files, log));
}

/** The clients alone, for commands: who gives them need not read the server's keys. Throws `ConfigError`. */
export async function openClients(
  config: AgentConfig,
  log: Log,
): Promise<{ readonly members: HttpsClient; readonly store: HttpsClient }> {
  throwIfAny(await clientFaults(config));
  const storeTls = { ...config.etcd.tls, insecure: false };
  const store = await orConfigError("etcd3", () => HttpsClient.open("etcd", storeTls, log));
  const members = await orConfigError("ctl", () => HttpsClient.open("members", config.ctlTls, log));
  return { members, store };
}

/** What only the TLS library itself finds, or has changed since the check. */
async function orConfigError<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TlsFault)) throw error;
    throwIfAny([{ file: null, line: null, path, message: error.message }]);
    throw error;
  }
}

/** Throws `ConfigError` when a file of certificates or keys that the configuration names cannot be used. */
export async function throwCertificateFaults(config: AgentConfig): Promise<void> {
  throwIfAny(await certificateFaults(config));
}

function throwIfAny(faults: readonly ConfigFault[]): void {
  if (faults.length === 0) return;
  const lines = faults.map(({ path, message }) => `${path}: ${message}`);
  throw new ConfigError(["Cannot use the certificates", ...lines].join("\n"), faults);
}
