import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { MemberState } from "../core/cluster_view.ts";
import type { PromiseRequest, PromiseView } from "../core/failsafe.ts";
import type { PeerReport, PostgresView } from "../core/node_view.ts";
import type { SwitchStatus } from "../core/switch_status.ts";
import type { WorkCounts } from "../core/work_counts.ts";
import type { Dcs } from "../dcs/port.ts";
import type { Board } from "../runtime/board.ts";
import type { Mailbox } from "../runtime/mailbox.ts";
import type { AccessRules } from "./access.ts";

/** How a reload ended. */
export interface ReloadEnd {
  /** False: the old configuration stays in force. */
  readonly isTaken: boolean;
  /** For people, as it is logged, with what they should know. */
  readonly text: string;
}

/** Everything that handlers may use. There is no server control among it: handlers write wishes, the loop acts. */
export interface ApiContext {
  readonly name: string;
  readonly scope: string;
  readonly board: Board;
  readonly mailbox: Mailbox;
  readonly dcs: Dcs;
  readonly clock: Clock;
  readonly log: Log;
  /** Who may do what, as configured now. */
  readonly access: () => AccessRules;
  /** GET of each member's api_url, in parallel; one report for each of them. Obeys `signal`. */
  readonly askPeers: (
    members: readonly MemberState[],
    signal: AbortSignal,
  ) => Promise<readonly PeerReport[]>;
  /**
   * A fresh look at the local server for `/patroni`, which peers compare positions with in the race. null: the last
   * look of the loop is shown.
   */
  readonly probe: ((signal: AbortSignal) => Promise<PostgresView>) | null;
  /** The dead-man's switch; absent: there is none. */
  readonly deadMan?: () => SwitchStatus;
  /** Reads the configuration files again, as SIGHUP does, and posts the wish `reload`. Does not throw. */
  readonly reload: () => Promise<ReloadEnd>;
  /** Promises to a leader without the store (failsafe mode); absent: this member promises nothing. */
  readonly promises?: {
    /** The promise in force, or null. */
    view(): PromiseView | null;
    /** Gives the promise, or says why not. */
    give(request: PromiseRequest): string | null;
  };
  /** What this process has done; absent: nothing is counted. */
  readonly work?: () => WorkCounts;
  /** Seconds that a handover is waited for; null: Patroni's 2 * max(10, loop_wait). */
  readonly handoverLimitS: number | null;
}

/** The context while it is served. */
export interface ServedContext extends ApiContext {
  /** Boot clock of the start: before the first tick the loop counts as planned for then. */
  readonly startedMs: number;
}
