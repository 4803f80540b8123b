import { Refused } from "../base/errors.ts";
import { joinHostPort } from "../base/http.ts";
import type { Log } from "../base/log.ts";
import { traced } from "../base/log_event.ts";
import { plainAddress } from "./access.ts";
import { connectionsMax, openFiles } from "./crowd.ts";
import { cannotListen } from "./listener.ts";
import type { Listener, ListenerOptions } from "./listener.ts";
import { textReply } from "./reply.ts";

/** A flood of connections must be seen before it takes the last file: some 10,000 of them are made in a second. */
const LOOK_EVERY_MS = 1000;
/** While it may be one that begins; more often at all times would cost an idle host its processor time. */
const LOOK_SOON_MS = 100;
/** An address that was just given back may be held for a moment longer. */
const REOPEN_MS = 20;
/** After so many tries it is told that the address cannot be had. */
const TOLD_AFTER = 50;

/**
 * Plain http by `Deno.serve`: twice as fast as Node's server, and kinder to old clients. It knows no bounds: a silent
 * client stays as long as it likes, and without a free file it ends for good. So it is begun anew when there are too
 * many connections, which lets go of the silent ones, and when it has ended by itself.
 */
export class HttpListener implements Listener {
  readonly port: number;
  readonly #options: ListenerOptions;
  readonly #most = connectionsMax();
  readonly #ending = new Set<Promise<void>>();
  #timer: ReturnType<typeof setTimeout>;
  #server: Deno.HttpServer | null = null;
  #failedTries = 0;

  /** Listens. Throws `Refused`. */
  constructor(options: ListenerOptions) {
    this.#options = options;
    this.port = this.#open(options.port);
    this.#timer = this.#soon(LOOK_EVERY_MS);
  }

  renew(): void {}

  async close(graceMs: number): Promise<void> {
    clearTimeout(this.#timer);
    this.#retire();
    const giveUp = Promise.withResolvers<void>();
    const timer = setTimeout(giveUp.resolve, graceMs);
    await Promise.race([Promise.all(this.#ending), giveUp.promise]);
    clearTimeout(timer);
  }

  #open(wanted: number): number {
    const { host, log } = this.#options;
    try {
      const server = serverOf({ ...this.#options, port: wanted });
      this.#server = server;
      this.#follow(server);
      const { port } = server.addr;
      log.info(`REST API listens on ${joinHostPort(host, port)}`);
      return port;
    } catch (cause) {
      throw cannotListen(host, wanted, cause);
    }
  }

  #follow(server: Deno.HttpServer<Deno.NetAddr>): void {
    const ended = server.finished.catch((error) => {
      this.#options.log.error(`The REST API has ended by itself: ${String(error)}`);
      if (this.#server === server) this.#retire();
    }).finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }

  /** Gives the address back and lets go of the silent clients; requests in work come to their end. */
  #retire(): void {
    this.#server?.shutdown().catch(() => {}); // `finished` tells it
    this.#server = null;
  }

  #soon(ms: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#timer = this.#soon(this.#look()), ms);
  }

  /** Milliseconds to the next look. */
  #look(): number {
    const { log } = this.#options;
    const files = openFiles();
    if (this.#server === null) this.#reopen();
    else if (files > this.#most) {
      log.warn(`Too many connections, ${files} open files: the silent clients are cut off`);
      this.#retire();
    }
    if (this.#server === null) return REOPEN_MS;
    return files > this.#most / 4 ? LOOK_SOON_MS : LOOK_EVERY_MS;
  }

  #reopen(): void {
    try {
      this.#open(this.port);
      this.#failedTries = 0;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#failedTries++;
      if (this.#failedTries === TOLD_AFTER) this.#options.log.error(error.message);
    }
  }
}

function serverOf(
  { host, port, backlog, log, serve }: ListenerOptions,
): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({
    hostname: host,
    port,
    ...(backlog === null ? {} : { tcpBacklog: backlog }),
    onListen: () => {},
    onError: (error) => answerToFault(log, error),
  }, (request, { remoteAddr }) => {
    const address = plainAddress(remoteAddr.hostname);
    return serve(request, { address, scheme: "http", certificate: "not asked" });
  });
}

function answerToFault(log: Log, error: unknown): Response {
  log.error(`Cannot answer a request: ${String(error)}`, traced(error));
  return textReply("internal error", 500);
}
