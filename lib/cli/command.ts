import type { Clock } from "../base/clock.ts";
import type { JsonObject } from "../base/json.ts";
import type { ClusterView } from "../core/cluster_view.ts";
import type { WriteResult } from "../dcs/port.ts";
import type { Screen } from "./output.ts";
import type { Prompt } from "./prompt.ts";
import type { Remote } from "./remote.ts";
import type { SqlAccess } from "./sql_access.ts";
import type { Format } from "./table.ts";
import type { Workplace } from "./workplace.ts";

/** One cluster, as its store shows it, and what an operator may change there without asking a member. */
export interface ClusterAccess {
  readonly scope: string;
  /** Linearizable. Throws `DcsUnreachable`. */
  read(signal: AbortSignal): Promise<ClusterView>;
  /** Replaces `config` if its revision is still this one. */
  writeConfig(config: JsonObject, revision: bigint, signal: AbortSignal): Promise<WriteResult>;
  /** Drops the request in `failover` if its revision is still this one. */
  clearHandover(revision: bigint, signal: AbortSignal): Promise<WriteResult>;
  /** Deletes every key of the cluster if `holder` (null: nobody) still has the lock. */
  remove(holder: string | null, signal: AbortSignal): Promise<WriteResult>;
}

/** Everything a command may touch. */
export interface CommandContext {
  readonly cluster: ClusterAccess;
  /** Another cluster of the same store and namespace. */
  clusterNamed(scope: string): ClusterAccess;
  readonly remote: Remote;
  readonly sql: SqlAccess;
  readonly workplace: Workplace;
  /** `http://host:port` of the REST API of the member that the file describes; null: it describes none. */
  readonly ownApiUrl: string | null;
  readonly output: Screen;
  readonly prompt: Prompt;
  readonly clock: Clock;
  readonly format: Format;
  /** Act without asking. */
  readonly force: boolean;
}
