import { EXIT } from "./exit_codes.ts";
import { plainLine } from "./output.ts";
import type { RemoteAnswer } from "./remote.ts";
import { adviceOn } from "./results.ts";

/** What came of a request to hand over: the exit code, and what is told. */
export interface Verdict {
  readonly code: number;
  readonly text: string;
  readonly next: string | undefined;
}

const LOOK = "Looking into the store until the lease of the former leader is over.";

/** Reads the answer of the member that was asked; 3 says that the end is not known. */
export function judgeHandover(answer: RemoteAnswer, target: string): Verdict {
  const next = adviceOn(answer);
  if (answer.kind === "unreachable") {
    return { code: EXIT.failed, text: `Cannot reach ${target}: ${answer.why}`, next };
  }
  if (answer.kind === "lost") {
    const text = `Status unknown: ${target} gave no answer (${answer.why})`;
    return { code: EXIT.unknown, text, next: LOOK };
  }
  const { status } = answer;
  const text = plainLine(answer.text);
  if (status === 200 || status === 202) return { code: EXIT.done, text, next };
  if (/status unknown/i.test(text)) return { code: EXIT.unknown, text, next: LOOK };
  return { code: EXIT.failed, text: `${target} refused (${status}): ${text}`, next };
}
