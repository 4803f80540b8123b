import { within } from "../base/deadline.ts";
import type { JsonObject } from "../base/json.ts";
import { handoverEnd, handoverUnknown } from "../core/handover_outcome.ts";
import type { HandoverEnd, WrittenHandover } from "../core/handover_outcome.ts";
import { judgeHandover } from "../core/requests.ts";
import type { Handover, HandoverRequest, HandoverVerdict } from "../core/requests.ts";
import type { WriteResult } from "../dcs/port.ts";
import { readObject } from "./bodies.ts";
import type { Call } from "./call.ts";
import { readCluster } from "./cluster_api.ts";
import type { ApiContext } from "./context.ts";
import { settingsOf } from "./facts.ts";
import { textReply } from "./reply.ts";
import type { HttpReply } from "./reply.ts";

const ASK_PEERS_MS = 2500;

/** What operators order. Handlers judge, write the wish into the store, wake the loop, and watch the board. */
export class OperatorApi {
  readonly #context: ApiContext;

  constructor(context: ApiContext) {
    this.#context = context;
  }

  /** Moves the lock to a named member, also when nobody leads; with `leader` it is a switchover. */
  do_POST_failover(call: Call): Promise<HttpReply> {
    return this.#handover("failover", call);
  }

  /** Moves the lock away from the present leader. */
  do_POST_switchover(call: Call): Promise<HttpReply> {
    return this.#handover("switchover", call);
  }

  async #handover(endpoint: HandoverRequest["endpoint"], call: Call): Promise<HttpReply> {
    const body = await readObject(call.request);
    if (body.kind === "bad") return body.reply;
    const request = await this.#read(endpoint, body.value, call.closing);
    const verdict = await this.#judge(request, call.closing);
    if (verdict.kind === "refused") return textReply(verdict.text, verdict.status);
    if (verdict.kind === "ask-peers") {
      throw new TypeError("Cannot judge a handover: peers were asked");
    }
    const { handover } = verdict;
    const result = await this.#write(request, handover, call.closing);
    if (result.kind === "refused") return textReply("failed to write failover key into DCS", 503);
    this.#context.mailbox.wake(`${handover.action} requested`);
    const revision = result.kind === "done" ? result.revision : null;
    const written = { handover, readRevision: request.cluster.revision, revision };
    const end = await this.#await(written, call.closing);
    this.#context.log.info(`${endpoint} request ended: ${end.text}`, { status: end.status });
    return textReply(end.text, end.status);
  }

  async #read(
    endpoint: HandoverRequest["endpoint"],
    body: JsonObject,
    closing: AbortSignal,
  ): Promise<HandoverRequest> {
    const cluster = await readCluster(this.#context, closing);
    const wallMs = this.#context.clock.wallMs();
    return { endpoint, body, cluster, wallMs, peers: "not asked" };
  }

  async #judge(request: HandoverRequest, closing: AbortSignal): Promise<HandoverVerdict> {
    const first = judgeHandover(request);
    if (first.kind !== "ask-peers") return first;
    using deadline = within(ASK_PEERS_MS, closing);
    const peers = await this.#context.askPeers(first.members, deadline.signal);
    return judgeHandover({ ...request, peers });
  }

  /** Compared with what was judged (0n: no request was there): of two requests at once one is written (F14). */
  async #write(
    { cluster }: HandoverRequest,
    { leader, candidate }: Handover,
    closing: AbortSignal,
  ): Promise<WriteResult> {
    const { dcs, board } = this.#context;
    const revision = cluster.handover?.revision ?? 0n;
    using deadline = within(settingsOf(board.state()).retryTimeoutS * 1000, closing);
    const wish = { leader, candidate, scheduledAt: null };
    return await dcs.writeHandover(wish, revision, deadline.signal);
  }

  /** The loop sees the store's changes and puts them on the board; the store itself is not polled from here. */
  async #await(written: WrittenHandover, closing: AbortSignal): Promise<HandoverEnd> {
    const { board, handoverLimitS } = this.#context;
    const { loopWaitS } = settingsOf(board.state());
    const limitS = handoverLimitS ?? 2 * Math.max(10, loopWaitS);
    using deadline = within(limitS * 1000, closing);
    const state = await board.waitFor(
      ({ cluster }) => cluster !== null && handoverEnd(written, cluster) !== null,
      deadline.signal,
    );
    const end = state?.cluster ? handoverEnd(written, state.cluster) : null;
    return end ?? handoverUnknown(written.handover, limitS);
  }
}
