/** One write of a client and what it was told; times are on the boot clock, in steps of 10 ms. */
export interface Write {
  readonly id: number;
  readonly askedMs: number;
  readonly endedMs: number;
  /** `refused`: the server said that nothing was written. `unknown`: it may have been, there was no answer. */
  readonly outcome: "confirmed" | "refused" | "unknown";
  /** Who confirmed or refused it; null when nobody answered through a proxy. */
  readonly member: string | null;
  /** The timeline that it was written on; 0 unless it was confirmed. */
  readonly timeline: number;
  /** The standbys that streamed from that server in the moment of the write. */
  readonly standbys: readonly string[];
}

/** One interruption of a process of a member. */
export interface Hit {
  readonly member: string;
  readonly part: "agent" | "switch" | "postmaster";
  readonly how: "kill" | "stop";
  readonly fromMs: number;
  /** When it was undone: the process goes on or is started again; Infinity before that. */
  readonly toMs: number;
}
