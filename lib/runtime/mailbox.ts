import type { OperatorWish } from "../core/node_view.ts";

/** Wake-ups and wishes waiting for the next tick. A wake-up carries no meaning: the tick looks for itself. */
export interface Mailbox {
  /** Ends the loop's pause; any number of calls before the tick count once. `why` is for the log. */
  wake(why: string): void;
  /** Puts a wish and wakes; a wish of the same kind replaces the older one. */
  post(wish: OperatorWish): void;
  /** Takes a wish back unless a newer one of its kind has replaced it. */
  fulfil(wish: OperatorWish): void;
  /** What is wished at this moment, in order of kind. */
  wishes(): readonly OperatorWish[];
  /** Takes back the wish of this operation, if it is still there. */
  withdraw(operation: string): void;
}
