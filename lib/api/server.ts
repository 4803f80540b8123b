import { Turnstile } from "../base/turnstile.ts";
import { Allowlist } from "./allowlist.ts";
import { createApp } from "./app.ts";
import type { ApiContext } from "./context.ts";
import { Listeners } from "./listeners.ts";
import type { ListenPlan } from "./listeners.ts";
import { watchShutOut } from "./shut_out.ts";

/** Where to listen and what to serve. */
export interface ApiOptions extends ListenPlan {
  readonly context: ApiContext;
}

/** A running REST API. */
export interface RunningApi {
  readonly port: number;
  /**
   * Listens as the plan says from now on, and looks at the certificates' files. Requests in work come to their end.
   * Throws `Refused` when an address cannot be had; then everything stays as it was.
   */
  reload(plan: ListenPlan): Promise<void>;
  /** Ends after the requests in work, or soon without them. */
  shutdown(): Promise<void>;
}

/** Silent clients must not hold up the end of the agent. */
const SHUTDOWN_MS = 2000;
/** The longest request is a handover that is waited for. */
const RETIRE_MS = 60_000;

/**
 * Serves the API on every address; certificates that their source renews are used at once. Throws `Refused` when an
 * address cannot be had (port in use); then none is served.
 */
export async function startApi(options: ApiOptions): Promise<RunningApi> {
  const { context } = options;
  const app = createApp(context);
  const closing = new AbortController();
  const listeners = new Listeners({
    log: context.log,
    clock: context.clock,
    serve: (request, caller) => app(request, closing.signal, caller),
  }, options);
  await listeners.start();
  const watching = watchShutOut(context, new Allowlist(context.clock), closing.signal);
  const follow = ({ tls }: ListenPlan): void =>
    tls?.source.onRenewed((material) => listeners.renew(material));
  follow(options);
  const turnstile = new Turnstile();
  return {
    get port(): number {
      return listeners.port;
    },
    reload: (plan) =>
      turnstile.pass(async () => {
        await plan.tls?.source.look();
        await listeners.change(plan, RETIRE_MS);
        follow(plan);
      }),
    shutdown: () =>
      turnstile.pass(async () => {
        closing.abort(new DOMException("the agent ends", "AbortError"));
        await Promise.all([listeners.close(SHUTDOWN_MS), watching]);
      }),
  };
}
