import { DcsUnreachable } from "../base/errors.ts";
import { traced } from "../base/log_event.ts";
import type { Call } from "./call.ts";
import { callOf } from "./call.ts";
import type { ApiContext, ServedContext } from "./context.ts";
import { guard } from "./guard.ts";
import { handlersOf } from "./handlers.ts";
import { healthReply } from "./health_api.ts";
import { emptyReply, jsonReply } from "./reply.ts";
import type { HttpReply } from "./reply.ts";
import { isBodiless, route, routesOf } from "./router.ts";
import type { Routes } from "./router.ts";

/** The whole REST API as one function from request to reply; it never throws. */
export type App = (request: Request, closing: AbortSignal) => Promise<HttpReply>;

/** Builds the API. Throws `TypeError` when two handlers serve the same path and method. */
export function createApp(given: ApiContext): App {
  const context: ServedContext = { ...given, startedMs: given.clock.bootMs() };
  const routes = routesOf(handlersOf(context));
  return async (request, closing) => {
    const call = callOf(request, closing);
    try {
      return await serve(context, routes, call);
    } catch (error) {
      return failureReply(context, call, error);
    }
  };
}

async function serve(context: ServedContext, routes: Routes, call: Call): Promise<HttpReply> {
  const refusal = guard(call.request, context.authentication);
  if (refusal !== null) return refusal;
  return healthReply(context, call) ?? await route(routes, call);
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
