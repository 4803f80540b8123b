import type { JsonObject } from "../base/json.ts";
import type { Operation } from "../core/operations.ts";
import { readRestart } from "../core/restart_request.ts";
import type { RestartOrder } from "../core/restart_request.ts";
import { judgeReinitialize } from "../core/reinitialize_request.ts";
import { answering } from "../core/server_texts.ts";
import { isPaused } from "../core/sync_duty.ts";
import { readOptionalObject } from "./bodies.ts";
import type { Call } from "./call.ts";
import { readCluster } from "./cluster_api.ts";
import type { ApiContext } from "./context.ts";
import { acceptedReply, OperationDesk, operationReply, prefersAsync } from "./operation_desk.ts";
import { textReply } from "./reply.ts";
import type { HttpReply } from "./reply.ts";

/** A restart has no end of its own where the shutdown takes hours; the client is told where to look then. */
const RESTART_WAIT_MS = 3_600_000;

/** Orders about the local server. Handlers judge the form and post a wish; the loop judges the case and acts. */
export class ServerApi {
  readonly #context: ApiContext;
  readonly #desk: OperationDesk;

  constructor(context: ApiContext) {
    this.#context = context;
    this.#desk = new OperationDesk(context);
  }

  /** Restarts the server now, and waits for the end, or at the time of `schedule`. */
  async do_POST_restart(call: Call): Promise<HttpReply> {
    const body = await readOptionalObject(call.request);
    if (body.kind === "bad") return body.reply;
    const { board, clock } = this.#context;
    const { cluster } = board.state();
    const paused = cluster !== null && isPaused(cluster);
    const verdict = readRestart(body.value, { isPaused: paused, wallMs: clock.wallMs() });
    if (verdict.kind === "refused") return textReply(verdict.text, verdict.status);
    const { order } = verdict;
    return order.atMs === null
      ? await this.#restartNow(order, call)
      : this.#restartLater(order, order.atMs);
  }

  /** Takes the scheduled restart back. */
  do_DELETE_restart(): HttpReply {
    const planned = this.#desk.open("restart", "planned");
    if (planned === null || planned.state === "running") {
      return textReply("no restarts are scheduled", 404);
    }
    this.#context.mailbox.withdraw(planned.id);
    this.#context.mailbox.wake("the scheduled restart was deleted");
    this.#desk.settle(planned, {
      state: "refused",
      why: "deleted by an operator",
      reply: null,
    });
    return operationReply(planned, 200, "scheduled restart deleted");
  }

  /** Replaces this replica by a new copy; answers when that has begun. */
  async do_POST_reinitialize(call: Call): Promise<HttpReply> {
    const body = await readOptionalObject(call.request);
    if (body.kind === "bad") return body.reply;
    const { mailbox, board, name } = this.#context;
    const cluster = await readCluster(this.#context, call.closing);
    const force = Boolean(body.value["force"]);
    const task = board.state().view?.task ?? { kind: "idle" };
    const refusal = judgeReinitialize({ cluster, name, task, force });
    if (refusal !== null) return textReply(refusal.text, refusal.status);
    const running = this.#desk.open("reinitialize", "at once");
    if (running !== null && !force) {
      return operationReply(running, 503, "reinitialize already in progress");
    }
    if (running !== null) this.#replaced(running);
    const operation = this.#desk.begin({ kind: "reinitialize" });
    const fromLeader = readsFromLeader(body.value);
    mailbox.post({ kind: "reinitialize", id: operation.id, force, fromLeader });
    return prefersAsync(call)
      ? acceptedReply(operation)
      : operationReply(operation, 200, "reinitialize started");
  }

  async #restartNow(order: RestartOrder, call: Call): Promise<HttpReply> {
    const { mailbox } = this.#context;
    const running = this.#desk.open("restart", "at once");
    if (running !== null) return operationReply(running, 503, "restart already in progress");
    const { conditions, timeoutS } = order;
    const operation = this.#desk.begin({ kind: "restart" });
    mailbox.post({ kind: "restart", id: operation.id, conditions, timeoutS, schedule: null });
    if (prefersAsync(call)) return acceptedReply(operation);
    const reply = await this.#desk.end(operation, call, RESTART_WAIT_MS);
    const text = `restart status unknown: GET /operations/${operation.id} tells how it goes on`;
    return reply ?? operationReply(operation, 503, text);
  }

  #restartLater(order: RestartOrder, atMs: number): HttpReply {
    const { board, mailbox } = this.#context;
    const { conditions, timeoutS, shown } = order;
    const taken = this.#desk.open("restart", "planned");
    if (taken !== null) return operationReply(taken, 409, "Another restart is already scheduled");
    const { view } = board.state();
    const server = view === null ? null : answering(view.postgres);
    if (server === null) {
      return textReply("the server does not run, so no restart of it can be scheduled", 503);
    }
    const operation = this.#desk.begin({ kind: "restart", scheduledMs: atMs });
    const schedule = { atMs, startTime: server.startTime, shown };
    const { id } = operation;
    mailbox.post({ kind: "scheduled-restart", id, conditions, timeoutS, schedule });
    return operationReply(operation, 202, "Restart scheduled");
  }

  /** A forced one takes the place of the copy that runs, whose task the loop cancels. */
  #replaced(running: Operation): void {
    this.#context.mailbox.withdraw(running.id);
    this.#desk.settle(running, {
      state: "failed",
      why: "another reinitialize was forced",
      reply: null,
    });
  }
}

/** Patroni's documents show a hyphen, its code reads an underscore. */
function readsFromLeader(body: JsonObject): boolean {
  return Boolean(body["from_leader"] ?? body["from-leader"]);
}
