import type { HistogramCounts } from "../core/histogram.ts";

/** The name, help and labels of a histogram. */
export interface HistogramHead {
  readonly name: string;
  readonly help: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * A histogram in Prometheus' text format. prom-client cannot print one whose counts were kept elsewhere, and keeping
 * them in it would load it with the agent instead of with the first scrape.
 */
export function histogramText(
  { name, help, labels }: HistogramHead,
  counts: HistogramCounts,
): string {
  const { bounds, below, count, sum } = counts;
  const own = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  const line = (suffix: string, value: number, more: readonly string[] = []): string =>
    `${name}${suffix}{${[...own, ...more].join(",")}} ${value}`;
  return [
    `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`,
    `# TYPE ${name} histogram`,
    ...bounds.map((bound, place) => line("_bucket", below[place] ?? 0, [`le="${bound}"`])),
    line("_bucket", count, ['le="+Inf"']),
    line("_sum", sum),
    line("_count", count),
    "",
  ].join("\n");
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
