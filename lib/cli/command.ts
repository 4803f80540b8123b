import type { Clock } from "../base/clock.ts";
import type { ClusterView } from "../core/cluster_view.ts";
import type { Output } from "./output.ts";
import type { Prompt } from "./prompt.ts";
import type { Remote } from "./remote.ts";
import type { Format } from "./table.ts";

/** The cluster that a command is about, as its store shows it. */
export interface ClusterAccess {
  readonly scope: string;
  /** Linearizable. Throws `DcsUnreachable`. */
  read(signal: AbortSignal): Promise<ClusterView>;
}

/** Everything a command may touch. */
export interface CommandContext {
  readonly cluster: ClusterAccess;
  readonly remote: Remote;
  /** `http://host:port` of the REST API of the member that the file describes. */
  readonly ownApiUrl: string;
  readonly output: Output;
  readonly prompt: Prompt;
  readonly clock: Clock;
  readonly format: Format;
  /** Act without asking. */
  readonly force: boolean;
}
