import { HEALTH_CHECKS } from "../core/health.ts";
import type { HealthCheck } from "../core/health.ts";
import { decodeHealthQuery } from "../core/health_query.ts";
import { statusDocument } from "../core/status_document.ts";
import type { Call } from "./call.ts";
import type { ServedContext } from "./context.ts";
import { factsOf } from "./facts.ts";
import { emptyReply, jsonReply } from "./reply.ts";
import type { HttpReply } from "./reply.ts";
import { isBodiless } from "./router.ts";

/** Probes of machines that read nothing but the status. */
const BODILESS: readonly string[] = ["liveness", "readiness"];

/**
 * The answer to a health check: 200 or 503, with the status document for GET (spec 3.2); 405 for other methods. null:
 * the path is none. Paths match exactly; one slash at the end is allowed.
 */
export function healthReply(context: ServedContext, call: Call): HttpReply | null {
  const name = call.path.slice(1).replace(/(.)\/$/, "$1");
  const check = Object.hasOwn(HEALTH_CHECKS, name) ? HEALTH_CHECKS[name] : undefined;
  if (check === undefined) return null;
  const isGet = call.method === "GET";
  if (!isGet && !isBodiless(call.method)) return emptyReply(405, { allow: "GET, HEAD, OPTIONS" });
  return judged(context, call, { check, bodiless: !isGet || BODILESS.includes(name) });
}

interface Probe {
  readonly check: HealthCheck;
  readonly bodiless: boolean;
}

function judged(context: ServedContext, call: Call, { check, bodiless }: Probe): HttpReply {
  const query = decodeHealthQuery(call.search);
  for (const fault of query.faults) {
    context.log.debug("Cannot use a parameter of a health check", { path: call.path, fault });
  }
  const facts = factsOf(context);
  const status = check(facts, query) ? 200 : 503;
  return bodiless ? emptyReply(status) : jsonReply(statusDocument(facts), status);
}
