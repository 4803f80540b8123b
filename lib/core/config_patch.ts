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
export function judgePatch(cluster: ClusterView, patch: JsonObject): ConfigVerdict {
  if (cluster.config === null) return refused(503, "there is no configuration yet");
  return judgeNext(cluster, mergePatch(cluster.config.raw, patch));
}

/**
 * Judges `PUT /config` (spec 3.5), which also makes a configuration that is lost: 400 when no member could use it, or for
 * a `null`, which would be stored and mean nothing.
 */
export function judgePut(cluster: ClusterView, next: JsonObject): ConfigVerdict {
  const nullKey = keyOfNull(next);
  if (nullKey === null) return judgeNext(cluster, next);
  return refused(400, `${nullKey} is null: leave a setting out to remove it`);
}

function judgeNext({ config }: ClusterView, next: JsonObject): ConfigVerdict {
  if (config !== null && JSON.stringify(next) === JSON.stringify(config.raw)) {
    return { kind: "unchanged", config: next };
  }
  const decoded = decodeSettings(next);
  if ("fault" in decoded) return refused(400, decoded.fault);
  return { kind: "write", config: next, revision: config?.revision ?? 0n };
}

/** The first key with the value `null`, with dots from the outside in. */
function keyOfNull(object: JsonObject): string | null {
  for (const [key, value] of Object.entries(object)) {
    if (value === null) return key;
    const inner = isJsonObject(value) ? keyOfNull(value) : null;
    if (inner !== null) return `${key}.${inner}`;
  }
  return null;
}

function refused(status: number, text: string): ConfigVerdict {
  return { kind: "refused", status, text };
}
