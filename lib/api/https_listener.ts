import type { Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { joinHostPort } from "../base/http.ts";
import type { Log } from "../base/log.ts";
import { traced } from "../base/log_event.ts";
import type { TlsMaterial } from "../net/tls.ts";
import type { TlsSource } from "../net/tls_source.ts";
import { plainAddress } from "./access.ts";
import type { Caller } from "./access.ts";
import { connectionsMax } from "./crowd.ts";
import { ClientCertificates } from "./client_certificates.ts";
import { cannotListen } from "./listener.ts";
import type { Listener, ListenerOptions } from "./listener.ts";
import { messageOf, sendReply } from "./node_messages.ts";
import { textReply } from "./reply.ts";

/** The server's end of TLS. */
export interface ServerTls {
  readonly source: TlsSource;
  /** Whether clients are asked for a certificate; "required": without one there is no connection at all. */
  readonly verifyClient: "none" | "optional" | "required";
}

/** Bounds for clients that are slow or silent; each costs a socket until then and nothing else. */
const HANDSHAKE_MS = 5000;
const HEADERS_MS = 5000;
const REQUEST_MS = 15_000;
const CHECK_MS = 1000;

/** Failed handshakes (scanners, probes by plain TCP) are told at most this often. */
const COMPLAIN_EVERY_MS = 60_000;

/** HTTPS by Node's server, since `Deno.serve` knows no client certificates. Rejects with `Refused`. */
export async function listenHttps(options: ListenerOptions, tls: ServerTls): Promise<Listener> {
  const { host, port, log } = options;
  const { verifyClient } = tls;
  const server = await serverOf(options, tls);
  const work = new RequestsInWork(server);
  const clients = new ClientCertificates(tls.source.present.ca);
  server.on("secureConnection", (socket) => clients.welcome(socket));
  const who = (socket: Socket): Caller | null => {
    const caller = callerOf(socket, verifyClient, clients);
    return verifyClient === "required" && caller.certificate === "missing" ? null : caller;
  };
  server.on("request", (message, response) => work.track(answer(options, who, message, response)));
  server.on("clientError", (_error, socket) => socket.destroy());
  complainSeldom(server, log);
  const bound = await listening(server, options).catch((cause: unknown) => {
    throw cannotListen(host, port, cause);
  });
  server.on("error", (error) => log.error(`The REST API has a fault: ${error.message}`));
  log.info(`REST API listens on ${joinHostPort(host, bound)} by HTTPS`);
  return {
    port: bound,
    renew: (material): void => {
      server.setSecureContext(pairOf(material));
      clients.trust(material.ca);
    },
    close: (graceMs) => work.close(graceMs),
  };
}

async function serverOf(
  { host, port }: ListenerOptions,
  { source, verifyClient }: ServerTls,
): Promise<Server> {
  const { createServer } = await import("node:https"); // a megabyte that a member without TLS does not need
  try {
    return createServer({
      ...pairOf(source.present),
      requestCert: verifyClient !== "none",
      rejectUnauthorized: verifyClient === "required",
      handshakeTimeout: HANDSHAKE_MS,
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: CHECK_MS,
    });
  } catch (cause) {
    throw cannotListen(host, port, cause); // a kind of key that TLS does not take
  }
}

function pairOf({ ca, cert, key }: TlsMaterial): { cert: string; key: string; ca?: string } {
  return { cert: cert ?? "", key: key ?? "", ...(ca === null ? {} : { ca }) };
}

function listening(server: Server, { host, port, backlog }: ListenerOptions): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.once("error", reject);
  server.listen({ host, port, ...(backlog === null ? {} : { backlog }) }, () => {
    server.off("error", reject);
    const address = server.address();
    resolve(typeof address === "object" && address !== null ? address.port : port);
  });
  return promise;
}

/** `who`: null for one who must not even be answered. Never rejects. */
async function answer(
  { log, serve }: ListenerOptions,
  who: (socket: Socket) => Caller | null,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const caller = who(message.socket);
    if (caller === null) return void message.socket.destroy();
    const request = messageOf(message);
    const reply = request === null ? textReply("Bad Request", 400) : await serve(request, caller);
    await sendReply(reply, message, response);
  } catch (error) {
    log.error(`Cannot answer a request: ${String(error)}`, traced(error));
    response.destroy();
  }
}

function callerOf(
  socket: Socket,
  verifyClient: ServerTls["verifyClient"],
  clients: ClientCertificates,
): Caller {
  const asked = verifyClient !== "none";
  const certificate = clients.isProven(socket) ? "verified" : "missing";
  return {
    address: plainAddress(socket.remoteAddress ?? ""),
    scheme: "https",
    certificate: asked ? certificate : "not asked",
  };
}

function complainSeldom(server: Server, log: Log): void {
  let toldMs = -COMPLAIN_EVERY_MS;
  server.on("tlsClientError", (error) => {
    if (performance.now() - toldMs < COMPLAIN_EVERY_MS) return;
    toldMs = performance.now();
    log.info(`A client of the REST API could not make a TLS connection: ${error.message}`);
  });
}

/**
 * Knows when the last request has ended; sockets without one are nobody's loss. In a flood of connections the oldest
 * one makes room for the newest: an honest client is served in milliseconds.
 */
class RequestsInWork {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #work = new Set<Promise<void>>();
  readonly #most = connectionsMax();

  constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket: Socket) => {
      const [oldest] = this.#sockets;
      if (this.#sockets.size >= this.#most) oldest?.destroy();
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  track(work: Promise<void>): void {
    this.#work.add(work);
    work.finally(() => this.#work.delete(work));
  }

  async close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, graceMs);
    while (this.#work.size > 0) {
      const ended = await Promise.race([Promise.all(this.#work), late.promise.then(() => null)]);
      if (ended === null) break;
    }
    clearTimeout(timer);
    this.#server.closeAllConnections();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
