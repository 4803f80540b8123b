import type { ClusterView } from "./cluster_view.ts";
import { taskName } from "./action.ts";
import type { TaskView } from "./node_view.ts";
import type { Refusal } from "./requests.ts";

/** What `POST /reinitialize` is judged with. */
export interface ReinitializeFacts {
  /** A fresh read. */
  readonly cluster: ClusterView;
  /** This member. */
  readonly name: string;
  readonly task: TaskView;
  readonly force: boolean;
}

/** The rows of spec 3.5 that can be judged at once; null: it may begin. The loop judges again what changes. */
export function judgeReinitialize(
  { cluster, name, task, force }: ReinitializeFacts,
): Refusal | null {
  if (cluster.lock === null) return refused("Cluster has no leader, can not reinitialize");
  if (cluster.lock.holder === name) return refused("I am the leader, can not reinitialize");
  const isBusy = task.kind === "running" && !force;
  return isBusy ? refused(`${taskName(task.task)} already in progress`) : null;
}

function refused(text: string): Refusal {
  return { kind: "refused", status: 503, text };
}
