import type { SwitchDeadline, SwitchStatus, SwitchView } from "../core/switch_status.ts";

/** A program to run to its end. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string;
  /** Milliseconds until it is stopped (TERM, then KILL after 2 s). */
  readonly timeoutMs: number;
  /** Called for each line of stderr, e.g. pg_basebackup's progress; carriage returns end lines too. */
  readonly onStderrLine?: (line: string) => void;
}

/** How it ended, whatever its exit code. stdout is bounded to 1 MiB. */
export interface CommandResult {
  readonly exitCode: number;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderrTail: string;
  readonly timedOut: boolean;
  readonly cancelled: boolean;
  readonly tookMs: number;
}

/** What became of an order to the watchdog. */
export type WatchdogAnswer =
  /** `note`: why the timeout is not the wanted one. */
  | { readonly kind: "done"; readonly timeoutS: number; readonly note?: string }
  | { readonly kind: "failed"; readonly why: string };

/** A timer of the host that resets it unless fed. Opening starts it; only `close` ends it in order. */
export interface WatchdogDevice {
  /** Why the closed device could not be opened, as far as can be told without starting it; null: nothing known. */
  check(): Promise<string | null>;
  /** Starts the timer. The answer has the timeout that is in force, which the hardware may have rounded. */
  open(timeoutS: number): Promise<WatchdogAnswer>;
  /** Another timeout for the running timer. */
  setTimeout(timeoutS: number): Promise<WatchdogAnswer>;
  /** Begins the timeout anew. Why it could not, or null. */
  keepAlive(): Promise<string | null>;
  /** Ends the timer. Why it could not: then the host will be reset; or null. */
  close(): Promise<string | null>;
}

/** A hook under way, with all that it started. */
export interface RunningHook {
  /** The exit code; a signal counts as 128 and its number, a program that cannot be started as 127. */
  readonly ended: Promise<number>;
  /** Ends it with its children, gently first; returns when it is gone. */
  kill(): Promise<void>;
}

/** Starts a program of the operator in a session of its own; its output goes to the agent's. */
export type StartHook = (words: readonly string[]) => RunningHook;

/** A process that cannot be mistaken for a later one with the same pid (pid and start ticks of /proc/PID/stat). */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: bigint;
}

/**
 * Stops whatever server holds the data directory when nobody renews in time, also after the agent's own end. Lives in a
 * process of its own.
 */
export interface DeadManSwitch {
  /** Makes sure that its process runs, without arming it. False: it cannot be had, so nothing may become writable. */
  ready(): Promise<boolean>;
  /** True once the deadline is written and the process that obeys it runs. False: the right that it guards must not be used. */
  arm(deadline: SwitchDeadline): Promise<boolean>;
  /** For a server that cannot write any more. False: it is still armed. */
  disarm(): Promise<boolean>;
  /** For a primary in maintenance mode: as `disarm`, and a later agent can tell. */
  rest(): Promise<boolean>;
  /** What is in force now; null: not armed. */
  view(): SwitchView | null;
  status(): SwitchStatus;
}
