import { operationDocument } from "../core/operations.ts";
import type { Call } from "./call.ts";
import type { ApiContext } from "./context.ts";
import { OperationDesk } from "./operation_desk.ts";
import { jsonReply, textReply } from "./reply.ts";
import type { HttpReply } from "./reply.ts";

/** What operators ordered of this member, and what became of it. */
export class OperationsApi {
  readonly #context: ApiContext;
  readonly #desk: OperationDesk;

  constructor(context: ApiContext) {
    this.#context = context;
    this.#desk = new OperationDesk(context);
  }

  /** `/operations/<id>`: one of them, 404 when it is unknown; `/operations`: all that are kept, newest first. */
  do_GET_operations({ path }: Call): HttpReply {
    const [, id = ""] = /^\/operations\/([^/]+)\/?$/.exec(path) ?? [];
    if (id === "") {
      const { operations } = this.#context.board.state();
      return jsonReply({ operations: operations.map(operationDocument) });
    }
    const operation = this.#desk.find(id);
    return operation === null
      ? textReply("no such operation", 404)
      : jsonReply(operationDocument(operation));
  }
}
