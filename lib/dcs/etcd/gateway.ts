import type { Clock } from "../../base/clock.ts";
import { within } from "../../base/deadline.ts";
import { DcsUnreachable, Refused } from "../../base/errors.ts";
import type { HttpFetch } from "../../base/http.ts";
import type { JsonObject } from "../../base/json.ts";
import { unreachable } from "../../base/never.ts";
import type { StoreHealth } from "../port.ts";
import { classify, TermGuard, whySilent } from "./answer.ts";
import type { Answer } from "./answer.ts";
import { callEnd } from "./call_end.ts";
import type { CallEnd } from "./call_end.ts";
import { Endpoints } from "./endpoints.ts";
import { EtcdLogin } from "./login.ts";
import type { EtcdUser, Login } from "./login.ts";
import { memberOf, OneCluster } from "./one_cluster.ts";
import type { EtcdMember } from "./one_cluster.ts";

/** Where etcd is and how to log in. */
export interface GatewayOptions extends EtcdUser {
  /** `http://host:port` or `https://host:port` each. */
  readonly endpoints: readonly string[];
  /** Milliseconds that one endpoint may take in the first round; each further round doubles them. */
  readonly endpointMs: () => number;
  readonly clock: Clock;
  /** Carries the certificates; absent: plain `fetch`. */
  readonly fetch?: HttpFetch;
  /** Told of every request that ended, streams left out. */
  readonly onCallEnd?: (end: CallEnd) => void;
}

/** One request that is safe to repeat: read, guarded by a compare, or the same when done twice. */
export interface Call {
  /** `/v3/kv/range` and so on. */
  readonly path: string;
  readonly body: JsonObject;
}

/** A server stream and the endpoint it comes from. */
export interface OpenStream {
  readonly url: string;
  readonly body: ReadableStream<Uint8Array>;
}

/** etcd answers it without a login and without a right, and with "no leader" where there is none. */
const WHO: Call = { path: "/v3/cluster/member/list", body: {} };
/** The most that one endpoint may take for it. */
const WHO_MS = 1000;

const PAUSE_MIN_MS = 100;
const PAUSE_MAX_MS = 1000;

