import type { LeaseView, PeerReport, TaskView } from "../../lib/core/node_view.ts";
import type { WatchdogView } from "../../lib/core/watchdog.ts";
import type { Host } from "./schedule.ts";
import type { Server } from "./server.ts";

/** What faults, checks and the other hosts see of one host, whichever way its agent is run. */
export interface SimNode {
  readonly name: string;
  readonly server: Server;
  readonly nofailover: boolean;
  /** Everything that the present agent process runs. */
  readonly host: Host;
  readonly alive: boolean;
  /** Runs now: not killed and not stalled. */
  readonly awake: boolean;
  wallJumpMs: number;
  /** The host's watchdog as its agent sees it. */
  watchdog: WatchdogView;
  /** CLOCK_BOOTTIME of this host. */
  bootMs(): number;
  /** A fresh agent process; only the lease id of the state file is known. */
  start(): void;
  /** The agent process ends; its server stays as it is. */
  kill(): void;
  /** A wake-up carries no meaning: the next tick looks for itself. */
  wake(): void;
  /** SIGTERM, or the request to leave the server to the next process. */
  askToEnd(how: "shutdown" | "detach"): void;
  /** Takes it back that was not obeyed yet (the end of a fault). */
  forgetEnd(): void;
  /** Calls of that kind are never answered any more by this agent process; the kinds are the simulator's faults. */
  hang(kind: "probe-hang" | "job-hang"): void;
  leaseView(): LeaseView;
  taskView(): TaskView;
  /** What its agent answers to a peer now. */
  report(): PeerReport;
}

/** How a host is made. */
export interface NodeOptions {
  readonly nofailover: boolean;
  readonly bootOffsetMs: number;
}
