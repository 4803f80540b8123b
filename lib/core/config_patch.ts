import { isJsonObject } from "../base/json.ts";
import type { Json, JsonObject } from "../base/json.ts";
import type { ClusterView } from "./cluster_view.ts";
import { decodeSettings } from "./settings.ts";

/** What a change of the cluster's configuration comes to. */
export type ConfigVerdict =
  /** `revision`: of the content that was changed; a write compares with it. */
  | { readonly kind: "write"; readonly config: JsonObject; readonly revision: bigint }
  | { readonly kind: "unchanged"; readonly config: JsonObject }
  | { readonly kind: "refused"; readonly status: number; readonly text: string };

/** The object with a patch laid over it: `null` deletes a key, objects are merged, all else replaces (RFC 7396). */
export function mergePatch(base: JsonObject, patch: JsonObject): JsonObject {
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else {merged.set(
        key,
        isJsonObject(value) ? mergePatch(objectOr(merged.get(key)), value) : value,
      );}
  }
  return Object.fromEntries(merged);
}

function objectOr(value: Json | undefined): JsonObject {
  return value !== undefined && isJsonObject(value) ? value : {};
}

/** Judges `PATCH /config` (spec 3.5): 503 without a configuration, 400 when no member could use the result. */
export function judgePatch({ config }: ClusterView, patch: JsonObject): ConfigVerdict {
  if (config === null) {
    return { kind: "refused", status: 503, text: "there is no configuration yet" };
  }
  const next = mergePatch(config.raw, patch);
  if (JSON.stringify(next) === JSON.stringify(config.raw)) {
    return { kind: "unchanged", config: next };
  }
  const decoded = decodeSettings(next);
  if ("fault" in decoded) return { kind: "refused", status: 400, text: decoded.fault };
  return { kind: "write", config: next, revision: config.revision };
}
