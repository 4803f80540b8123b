import { within } from "../base/deadline.ts";
import { hasEnded, newOperation, operationDocument } from "../core/operations.ts";
import type { Operation, OperationEnd, OperationKind } from "../core/operations.ts";
import type { Call } from "./call.ts";
import type { ApiContext } from "./context.ts";
import { jsonReply, textReply } from "./reply.ts";
import type { HttpReply } from "./reply.ts";

/** What a handler knows of an operation that it begins. */
export type OperationFields =
  & Partial<Pick<Operation, "scheduledMs" | "handover" | "state" | "startedMs">>
  & { readonly kind: OperationKind };

/** Where handlers begin operations and wait for their ends (lib/api/OPERATIONS.md). */
export class OperationDesk {
  readonly #context: ApiContext;

  constructor(context: ApiContext) {
    this.#context = context;
  }

  /** Puts a new operation on the board and says so in the log; its id is random. */
  begin(fields: OperationFields): Operation {
    const { board, clock, name, log } = this.#context;
    const id = crypto.randomUUID();
    const operation = newOperation({ id, member: name, askedMs: clock.wallMs(), ...fields });
    board.begin(operation);
    const { kind, scheduledMs } = operation;
    const when = scheduledMs === null ? "" : ` at ${new Date(scheduledMs).toISOString()}`;
    log.info(`The operator orders: ${kind}${when}`, { operation: id });
    return operation;
  }

  /** Ends an operation, unless it has ended. */
  settle({ id }: Operation, end: OperationEnd): void {
    this.#context.board.settle(id, end, this.#context.clock.wallMs());
  }

  /** The operation of this id, null when there is none. */
  find(id: string): Operation | null {
    return this.#context.board.state().operations.find((each) => each.id === id) ?? null;
  }

  /** The newest operation of this kind that goes on, planned or at once; null: none. */
  open(kind: OperationKind, when: "planned" | "at once"): Operation | null {
    const { operations } = this.#context.board.state();
    return operations.find((each) =>
      each.kind === kind && !hasEnded(each) && (each.scheduledMs !== null) === (when === "planned")
    ) ?? null;
  }

  /**
   * Waits for the end and answers with its status and text. null: no end within `limitMs`, or the API is shut down; the
   * operation goes on, as it does when the client breaks off.
   */
  async end(operation: Operation, { closing }: Call, limitMs: number): Promise<HttpReply | null> {
    using deadline = within(limitMs, closing);
    const { board } = this.#context;
    await board.waitFor(() => hasEnded(this.#now(operation)), deadline.signal);
    const { reply } = this.#now(operation);
    return reply === null ? null : operationReply(operation, reply.status, reply.text);
  }

  #now(operation: Operation): Operation {
    return this.find(operation.id) ?? operation;
  }
}

/** A text with the operation's id beside it. */
export function operationReply({ id }: Operation, status: number, text: string): HttpReply {
  return textReply(text, status, { "x-operation-id": id });
}

/** 202 and the operation, for a client that does not want to wait. */
export function acceptedReply(operation: Operation): HttpReply {
  const { id } = operation;
  return jsonReply(operationDocument(operation), 202, {
    "x-operation-id": id,
    location: `/operations/${id}`,
    "preference-applied": "respond-async",
  });
}

/** True when the client asked not to be kept waiting (RFC 7240). */
export function prefersAsync({ request }: Call): boolean {
  const wishes = (request.headers.get("prefer") ?? "").toLowerCase().split(",");
  return wishes.some((wish) => wish.split(";", 1)[0]?.trim() === "respond-async");
}
