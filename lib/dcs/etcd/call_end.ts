import type { StoreFault } from "../../core/work_counts.ts";
import type { Answer } from "./answer.ts";

/** How one request to one endpoint ended, for those who count. */
export interface CallEnd {
  readonly tookMs: number;
  /** null: it ended well. */
  readonly fault: StoreFault | null;
}

/** The end of a call: `wasCut` when its own limit, or its caller, ended it. */
export function callEnd(tookMs: number, answer: Answer, wasCut: boolean): CallEnd {
  return { tookMs, fault: faultOf(answer, wasCut) };
}

function faultOf(answer: Answer, wasCut: boolean): StoreFault | null {
  switch (answer.kind) {
    case "good":
      return null;
    case "login-needed":
      return "login";
    case "unusable":
      if (wasCut) return "timeout";
      return answer.isSilent === true ? "network" : "answer";
    default:
      return answer.kind;
  }
}
