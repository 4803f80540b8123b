import { noCounts } from "./histogram.ts";
import type { HistogramCounts } from "./histogram.ts";

/** How a call to one endpoint of the store ended without what was asked for. */
export const STORE_FAULTS = [
  /** No answer in time. */
  "timeout",
  /** No connection, or it broke. */
  "network",
  /** An answer that proves nothing: an error of the server, a page of a proxy. */
  "answer",
  /** A good answer of a member that is behind. */
  "outdated",
  /** The login was missing or too old. */
  "login",
  /** The store understood and refused. */
  "refused",
] as const;

/** One of `STORE_FAULTS`. */
export type StoreFault = typeof STORE_FAULTS[number];

/** A job that ended. */
export interface TaskCount {
  readonly task: string;
  readonly result: string;
  readonly times: number;
}

/** What one agent process has done since its start. Times are in seconds. */
export interface WorkCounts {
  /** Ticks of the loop, all rounds of a tick together. */
  readonly ticks: HistogramCounts;
  /** Calls to single endpoints of the store, good or not. */
  readonly storeCalls: HistogramCounts;
  readonly storeFaults: Readonly<Partial<Record<StoreFault, number>>>;
  readonly tasks: readonly TaskCount[];
  /** Promotions that this process ordered because a leader was lost. */
  readonly failovers: number;
  /** Promotions that an operator wished. */
  readonly switchovers: number;
  readonly logLinesDropped: number;
}

/** Ticks take milliseconds, and with a silent store or server up to their budget. */
export const TICK_BOUNDS_S: readonly number[] = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30];

/** A call to etcd takes a few milliseconds; one endpoint may have 3 s and more. */
export const STORE_BOUNDS_S: readonly number[] = [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];

/** The counts of an agent that has done nothing yet. */
export const noWork: WorkCounts = {
  ticks: noCounts(TICK_BOUNDS_S),
  storeCalls: noCounts(STORE_BOUNDS_S),
  storeFaults: {},
  tasks: [],
  failovers: 0,
  switchovers: 0,
  logLinesDropped: 0,
};
