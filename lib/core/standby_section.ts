import type { Json } from "../base/json.ts";
import { isJsonObject } from "../base/json.ts";

/** Whether a `standby_cluster` section says where to copy from: host, port or restore_command is filled (spec 1.11). */
export function isActiveStandby(value: Json): boolean {
  if (!isJsonObject(value)) return false;
  return ["host", "port", "restore_command"].some((key) => {
    const inner = value[key];
    return inner !== undefined && inner !== null && inner !== "";
  });
}
