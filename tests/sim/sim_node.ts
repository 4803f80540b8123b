import type { LeaseView, OperatorWish, PeerReport, TaskView } from "../../lib/core/node_view.ts";
import type { WatchdogView } from "../../lib/core/watchdog.ts";
import type { PromiseRequest } from "../../lib/core/failsafe.ts";
import type { HostGuards } from "./host_guards.ts";
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
  /** How long its agents were stalled in all. */
  stalledMs: number;
  /** What CLOCK_BOOTTIME of this host is ahead of true time. */
  readonly bootOffsetMs: number;
  /** The dead-man's switch and the timer of this host. */
  readonly guards: HostGuards;
  /** The host's watchdog; a new state is what a device that works again, or fails, would show. */
  setWatchdog(state: Exclude<WatchdogView, { kind: "active" }>): void;
  /** CLOCK_BOOTTIME of this host, as its agent reads it. */
  bootMs(): number;
  /** A fresh agent process; only the lease id of the state file is known. */
  start(): void;
  /** The agent process ends; its server stays as it is. */
  kill(): void;
  /** A wake-up carries no meaning: the next tick looks for itself. */
  wake(): void;
  /** SIGTERM, or the request to leave the server to the next process. */
  askToEnd(how: "shutdown" | "detach"): void;
  /** An operator's order comes in by the agent's REST API; lost without an agent. */
  order(wish: OperatorWish): void;
  /** Takes it back that was not obeyed yet (the end of a fault). */
  forgetEnd(): void;
  /** Calls of that kind are never answered any more by this agent process; the kinds are the simulator's faults. */
  hang(kind: "probe-hang" | "job-hang"): void;
  leaseView(): LeaseView;
  taskView(): TaskView;
  /** What its agent answers to a peer now. */
  report(): PeerReport;
  /** Its answer to the question of failsafe mode: null is a consent, else why not. */
  consent(request: PromiseRequest): string | null;
}

/** How a host is made. */
export interface NodeOptions {
  readonly nofailover: boolean;
  readonly bootOffsetMs: number;
}
