import type { HistogramCounts } from "./histogram.ts";

interface Named {
  readonly name: string;
  readonly help: string;
  /** Beside `scope` and `name`. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** One value for a scraper, or the counts of a histogram. */
export type Metric =
  /** null: the line is left out. */
  | Named & { readonly kind: "gauge" | "counter"; readonly value: number | null }
  | Named & { readonly kind: "histogram"; readonly counts: HistogramCounts };

/** A value that goes up and down; true is 1. */
export function gauge(name: string, help: string, value: number | boolean | null): Metric {
  return { name, kind: "gauge", help, value: value === null ? null : Number(value) };
}

/** The same metric once for each entry, told apart by one label. */
export function labelled(
  metric: { readonly name: string; readonly help: string; readonly kind: "gauge" | "counter" },
  label: string,
  entries: readonly (readonly [string, number])[],
): readonly Metric[] {
  return entries.map(([text, value]) => ({ ...metric, value, labels: { [label]: text } }));
}
