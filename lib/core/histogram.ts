/** How often a value fell below each bound, as Prometheus counts. */
export interface HistogramCounts {
  /** Upper bounds, ascending; a last one without end is understood. */
  readonly bounds: readonly number[];
  /** Values at or below the bound of the same place. */
  readonly below: readonly number[];
  readonly count: number;
  readonly sum: number;
}

/** Counts of nothing. */
export function noCounts(bounds: readonly number[]): HistogramCounts {
  return { bounds, below: bounds.map(() => 0), count: 0, sum: 0 };
}

/** The counts with one more value. */
export function counted(before: HistogramCounts, value: number): HistogramCounts {
  const { bounds, below, count, sum } = before;
  return {
    bounds,
    below: below.map((times, place) => times + (value <= (bounds[place] ?? Infinity) ? 1 : 0)),
    count: count + 1,
    sum: sum + value,
  };
}
