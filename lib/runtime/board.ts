import type { Decision, Outcome } from "../core/action.ts";
import type { ClusterView } from "../core/cluster_view.ts";
import type { Memory } from "../core/memory.ts";
import type { LeaseView, NodeView } from "../core/node_view.ts";
import type { Operation, OperationEnd } from "../core/operations.ts";
import type { StoreHealth } from "../dcs/port.ts";

/** The immutable picture of the last tick that REST and the recorder read. */
export interface BoardState {
  readonly view: NodeView | null;
  readonly decision: Decision | null;
  readonly outcomes: readonly Outcome[];
  readonly memory: Memory | null;
  /** The last cluster view that the store gave, and when (boot and wall clock); survives an outage. */
  readonly cluster: ClusterView | null;
  readonly clusterSeenMs: number;
  readonly clusterSeenWallMs: number;
  readonly store: StoreHealth;
  readonly tickEndedMs: number;
  /** What operators ordered of this member, newest first. */
  readonly operations: readonly Operation[];
  /** Boot clock of the next planned tick, for /liveness. */
  readonly nextTickMs: number;
}

/** Readers see whole pictures only; the loop swaps them, the lease keeper swaps the lease at once. */
export interface Board {
  /** The present picture; never changes once returned. */
  state(): BoardState;
  /** The lease as the keeper knows it now, ahead of the tick. */
  lease(): LeaseView;
  /** Puts an operator's order in front; beyond 50 the oldest that have ended are forgotten. */
  begin(operation: Operation): void;
  /** Ends an operation at this wall clock; one that has ended stays as it is. */
  settle(id: string, end: OperationEnd, wallMs: number): void;
  /**
   * Resolves with the first picture (the present one included) that `accept` takes, or null when `signal` aborts.
   */
  waitFor(accept: (state: BoardState) => boolean, signal: AbortSignal): Promise<BoardState | null>;
}
