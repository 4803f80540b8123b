import { metricsOf } from "../core/metrics.ts";
import type { Metric } from "../core/metrics.ts";
import type { ServedContext } from "./context.ts";
import { factsOf } from "./facts.ts";
import { plainReply } from "./reply.ts";
import type { HttpReply } from "./reply.ts";

/** What scrapers read. */
export class MetricsApi {
  readonly #context: ServedContext;

  constructor(context: ServedContext) {
    this.#context = context;
  }

  /** Prometheus' text format; the values are those of the last look. */
  async do_GET_metrics(): Promise<HttpReply> {
    const { scope, name } = this.#context;
    const { Counter, Gauge, Registry } = await import("prom-client");
    const registry = new Registry();
    const known = new Map<string, (metric: Metric) => void>();
    const make = (metric: Metric): (metric: Metric) => void => {
      const labelNames = ["scope", "name", ...Object.keys(metric.labels ?? {})];
      const { name: title, help } = metric;
      const options = { name: title, help, labelNames, registers: [registry] };
      const made = metric.kind === "gauge" ? new Gauge(options) : new Counter(options);
      return ({ labels, value }) => made.inc({ scope, name, ...labels }, value ?? 0);
    };
    for (const metric of metricsOf(factsOf(this.#context))) {
      if (metric.value === null) continue;
      const set = known.get(metric.name) ?? make(metric);
      known.set(metric.name, set);
      set(metric);
    }
    return plainReply(await registry.metrics());
  }
}
