import { Turnstile } from "../base/turnstile.ts";
import type { TlsSource } from "../net/tls_source.ts";
import { createApp } from "./app.ts";
import type { ApiContext } from "./context.ts";
import { Listeners } from "./listeners.ts";
import type { ListenPlan } from "./listeners.ts";

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
/** Replaced certificates are found without a signal, too. */
const LOOK_EVERY_MS = 5000;

/** Serves the API on every address. Throws `Refused` when one cannot be had (port in use); then none is served. */
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
  const certificates = new FollowedCertificates(listeners);
  certificates.follow(options.tls?.source ?? null);
  const turnstile = new Turnstile();
  return {
    get port(): number {
      return listeners.port;
    },
    reload: (plan) =>
      turnstile.pass(async () => {
        await plan.tls?.source.look();
        await listeners.change(plan, RETIRE_MS);
        certificates.follow(plan.tls?.source ?? null);
      }),
    shutdown: () =>
      turnstile.pass(async () => {
        closing.abort(new DOMException("the agent ends", "AbortError"));
        await certificates.close();
        await listeners.close(SHUTDOWN_MS);
      }),
  };
}

/** Looks at the files now and then, and hands what is new to the listeners. */
class FollowedCertificates {
  readonly #listeners: Listeners;
  #source: TlsSource | null = null;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(listeners: Listeners) {
    this.#listeners = listeners;
    this.#timer = setInterval(() => void this.#source?.look(), LOOK_EVERY_MS);
  }

  follow(source: TlsSource | null): void {
    this.#source = source;
    source?.onRenewed((material) => this.#listeners.renew(material));
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#source?.look(); // one in work ends here
    this.#source?.onRenewed(() => {});
  }
}
