import { DcsUnreachable } from "../base/errors.ts";
import { traced } from "../base/log_event.ts";
import type { AccessRules, Caller } from "./access.ts";
import { Allowlist } from "./allowlist.ts";
import type { Call } from "./call.ts";
import { callOf } from "./call.ts";
import type { ApiContext, ServedContext } from "./context.ts";
import { guard } from "./guard.ts";
import type { Visit } from "./guard.ts";
import { handlersOf } from "./handlers.ts";
import { healthReply } from "./health_api.ts";
import { emptyReply, jsonReply } from "./reply.ts";
import type { HttpReply } from "./reply.ts";
import { isBodiless, route, routesOf } from "./router.ts";
import type { Routes } from "./router.ts";

/** The whole REST API as one function from request to reply; it never throws. */
export type App = (request: Request, closing: AbortSignal, caller: Caller) => Promise<HttpReply>;

/** Builds the API. Throws `TypeError` when two handlers serve the same path and method. */
export function createApp(given: ApiContext): App {
  const context: ServedContext = { ...given, startedMs: given.clock.bootMs() };
  const routes = routesOf(handlersOf(context));
  const allowlist = new Allowlist(context.clock);
  return async (request, closing, caller) => {
    const call = callOf(request, closing);
    const rules = context.access();
    try {
      const refusal = await guard(visitOf(context, call, caller), rules, allowlist);
      return dressed(refusal ?? await serve(context, routes, call), rules, caller);
    } catch (error) {
      return dressed(failureReply(context, call, error), rules, caller);
    }
  };
}

function visitOf({ board }: ServedContext, call: Call, caller: Caller): Visit {
  const { method, path, request } = call;
  const memberUrls = (board.state().cluster?.members ?? []).flatMap(({ apiUrl }) => apiUrl ?? []);
  const authorization = request.headers.get("authorization");
  return { method, path, authorization, caller, memberUrls };
}

async function serve(context: ServedContext, routes: Routes, call: Call): Promise<HttpReply> {
  return healthReply(context, call) ?? await route(routes, call);
}

/** The headers that the operator wants on every answer. */
function dressed(reply: HttpReply, rules: AccessRules, { scheme }: Caller): HttpReply {
  const more = scheme === "https" ? { ...rules.headers, ...rules.httpsHeaders } : rules.headers;
  for (const [name, value] of Object.entries(more)) reply.headers.set(name, value);
  if (rules.serverName !== null) reply.headers.set("server", rules.serverName);
  return reply;
}

/** The border of the API: one bad request must not take the server down, and the caller gets an answer. */
function failureReply(context: ApiContext, call: Call, error: unknown): HttpReply {
  const { method, path } = call;
  const isStore = error instanceof DcsUnreachable;
  const text = error instanceof Error ? error.message : String(error);
  if (isStore) {
    context.log.warn(`Cannot answer ${method} ${path}: the store is unreachable: ${text}`);
  } else context.log.error(`Cannot answer ${method} ${path}: ${text}`, traced(error));
  const status = isStore ? 503 : 500;
  const shown = isStore ? text : "internal error, see the log";
  return isBodiless(method) ? emptyReply(status) : jsonReply({ error: shown }, status);
}
