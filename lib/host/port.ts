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
  /** What is in force now; null: not armed. */
  view(): SwitchView | null;
  status(): SwitchStatus;
}
