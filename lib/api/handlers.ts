import { AgentApi } from "./agent_api.ts";
import { ClusterApi } from "./cluster_api.ts";
import { ConfigApi } from "./config_api.ts";
import type { ServedContext } from "./context.ts";
import { FailsafeApi } from "./failsafe_api.ts";
import { MetricsApi } from "./metrics_api.ts";
import { OperationsApi } from "./operations_api.ts";
import { OperatorApi } from "./operator_api.ts";
import { ServerApi } from "./server_api.ts";

/** The objects whose `do_METHOD_name` methods are the REST API, health checks apart. */
export function handlersOf(context: ServedContext): readonly object[] {
  return [
    new ClusterApi(context),
    new ConfigApi(context),
    new OperatorApi(context),
    new ServerApi(context),
    new OperationsApi(context),
    new FailsafeApi(context),
    new AgentApi(context),
    new MetricsApi(context),
  ];
}
