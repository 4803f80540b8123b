import type { Call, Handler } from "./call.ts";
import { emptyReply, textReply, withoutBody } from "./reply.ts";
import type { HttpReply } from "./reply.ts";

/** Handlers by first path segment (`-` read as `_`), then by method. */
export type Routes = ReadonlyMap<string, ReadonlyMap<string, Handler>>;

const NAME = /^do_([A-Z]+)_([a-z][a-z0-9_]*)$/;

/**
 * Builds the table from method names: `do_POST_switchover` serves `POST /switchover`. Throws `TypeError` when two
 * objects serve the same, so that a clash is seen at start.
 */
export function routesOf(owners: readonly object[]): Routes {
  const routes = new Map<string, Map<string, Handler>>();
  for (const owner of owners) {
    for (const name of methodNames(owner)) addRoute(routes, owner, name);
  }
  return routes;
}

/** Routes one call: 404 for an unknown path, 405 for a known one with another method; HEAD and OPTIONS follow GET. */
export async function route(routes: Routes, call: Call): Promise<HttpReply> {
  const handlers = routes.get(segmentOf(call.path));
  if (handlers === undefined) return textReply("Not Found", 404);
  const exact = handlers.get(call.method);
  if (exact !== undefined) return await exact(call);
  const get = handlers.get("GET");
  if (get !== undefined && isBodiless(call.method)) return await withoutBody(await get(call));
  return emptyReply(405, { allow: [...handlers.keys()].join(", ") });
}

/** HEAD and OPTIONS: load balancers probe with them. */
export function isBodiless(method: string): boolean {
  return method === "HEAD" || method === "OPTIONS";
}

/** The first path segment in the form of handler names: `/read-only/x` is `read_only`. */
function segmentOf(path: string): string {
  const [segment = ""] = path.slice(1).split("/", 1);
  return segment.replaceAll("-", "_");
}

function addRoute(
  routes: Map<string, Map<string, Handler>>,
  owner: object,
  name: string,
): void {
  const [, method, segment] = NAME.exec(name) ?? [];
  if (method === undefined || segment === undefined) return;
  const value: unknown = Reflect.get(owner, name);
  if (!isHandler(value)) return;
  const handlers = routes.get(segment) ?? new Map<string, Handler>();
  if (handlers.has(method)) throw new TypeError(`Cannot route "${name}": it is served twice`);
  routes.set(segment, handlers.set(method, (call) => value.call(owner, call)));
}

function methodNames(owner: object): readonly string[] {
  const prototype: unknown = Object.getPrototypeOf(owner);
  const inherited = typeof prototype === "object" && prototype !== null
    ? Object.getOwnPropertyNames(prototype)
    : [];
  return [...new Set([...Object.getOwnPropertyNames(owner), ...inherited])];
}

function isHandler(value: unknown): value is Handler {
  return typeof value === "function";
}