/**
 * etcd's v3 JSON gateway by `fetch`. Every call may go to several endpoints until its signal ends, so it must be
 * safe to repeat. Deno's `fetch` obeys HTTP_PROXY: where that is set, NO_PROXY must name the endpoints; and it
 * refuses the WHATWG "bad ports" (6000, 2049 and others) with a message of its own.
 */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #endpoints: Endpoints;
  readonly #terms = new TermGuard();
  readonly #cluster: OneCluster;
  readonly #login: EtcdLogin;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#endpoints = new Endpoints(options.endpoints, options.clock);
    this.#cluster = new OneCluster({
      urls: this.#endpoints.inOrder(),
      clock: options.clock,
      ask: (url, signal) => this.#memberAt(url, signal),
    });
    this.#login = new EtcdLogin(options, (body, signal) => this.#authenticate(body, signal));
  }

  /** The body of a good answer. Throws `Refused` for the closed list of refusals, else `DcsUnreachable`. */
  async call(call: Call, signal: AbortSignal): Promise<JsonObject> {
    const first = await this.#callLoggedIn(call, signal);
    if (first.kind === "good") return first.body;
    if (!this.#login.isWanted) {
      throw new Refused(`etcd demands a login: ${first.message}`);
    }
    const second = await this.#callLoggedIn(call, signal);
    if (second.kind === "good") return second.body;
    throw new DcsUnreachable(`Cannot log in to etcd: ${second.message}`);
  }

  /** Opens a stream at the preferred endpoint, one try; throws `DcsUnreachable`. */
  async open(call: Call, signal: AbortSignal): Promise<OpenStream> {
    const login = await this.#loggedIn(signal);
    const url = this.#endpoints.inOrder()[0] ?? "";
    const { status, body } = await this.#openAt(url, call, login, signal);
    if (status === 200 && body !== null) return { url, body };
    await body?.cancel();
    this.forgetLogin();
    throw new DcsUnreachable(`Cannot watch ${url}: HTTP ${status}`);
  }

  /** Looks from time to time, until `signal` aborts, whether the endpoints are one etcd. */
  watchMembers(signal: AbortSignal): Promise<void> {
    return this.#cluster.watch(signal);
  }

  /** Calls `listener` at each failure at `url` until it is disposed: a stream learns that its far end may hang. */
  onFailure(url: string, listener: () => void): Disposable {
    return this.#endpoints.onFailure(url, listener);
  }

  /** The next call logs in again. */
  forgetLogin(): void {
    this.#login.forget();
  }

  /**
   * Logs in as another user, or by another password, from now on: null when that may make the call `proof`, else why the
   * login from before goes on; then each login tries the new one first.
   */
  relogin(user: EtcdUser, proof: Call, signal: AbortSignal): Promise<string | null> {
    const prove = async (login: Login, limit: AbortSignal): Promise<void> => {
      const answer = await this.#rotate(proof, login, limit);
      if (answer.kind === "login-needed") throw new Refused(answer.message);
    };
    return this.#login.take(user, prove, signal);
  }

  /** The endpoints as they answered last. */
  health(): StoreHealth {
    return this.#endpoints.health();
  }

  /** The limit ends with the head of the answer; the stream itself goes on as long as `signal` lets it. */
  async #openAt(url: string, call: Call, login: Login, signal: AbortSignal): Promise<Response> {
    using limit = within(this.#options.endpointMs());
    try {
      return await this.#post(url, call, login, AbortSignal.any([signal, limit.signal]));
    } catch (error) {
      const why = whySilent(error);
      if (!signal.aborted) this.#endpoints.noteFailure(url, why);
      throw new DcsUnreachable(`Cannot watch ${url}: ${why}`, { cause: error });
    }
  }

  async #callLoggedIn(call: Call, signal: AbortSignal): Promise<GoodOrLogin> {
    const login = await this.#loggedIn(signal);
    const answer = await this.#rotate(call, login, signal);
    if (answer.kind === "login-needed") this.#login.forget(login);
    return answer;
  }

  async #loggedIn(signal: AbortSignal): Promise<Login> {
    await this.#demandOneCluster(signal); // before endpoints are put in order: it finds silent ones
    return await this.#login.current(signal);
  }

  async #authenticate(body: JsonObject, signal: AbortSignal): Promise<string> {
    const call = { path: "/v3/auth/authenticate", body };
    const answer = await this.#rotate(call, { token: null }, signal);
    if (answer.kind === "good") return String(answer.body["token"] ?? "");
    throw new DcsUnreachable(`Cannot log in to etcd: ${answer.message}`);
  }

  /** Round after round over the endpoints, with pauses that grow, until one proves something or the signal ends. */
  async #rotate(call: Call, login: Login, signal: AbortSignal): Promise<GoodOrLogin> {
    let last: readonly Failed[] = [];
    for (let round = 0; !signal.aborted; round++) {
      const answer = await this.#round(call, login, { round, signal });
      if (!Array.isArray(answer)) return answer;
      last = answer.length === 0 ? last : answer;
      // A store restored from a backup starts its terms anew under the same cluster id: then all of it is "behind".
      const behind = answer.filter((failed) => failed.kind === "outdated");
      if (behind.length === this.#options.endpoints.length) this.#terms.forget();
      await this.#options.clock.sleep(pauseMs(round), signal);
    }
    throw new DcsUnreachable(`Cannot reach etcd: ${last.at(-1)?.why ?? "no time left"}`);
  }

  /** Asks one endpoint after the other; the failures of all of them when none proved anything. */
  async #round(call: Call, login: Login, turn: Turn): Promise<GoodOrLogin | Failed[]> {
    const failures: Failed[] = [];
    for (const url of this.#endpoints.inOrder()) {
      await this.#demandOneCluster(turn.signal);
      if (turn.signal.aborted) break;
      const answer = await this.#ask(url, call, login, turn);
      if (isProof(answer)) return provenOrThrow(answer);
      failures.push({ kind: answer.kind, why: `${url}: ${answer.why}` });
    }
    return failures;
  }

  async #ask(url: string, call: Call, login: Login, turn: Turn): Promise<Answer> {
    using limit = within(this.#options.endpointMs() * 2 ** Math.min(turn.round, 8), turn.signal);
    const heard = await this.#exchange(url, call, login, limit.signal);
    const answer = await this.#judged(url, heard.answer, turn.signal);
    this.#options.onCallEnd?.(callEnd(heard.tookMs, answer, limit.signal.aborted));
    if (isProof(answer)) this.#endpoints.noteGood(url);
    else this.#endpoints.noteFailure(url, answer.why);
    return answer;
  }

  /** Before each request, so that a write is not tried at one etcd after the other. */
  async #demandOneCluster(signal: AbortSignal): Promise<void> {
    const fault = await this.#cluster.fault(signal);
    if (fault !== null) throw new DcsUnreachable(`Cannot use etcd: ${fault}`);
  }

  async #memberAt(url: string, signal: AbortSignal): Promise<EtcdMember | null> {
    using limit = within(Math.min(this.#options.endpointMs(), WHO_MS), signal);
    const { answer, tookMs } = await this.#exchange(url, WHO, { token: null }, limit.signal);
    this.#options.onCallEnd?.(callEnd(tookMs, answer, limit.signal.aborted));
    const isSilent = answer.kind === "unusable" && answer.isSilent === true;
    if (isSilent && !signal.aborted) this.#endpoints.noteFailure(url, answer.why);
    return answer.kind === "good" ? memberOf(answer.body) : null;
  }

  async #exchange(url: string, call: Call, login: Login, signal: AbortSignal): Promise<Heard> {
    const askedMs = performance.now();
    const answer = await this.#answerOf(url, call, login, signal);
    return { answer, tookMs: performance.now() - askedMs };
  }

  async #answerOf(url: string, call: Call, login: Login, signal: AbortSignal): Promise<Answer> {
    try {
      const response = await this.#post(url, call, login, signal);
      return classify(response.status, await response.text());
    } catch (error) {
      return { kind: "unusable", why: whySilent(error), isSilent: true };
    }
  }

  #post(url: string, call: Call, login: Login, signal: AbortSignal): Promise<Response> {
    return (this.#options.fetch ?? fetch)(url + call.path, messageOf(call, login, signal));
  }

  async #judged(url: string, answer: Answer, signal: AbortSignal): Promise<Answer> {
    if (answer.kind !== "good") return answer;
    const fault = await this.#cluster.faultOf(url, answer.body, signal);
    if (fault !== null) return { kind: "unusable", why: fault };
    if (this.#terms.accepts(answer.body)) return answer;
    return { kind: "outdated", why: "its raft term is older than one seen before" };
  }
}

