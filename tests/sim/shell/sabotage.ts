import type { Clock } from "../../../lib/base/clock.ts";
import type { PeerReport } from "../../../lib/core/node_view.ts";
import type { Dcs } from "../../../lib/dcs/port.ts";
import type { PostgresControl } from "../../../lib/postgres/port.ts";
import { LeaseKeeper } from "../../../lib/runtime/lease_keeper.ts";
import type { LeaseKeeperOptions } from "../../../lib/runtime/lease_keeper.ts";
import { LiveMailbox } from "../../../lib/runtime/live_mailbox.ts";
import type { ConsentAnswer } from "../../../lib/runtime/peers.ts";
import type { Promises } from "../../../lib/runtime/promises.ts";
import { TaskSlot } from "../../../lib/runtime/task_slot.ts";
import type { TaskSlotOptions } from "../../../lib/runtime/task_slot.ts";
import type { PromiseKeeper } from "../consents.ts";

/** Replaces parts of an agent by faulty ones; what is absent is the product's. */
export interface Sabotage {
  readonly dcs?: (dcs: Dcs) => Dcs;
  readonly postgres?: (postgres: PostgresControl) => PostgresControl;
  readonly keeper?: (options: LeaseKeeperOptions) => LeaseKeeper;
  readonly tasks?: (options: TaskSlotOptions) => TaskSlot;
  readonly mailbox?: (clock: Clock) => LiveMailbox;
  readonly promises?: (promises: Promises) => PromiseKeeper;
  readonly consents?: (answers: readonly ConsentAnswer[]) => readonly ConsentAnswer[];
  readonly peers?: (reports: readonly PeerReport[]) => readonly PeerReport[];
}

/** The parts of an agent that may be replaced, the product's where nothing is planted. */
export const PRODUCT_PARTS: Required<Sabotage> = {
  dcs: (dcs) => dcs,
  postgres: (postgres) => postgres,
  keeper: (options) => new LeaseKeeper(options),
  tasks: (options) => new TaskSlot(options),
  mailbox: (clock) => new LiveMailbox(clock),
  promises: (promises) => promises,
  consents: (answers) => answers,
  peers: (reports) => reports,
};
