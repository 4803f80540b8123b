import { parseBytes } from "../base/units.ts";

/** What the query string of a health check asks for beyond the path (spec 3.2). */
export interface HealthQuery {
  /** Bytes; null: no limit. */
  readonly lagMax: number | null;
  readonly replicationState: string | null;
  /** Each must be published with this value as text. */
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  /** Which position `/readiness` compares. */
  readonly mode: "apply" | "write";
  /** Parameters that could not be read and do not count, for the log. */
  readonly faults: readonly string[];
}

/** Reads a query string with or without its question mark; of repeated parameters the first counts. */
export function decodeHealthQuery(search: string): HealthQuery {
  const parameters = new URLSearchParams(search);
  const lag = parameters.get("lag");
  const lagMax = lag === null ? null : parseBytes(lag);
  const tags = [...parameters]
    .filter(([key]) => key.startsWith("tag_"))
    .map(([key, value]) => ({ key: key.slice("tag_".length), value }));
  return {
    lagMax,
    replicationState: parameters.get("replication_state"),
    tags,
    mode: parameters.get("mode") === "write" ? "write" : "apply",
    faults: lag !== null && lagMax === null ? [`lag ${JSON.stringify(lag)} is no size`] : [],
  };
}
