import type { LeaseView, PeerReport, TaskView } from "../../lib/core/node_view.ts";
import type { WatchdogView } from "../../lib/core/watchdog.ts";
import type { Host } from "./schedule.ts";
import type { Server } from "./server.ts";
import type { SimSwitch } from "./sim_switch.ts";

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
  /** How long its agents were stalled in all. */
  stalledMs: number;
  /** The dead-man's switch of the host; null: there is none. */
  readonly deadMan: SimSwitch | null;
  /** The host's watchdog; a new state is what a device that works again, or fails, would show. */
  setWatchdog(state: Exclude<WatchdogView, { kind: "active" }>): void;
  /** Something outside the agent stops the server in time, or resets the host. */
  readonly isFenced: boolean;
  /** The host starts anew, by its watchdog or by chance: server, agent, switch and timer are gone. */
  crash(): void;
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
