import { DcsUnreachable } from "../base/errors.ts";
import type { JsonObject } from "../base/json.ts";
import type { Log } from "../base/log.ts";
import type { Memory } from "../core/memory.ts";
import type { NodeView } from "../core/node_view.ts";
import { memberRecord } from "../core/publish.ts";
import type { Dcs } from "../dcs/port.ts";
import type { LeaseKeeper } from "./lease_keeper.ts";

/** What the writer needs. */
export interface MemberWriterOptions {
  readonly dcs: Pick<Dcs, "writeMember">;
  readonly keeper: Pick<LeaseKeeper, "sessionLease">;
  readonly log: Log;
}

/** Writes this member's record, only when its content or lease differ from what the store is known to have. */
export class MemberWriter {
  readonly #options: MemberWriterOptions;
  #stored = "";

  constructor(options: MemberWriterOptions) {
    this.#options = options;
  }

  /** Publishes what the view shows; without a store it waits for the next tick. */
  async write(view: NodeView, memory: Memory, signal: AbortSignal): Promise<void> {
    if (view.cluster.kind !== "seen") return;
    const { dcs, keeper, log } = this.#options;
    const { name } = view.self;
    try {
      const lease = await keeper.sessionLease(signal);
      const json: JsonObject = memberRecord(view, memory);
      const wanted = `${lease} ${JSON.stringify(json)}`;
      const isThere = view.cluster.members.some((member) => member.name === name);
      if (isThere && wanted === this.#stored) return;
      this.#stored = ""; // until the store has said yes, nothing is known
      const result = await dcs.writeMember(name, json, lease, signal);
      if (result.kind === "done") this.#stored = wanted;
      else log.warn(`Cannot write the member record: ${result.why}`);
    } catch (error) {
      if (!(error instanceof DcsUnreachable)) throw error;
      log.warn(`Cannot write the member record: ${error.message}`);
    }
  }
}
