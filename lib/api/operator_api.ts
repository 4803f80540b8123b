import { within } from "../base/deadline.ts";
import type { JsonObject } from "../base/json.ts";
import { handoverUnknown } from "../core/handover_outcome.ts";
import type { WrittenHandover } from "../core/handover_outcome.ts";
import { judgeHandover } from "../core/requests.ts";
import type { Handover, HandoverRequest, HandoverVerdict } from "../core/requests.ts";
import { printMoment } from "../core/schedule.ts";
import type { WriteResult } from "../dcs/port.ts";
import { readObject } from "./bodies.ts";
import type { Call } from "./call.ts";
import { readCluster } from "./cluster_api.ts";
import type { ApiContext } from "./context.ts";
import { settingsOf } from "./facts.ts";
import { acceptedReply, OperationDesk, operationReply, prefersAsync } from "./operation_desk.ts";
import { textReply } from "./reply.ts";
import type { HttpReply } from "./reply.ts";

const ASK_PEERS_MS = 2500;

/** What operators order. Handlers judge, write the wish into the store, wake the loop, and watch the board. */
export class OperatorApi {
  readonly #context: ApiContext;
  readonly #desk: OperationDesk;

  constructor(context: ApiContext) {
    this.#context = context;
    this.#desk = new OperationDesk(context);
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
    return await this.#follow({ handover, readRevision: request.cluster.revision, revision }, call);
  }

  /** The operation ends with what the loop sees of the store; the store itself is not polled from here. */
  async #follow(written: WrittenHandover, call: Call): Promise<HttpReply> {
    const { action, scheduledAtMs: scheduledMs } = written.handover;
    if (scheduledMs !== null && written.revision === null) {
      return textReply("status unknown: the store gave no answer", 503);
    }
    const begun = scheduledMs === null
      ? { state: "running", startedMs: this.#context.clock.wallMs() } as const
      : {};
    const operation = this.#desk.begin({ kind: action, handover: written, scheduledMs, ...begun });
    if (prefersAsync(call)) return acceptedReply(operation);
    if (scheduledMs !== null) return operationReply(operation, 202, "Switchover scheduled");
    const limitS = this.#limitS();
    const reply = await this.#desk.end(operation, call, limitS * 1000);
    if (reply !== null) return reply;
    const { status, text } = handoverUnknown(written.handover, limitS);
    return operationReply(operation, status, text);
  }

  #limitS(): number {
    const { board, handoverLimitS } = this.#context;
    return handoverLimitS ?? 2 * Math.max(10, settingsOf(board.state()).loopWaitS);
  }

  /** Takes the scheduled switchover back, whoever is to carry it out. */
  async do_DELETE_switchover({ closing }: Call): Promise<HttpReply> {
    const { dcs, mailbox } = this.#context;
    const { handover } = await readCluster(this.#context, closing);
    if (handover === null || handover.scheduledAtMs === null) {
      return textReply("no switchover is scheduled", 404);
    }
    using deadline = within(settingsOf(this.#context.board.state()).retryTimeoutS * 1000, closing);
    const result = await dcs.clearHandover(handover.revision, deadline.signal);
    if (result.kind === "refused") return textReply("the request was changed meanwhile", 409);
    if (result.kind === "unknown") {
      return textReply(`status unknown: the store gave no answer (${result.why})`, 503);
    }
    mailbox.wake("the scheduled switchover was deleted");
    const planned = this.#desk.open("switchover", "planned");
    const end = { state: "refused", why: "deleted by an operator", reply: null } as const;
    if (planned?.handover?.revision === handover.revision) this.#desk.settle(planned, end);
    return textReply("scheduled switchover deleted", 200);
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
    { leader, candidate, scheduledAtMs }: Handover,
    closing: AbortSignal,
  ): Promise<WriteResult> {
    const { dcs, board } = this.#context;
    const revision = cluster.handover?.revision ?? 0n;
    using deadline = within(settingsOf(board.state()).retryTimeoutS * 1000, closing);
    const scheduledAt = scheduledAtMs === null ? null : printMoment(scheduledAtMs);
    const wish = { leader, candidate, scheduledAt };
    return await dcs.writeHandover(wish, revision, deadline.signal);
  }
}
