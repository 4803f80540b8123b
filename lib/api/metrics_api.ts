import type { Metric } from "../core/metric.ts";
import { metricsOf } from "../core/metrics.ts";
import { noWork } from "../core/work_counts.ts";
import type { ServedContext } from "./context.ts";
import { factsOf } from "./facts.ts";
import { histogramText } from "./histogram_text.ts";
import { plainReply } from "./reply.ts";
import type { HttpReply } from "./reply.ts";

type Single = Exclude<Metric, { kind: "histogram" }>;

/** What scrapers read. */
export class MetricsApi {
  readonly #context: ServedContext;

  constructor(context: ServedContext) {
    this.#context = context;
  }

  /** Prometheus' text format; the values are those of the last look. The store is not asked. */
  async do_GET_metrics(): Promise<HttpReply> {
    const { scope, name, work } = this.#context;
    const metrics = metricsOf(factsOf(this.#context), work?.() ?? noWork);
    const singles = metrics.filter((metric) => metric.kind !== "histogram");
    const histograms = metrics.filter((metric) => metric.kind === "histogram");
    const texts = histograms.map(({ counts, name: title, help, labels }) =>
      histogramText({ name: title, help, labels: { scope, name, ...labels } }, counts)
    );
    return plainReply([await singleTexts(singles, { scope, name }), ...texts].join("\n"));
  }
}

async function singleTexts(
  metrics: readonly Single[],
  own: Readonly<Record<string, string>>,
): Promise<string> {
  const { Counter, Gauge, Registry } = await import("prom-client");
  const registry = new Registry();
  const known = new Map<string, (metric: Single) => void>();
  const make = ({ name, help, kind, labels = {} }: Single): (metric: Single) => void => {
    const labelNames = [...Object.keys(own), ...Object.keys(labels)];
    const options = { name, help, labelNames, registers: [registry] };
    const made = kind === "gauge" ? new Gauge(options) : new Counter(options);
    return (metric) => made.inc({ ...own, ...metric.labels }, metric.value ?? 0);
  };
  for (const metric of metrics) {
    if (metric.value === null) continue;
    const set = known.get(metric.name) ?? make(metric);
    known.set(metric.name, set);
    set(metric);
  }
  return await registry.metrics();
}
