import type { Json } from "../base/json.ts";
import { AGENT_VERSION } from "../core/version.ts";

/** A `Response`; named so that a handler's result is not mistaken for a web client's. */
export type HttpReply = Response;

const SERVER = `agent/${AGENT_VERSION}`;

/** A JSON document. */
export function jsonReply(
  value: Json,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): HttpReply {
  return new Response(JSON.stringify(value), {
    status,
    headers: { "content-type": "application/json", server: SERVER, ...headers },
  });
}

/** A sentence for people and for `patronictl`; Patroni labels these text/html. */
export function textReply(
  text: string,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): HttpReply {
  return new Response(text, {
    status,
    headers: { "content-type": "text/html", server: SERVER, ...headers },
  });
}

/** Text for machines, as Prometheus wants it. */
export function plainReply(text: string): HttpReply {
  const type = "text/plain; version=0.0.4; charset=utf-8";
  return new Response(text, { headers: { "content-type": type, server: SERVER } });
}

/** A status alone, as load balancers want it. */
export function emptyReply(
  status: number,
  headers: Readonly<Record<string, string>> = {},
): HttpReply {
  return new Response(null, { status, headers: { server: SERVER, ...headers } });
}

/** The same status without body: the answer to HEAD and OPTIONS. */
export async function withoutBody(reply: HttpReply): Promise<HttpReply> {
  await reply.body?.cancel();
  return emptyReply(reply.status);
}