/** An answer, and how long it took. */
interface Heard {
  readonly answer: Answer;
  readonly tookMs: number;
}

/** Which round over the endpoints it is, and how long the whole call may take. */
interface Turn {
  readonly round: number;
  readonly signal: AbortSignal;
}

type Failed = Extract<Answer, { kind: "unusable" | "outdated" }>;
type Proof = Exclude<Answer, Failed>;
type GoodOrLogin = Extract<Answer, { kind: "good" | "login-needed" }>;

function isProof(answer: Answer): answer is Proof {
  return answer.kind !== "unusable" && answer.kind !== "outdated";
}

function provenOrThrow(answer: Proof): GoodOrLogin {
  switch (answer.kind) {
    case "good":
    case "login-needed":
      return answer;
    case "refused":
      throw new Refused(`etcd refused: ${answer.message}`, answer.code);
    default:
      return unreachable(answer);
  }
}

/** Up to half of the pause is random, so that members do not knock in step. */
function pauseMs(round: number): number {
  const fullMs = Math.min(PAUSE_MIN_MS * 2 ** Math.min(round, 8), PAUSE_MAX_MS);
  return fullMs * (0.5 + Math.random() / 2);
}

/**
 * `hasleader` makes a member without a leader answer at once (etcd 3.4: 1.6 ms instead of 7 s). The token goes bare:
 * etcd refuses `Bearer`. A redirect is no answer of etcd, so it is not followed.
 */
function messageOf(call: Call, login: Login, signal: AbortSignal): RequestInit {
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "grpc-metadata-hasleader": "true",
    ...(login.token === null ? {} : { authorization: login.token }),
  };
  const body = JSON.stringify(call.body);
  return { method: "POST", headers, body, signal, redirect: "manual" };
}
