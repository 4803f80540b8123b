import { within } from "../base/deadline.ts";
import { whyNotDetach } from "../core/rules/guards.ts";
import type { Operation } from "../core/operations.ts";
import type { BoardState } from "../runtime/board.ts";
import type { Call } from "./call.ts";
import type { ApiContext } from "./context.ts";
import { settingsOf } from "./facts.ts";
import { acceptedReply, OperationDesk, operationReply, prefersAsync } from "./operation_desk.ts";
import { jsonReply, textReply } from "./reply.ts";
import type { HttpReply } from "./reply.ts";

const RELOADED = { status: 202, text: "reload scheduled" };

/** What concerns the agent process itself. */
export class AgentApi {
  readonly #context: ApiContext;
  readonly #desk: OperationDesk;

  constructor(context: ApiContext) {
    this.#context = context;
    this.#desk = new OperationDesk(context);
  }

  /** Does what SIGHUP does. */
  do_POST_reload(call: Call): HttpReply {
    const { wallMs } = this.#context.clock;
    const operation = this.#desk.begin({ kind: "reload", state: "running", startedMs: wallMs() });
    void this.#reload(operation);
    return prefersAsync(call)
      ? acceptedReply(operation)
      : operationReply(operation, RELOADED.status, RELOADED.text);
  }

  /** Patroni's test aid for Windows; it does nothing elsewhere. */
  do_POST_sigterm(): HttpReply {
    return textReply("shutdown scheduled", 202);
  }

  /**
   * Ends the agent and leaves server, lock and switch to the next process of this member. 200 with the seconds in which
   * that must run (null: nothing presses), 503 when it cannot be done within a loop; then the agent stays.
   */
  async do_POST_detach({ closing }: Call): Promise<HttpReply> {
    const { board, mailbox, clock, log } = this.#context;
    const { loopWaitS } = settingsOf(board.state());
    using deadline = within(Math.max(5, loopWaitS) * 1000, closing);
    const wish = { kind: "detach" } as const;
    mailbox.post(wish);
    const state = await board.waitFor(isLeaving, deadline.signal);
    if (state === null) {
      mailbox.fulfil(wish);
      return textReply(`cannot detach: ${whyStaying(board.state())}`, 503);
    }
    const lease = board.lease();
    const seconds = lease.kind === "held" ? (lease.endsMs - clock.bootMs()) / 1000 : null;
    log.info("Detaching", { seconds });
    return jsonReply({ detached: true, lease_seconds_left: seconds });
  }

  /** Patroni waits for no reload: what came of it is told by the operation alone. */
  async #reload(operation: Operation): Promise<void> {
    const { isTaken, text } = await this.#context.reload();
    this.#desk.settle(
      operation,
      isTaken
        ? { state: "done", why: null, reply: { status: 200, text } }
        : { state: "failed", why: text, reply: { status: 500, text } },
    );
  }
}

function isLeaving({ decision }: BoardState): boolean {
  return decision?.actions.some(({ kind }) => kind === "exit") ?? false;
}

function whyStaying({ view, memory }: BoardState): string {
  if (view === null || memory === null) return "the agent has not looked around yet";
  return whyNotDetach(view, memory) ?? "the loop gave no answer in time";
}
