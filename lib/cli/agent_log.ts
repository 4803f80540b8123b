import { openLog } from "../base/log.ts";
import type { OpenLog, PartedLog } from "../base/log.ts";
import type { LineOutput } from "../base/log_queue.ts";
import type { AgentConfig } from "../config/agent_config.ts";
import { FileOutput, stderrOutput } from "../host/log_output.ts";

/** The log of a member, as its file wants it. */
export interface AgentLog {
  readonly log: PartedLog;
  /** Lines that were never written since the start. */
  dropped(): number;
  /** How long an unchanged heartbeat is not written again, in milliseconds. */
  heartbeatRepeatMs(): number;
  /** The section `log` of a file that was read again: levels, layout, queue and files are in force at once. */
  reload(section: AgentConfig["log"]): void;
  /** Writes what waits, for two seconds at most. */
  close(): Promise<void>;
}

/** The agent's own choice for unchanged heartbeats. */
const REPEAT_MS = 60_000;

/** Opens the log of this process on stderr or on files. */
export function openAgentLog(section: AgentConfig["log"]): AgentLog {
  let present = section;
  let output = outputOf(section);
  const opened: OpenLog = openLog(section, output);
  return {
    log: opened.log,
    dropped: () => opened.dropped(),
    heartbeatRepeatMs: () => repeatMs(present),
    reload: (next) => {
      const isSame = JSON.stringify(next.files) === JSON.stringify(present.files);
      output = isSame ? output : outputOf(next);
      present = next;
      opened.change(next, output);
    },
    close: () => opened.close(),
  };
}

function outputOf({ files }: AgentConfig["log"]): LineOutput {
  return files === null ? stderrOutput : new FileOutput(files, stderrOutput);
}

function repeatMs({ foldHeartbeats }: AgentConfig["log"]): number {
  if (foldHeartbeats === null) return REPEAT_MS;
  return foldHeartbeats ? Infinity : 0;
}
