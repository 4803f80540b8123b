import { Refused } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { traced } from "../base/log_event.ts";
import { createApp } from "./app.ts";
import type { ApiContext } from "./context.ts";
import { textReply } from "./reply.ts";
import type { HttpReply } from "./reply.ts";

/** Where to listen and what to serve. */
export interface ApiOptions {
  /** `*` is every address; port 0 picks a free one. */
  readonly listen: { readonly hosts: readonly string[]; readonly port: number };
  readonly context: ApiContext;
}

/** A running REST API. */
export interface RunningApi {
  readonly port: number;
  /** Ends after the requests in work, or soon without them. */
  shutdown(): Promise<void>;
}

/** Silent clients must not hold up the end of the agent. */
const SHUTDOWN_MS = 2000;

/** Serves the API on every address. Throws `Refused` when one cannot be had (port in use); then none is served. */
export async function startApi(options: ApiOptions): Promise<RunningApi> {
  const { listen, context } = options;
  const app = createApp(context);
  const closing = new AbortController();
  const cutting = new AbortController();
  const servers: HttpServer[] = [];
  let port = listen.port;
  try {
    for (const host of listen.hosts) {
      const server = listenOn({
        host,
        port,
        log: context.log,
        serve: (request) => app(request, closing.signal),
        cutting: cutting.signal,
      });
      servers.push(server);
      port = server.addr.port;
    }
  } catch (error) {
    await closeAll(servers, { closing, cutting });
    throw error;
  }
  return { port, shutdown: () => closeAll(servers, { closing, cutting }) };
}

type HttpServer = Deno.HttpServer<Deno.NetAddr>;

interface Listener {
  readonly host: string;
  readonly port: number;
  readonly log: Log;
  readonly serve: (request: Request) => Promise<HttpReply>;
  /** Closes every connection at once. */
  readonly cutting: AbortSignal;
}

/** The two steps of an end: handlers stop waiting, then connections are cut. */
interface Ending {
  readonly closing: AbortController;
  readonly cutting: AbortController;
}

function listenOn(listener: Listener): HttpServer {
  if (listener.host !== "*") return serveOn(listener, bareHost(listener.host));
  try {
    return serveOn(listener, "::"); // one socket for both families
  } catch (error) {
    if (error instanceof Refused && error.code === "AddrInUse") throw error;
    return serveOn(listener, "0.0.0.0"); // a kernel without IPv6
  }
}

function serveOn({ port, log, serve, cutting }: Listener, hostname: string): HttpServer {
  try {
    return Deno.serve({
      hostname,
      port,
      signal: cutting,
      onListen: ({ port }) => log.info(`REST API listens on ${hostname}:${port}`),
      onError: (error) => {
        log.error(`Cannot answer a request: ${String(error)}`, traced(error));
        return textReply("internal error", 500);
      },
    }, serve);
  } catch (cause) {
    const [name, text] = cause instanceof Error ? [cause.name, cause.message] : ["", String(cause)];
    throw new Refused(`Cannot listen on ${hostname}:${port}: ${text}`, name, { cause });
  }
}

/** Brackets of an IPv6 address belong to URLs, not to sockets. */
function bareHost(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

async function closeAll(
  servers: readonly HttpServer[],
  { closing, cutting }: Ending,
): Promise<void> {
  closing.abort(new DOMException("the agent ends", "AbortError"));
  const timer = setTimeout(() => cutting.abort(), SHUTDOWN_MS);
  try {
    await Promise.all(servers.map((server) => server.shutdown()));
  } finally {
    clearTimeout(timer);
  }
}
