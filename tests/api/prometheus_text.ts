import parse from "parse-prometheus-text-format";
import * as v from "valibot";

const labels = v.optional(v.record(v.string(), v.string()), {});

const familySchema = v.object({
  name: v.string(),
  help: v.string(),
  type: v.picklist(["GAUGE", "COUNTER", "HISTOGRAM"]),
  metrics: v.array(v.object({
    labels,
    value: v.optional(v.string()),
    buckets: v.optional(v.record(v.string(), v.string())),
  })),
});

/** One metric with all its samples, as a scraper reads it. */
export type Family = v.InferOutput<typeof familySchema>;

/** What a scraper makes of the text. Throws for text that is not in Prometheus' format. */
export function families(text: string): readonly Family[] {
  return v.parse(v.array(familySchema), parse(text));
}

/** The only sample of `name` that has these labels among its own. */
export function sample(
  text: string,
  name: string,
  wanted: Readonly<Record<string, string>> = {},
): string | undefined {
  const found = families(text).filter((family) => family.name === name)
    .flatMap(({ metrics }) => metrics)
    .filter((one) => Object.entries(wanted).every(([label, is]) => one.labels[label] === is));
  if (found.length > 1) throw new TypeError(`Cannot tell which ${name}: ${found.length} fit`);
  return found[0]?.value;
}
