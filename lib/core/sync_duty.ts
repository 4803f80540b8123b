import type { Json } from "../base/json.ts";
import type { ClusterView } from "./cluster_view.ts";
import { readSwitch } from "./settings_values.ts";
import { isActiveStandby } from "./standby_section.ts";

/** How commits wait for standbys, as the `config` key says; read for mixed clusters, where a peer may run the mode. */
export type SyncMode = "off" | "on" | "quorum";

/** The mode in `config`; off when there is none. */
export function syncMode(cluster: ClusterView): SyncMode {
  const value = configValue(cluster, "synchronous_mode");
  if (typeof value === "string" && value.toLowerCase() === "quorum") return "quorum";
  return readSwitch(value) ? "on" : "off";
}

/** Whether `config` asks for maintenance mode. */
export function isPaused(cluster: ClusterView): boolean {
  return readSwitch(configValue(cluster, "pause"));
}

/** Whether `config` describes a standby cluster that says where to copy from. */
export function isStandbyCluster(cluster: ClusterView): boolean {
  return isActiveStandby(configValue(cluster, "standby_cluster"));
}

/** Whether the mode is active and `sync` lists this member; names are compared without case (spec 1.14). */
export function isSyncStandby(cluster: ClusterView, name: string): boolean {
  const { sync } = cluster;
  if (sync === null || sync.leader === "" || syncMode(cluster) === "off") return false;
  return sync.standbys.some((standby) => standby.toLowerCase() === name.toLowerCase());
}

function configValue(cluster: ClusterView, key: string): Json {
  return cluster.config?.raw[key] ?? null;
}
