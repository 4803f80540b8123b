import type { HttpFetch } from "../base/http.ts";
import type { Log } from "../base/log.ts";
import { nodeFetch } from "./node_fetch.ts";
import { NO_TLS_FILES, TlsFault } from "./tls.ts";
import type { TlsFiles, TlsMaterial } from "./tls.ts";
import { TlsSource } from "./tls_source.ts";
import { systemAuthorities } from "./system_authorities.ts";

/** How the other ends are checked, and what is shown to them. */
export interface ClientTls extends TlsFiles {
  /** Takes any certificate of any name: whoever sits on the way can read and change everything. */
  readonly insecure: boolean;
}

/** Checks by the system's authorities and shows no certificate. */
export const PLAIN_CLIENT: ClientTls = { ...NO_TLS_FILES, insecure: false };

/**
 * The client for members, command line and store. Each `look` takes replaced certificates: the next request uses the
 * new ones, requests in work end with the old ones. No request waits for a disk.
 */
export class HttpsClient {
  readonly #source: TlsSource;
  #insecure: boolean;
  #client: Deno.HttpClient;
  /** The one before: a request that was just begun may still reach for it. */
  #retired: Deno.HttpClient | null = null;

  private constructor(source: TlsSource, insecure: boolean, client: Deno.HttpClient) {
    this.#source = source;
    this.#insecure = insecure;
    this.#client = client;
    source.onRenewed((material) => this.#renew(material));
  }

  /** Reads the certificates; `what` names the client in the log. Throws `TlsFault`. */
  static async open(what: string, tls: ClientTls, log: Log): Promise<HttpsClient> {
    const source = await TlsSource.open(what, tls, log);
    return new HttpsClient(source, tls.insecure, firstClient(source, tls));
  }

  /** `fetch` by these certificates, with connections that are kept and answers that stream; plain http works as well. */
  readonly fetch: HttpFetch = (url, init) => fetch(url, { ...init, client: this.#client });

  /**
   * One call by a connection of its own. The authorities given are the only ones, and a certificate that is its own
   * authority, as many small installations have it, is taken.
   */
  readonly call: HttpFetch = (url, init) => this.#byNode(url, init, !this.#insecure);

  /** The same without a check of the other end; for questions whose answer is not believed. */
  readonly unchecked: HttpFetch = (url, init) => this.#byNode(url, init, false);

  /** Takes what is new in the files; never throws. */
  look(): Promise<void> {
    return this.#source.look();
  }

  /** Other files or another manner from now on. Throws `TlsFault` and stays as it was. */
  async reload(tls: ClientTls): Promise<void> {
    await this.#source.follow(tls);
    this.#insecure = tls.insecure;
  }

  /** Ends idle connections; the client is of no use any more. */
  async close(): Promise<void> {
    await this.#source.look();
    this.#client.close();
    this.#retired?.close();
  }

  #byNode(url: string, init: RequestInit, isChecked: boolean): Promise<Response> {
    return url.startsWith("https:")
      ? nodeFetch(url, init, this.#source.present, isChecked)
      : this.fetch(url, init);
  }

  /** Streams outlive the client that they were begun with. */
  #renew(material: TlsMaterial): void {
    const next = clientOf(material);
    this.#retired?.close();
    this.#retired = this.#client;
    this.#client = next;
  }
}

function firstClient({ present }: TlsSource, { ca, cert }: ClientTls): Deno.HttpClient {
  try {
    return clientOf(present);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TlsFault("cert", `${cert ?? ca}: TLS does not take it: ${why}`, { cause });
  }
}

/** HTTP/2 off: with it one hung connection would carry every call; of HTTP/1 each has its own. */
function clientOf({ ca, cert, key }: TlsMaterial): Deno.HttpClient {
  const caCerts = [ca ?? systemAuthorities()].filter((pem) => pem !== "");
  const pair = cert === null || key === null ? {} : { cert, key };
  return Deno.createHttpClient({ caCerts, http2: false, ...pair });
}
