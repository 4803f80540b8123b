import { AgentApi } from "./agent_api.ts";
import { ClusterApi } from "./cluster_api.ts";
import { ConfigApi } from "./config_api.ts";
import type { ServedContext } from "./context.ts";
import { FailsafeApi } from "./failsafe_api.ts";
import { MetricsApi } from "./metrics_api.ts";
import { OperatorApi } from "./operator_api.ts";

/** All objects whose methods serve a path, for the router. */
export function handlersOf(context: ServedContext): readonly object[] {
  return [
    new ClusterApi(context),
    new ConfigApi(context),
    new OperatorApi(context),
    new FailsafeApi(context),
    new AgentApi(context),
    new MetricsApi(context),
  ];
}
