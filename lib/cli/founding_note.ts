import { isJsonObject, type JsonObject } from "../base/json.ts";
import type { AgentConfig } from "../config/agent_config.ts";
import type { ClusterView } from "../core/cluster_view.ts";

/**
 * What of `bootstrap.dcs` differs from the settings of a cluster that exists; null: nothing. The file counts only for the
 * founding, and an edit of it that changes nothing is the most frequent surprise of beginners (spec 1.4).
 */
export function foundingNote({ bootstrap }: AgentConfig, { config }: ClusterView): string | null {
  const keys = config === null ? [] : differing(bootstrap?.dcs ?? {}, config.raw, "");
  if (keys.length === 0) return null;
  return `bootstrap.dcs counts only when a cluster is founded; this one has other values for ${
    keys.join(", ")
  }`;
}

function differing(first: JsonObject, now: JsonObject, path: string): readonly string[] {
  return Object.entries(first).flatMap(([key, value]) => {
    const present = now[key];
    if (isJsonObject(value) && isJsonObject(present)) {
      return differing(value, present, `${path}${key}.`);
    }
    return JSON.stringify(value) === JSON.stringify(present ?? null) ? [] : [`${path}${key}`];
  });
}
