import type { Decision, Outcome } from "../core/action.ts";
import type { Memory } from "../core/memory.ts";
import type { LeaseView, NodeView } from "../core/node_view.ts";
import { seenOperations, settled, withOperation } from "../core/operations.ts";
import type { Operation, OperationEnd } from "../core/operations.ts";
import type { StoreHealth } from "../dcs/port.ts";
import type { Board, BoardState } from "./board.ts";

/** What the loop hangs out after each round. */
export interface RoundPicture {
  readonly view: NodeView;
  readonly decision: Decision;
  readonly outcomes: readonly Outcome[];
  readonly memory: Memory;
  readonly store: StoreHealth;
  /** Boot clock of the next planned tick. */
  readonly nextTickMs: number;
  /** Boot clock now. */
  readonly endedMs: number;
}

/** The board of a running agent: the loop publishes, everybody else reads. */
export class LiveBoard implements Board {
  readonly #lease: () => LeaseView;
  readonly #waiters = new Set<(state: BoardState) => void>();
  #state: BoardState;

  /** `lease` answers from the lease keeper, so that its loss is seen before the next tick. */
  constructor(lease: () => LeaseView, store: StoreHealth) {
    this.#lease = lease;
    this.#state = { ...EMPTY, store };
  }

  state(): BoardState {
    return this.#state;
  }

  lease(): LeaseView {
    return this.#lease();
  }

  /** Swaps the picture and tells those who wait for one. */
  publish(picture: RoundPicture): void {
    const { endedMs, ...shown } = picture;
    this.#state = Object.freeze({
      ...this.#state,
      ...shown,
      ...seenCluster(picture.view),
      operations: seenOperations(this.#state.operations, picture.view, picture.memory),
      tickEndedMs: endedMs,
    });
    this.#tell();
  }

  begin(operation: Operation): void {
    this.#change(withOperation(this.#state.operations, operation));
  }

  settle(id: string, end: OperationEnd, wallMs: number): void {
    this.#change(settled(this.#state.operations, id, end, wallMs));
  }

  #change(operations: readonly Operation[]): void {
    this.#state = Object.freeze({ ...this.#state, operations });
    this.#tell();
  }

  #tell(): void {
    for (const offer of [...this.#waiters]) offer(this.#state);
  }

  async waitFor(
    accept: (state: BoardState) => boolean,
    signal: AbortSignal,
  ): Promise<BoardState | null> {
    if (accept(this.#state)) return this.#state;
    if (signal.aborted) return null;
    const { promise, resolve } = Promise.withResolvers<BoardState | null>();
    const offer = (state: BoardState): void => {
      if (accept(state)) resolve(state);
    };
    const giveUp = (): void => resolve(null);
    this.#waiters.add(offer);
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      return await promise;
    } finally {
      this.#waiters.delete(offer);
      signal.removeEventListener("abort", giveUp);
    }
  }
}

const EMPTY: Omit<BoardState, "store"> = {
  view: null,
  decision: null,
  outcomes: [],
  memory: null,
  cluster: null,
  clusterSeenMs: 0,
  clusterSeenWallMs: 0,
  operations: [],
  tickEndedMs: 0,
  nextTickMs: 0,
};

function seenCluster(view: NodeView): Partial<BoardState> {
  const { cluster, nowMs, wallMs } = view;
  if (cluster.kind !== "seen") return {};
  return { cluster, clusterSeenMs: nowMs, clusterSeenWallMs: wallMs };
}
