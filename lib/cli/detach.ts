import { within } from "../base/deadline.ts";
import { isJsonObject } from "../base/json.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { complaint, plainLine, say } from "./output.ts";

const SEND_MS = 90_000;

/**
 * `agent detach`: ends the agent of the file's own member and leaves server, lock and switch to the next process, for an
 * upgrade within the lease. Returns 0 done, 1 refused or failed, 3 when the end is not known.
 */
export async function detach(context: CommandContext): Promise<number> {
  const { ownApiUrl, remote, output } = context;
  if (ownApiUrl === null) {
    const next = "Run it on the member's host with its own file.";
    await output.err(complaint("the configuration file describes no member", next));
    return EXIT.failed;
  }
  using deadline = within(SEND_MS);
  const answer = await remote.post(`${ownApiUrl}/detach`, {}, deadline.signal);
  if (answer.kind === "unreachable") {
    await output.err(complaint(`Cannot reach the agent at ${ownApiUrl}: ${answer.why}`));
    return EXIT.failed;
  }
  if (answer.kind === "lost") {
    const next = "Look whether its process runs before you repeat it.";
    await output.err(complaint(`Status unknown: no answer (${answer.why})`, next));
    return EXIT.unknown;
  }
  if (answer.status !== 200) {
    await output.err(complaint(`the agent refused (${answer.status}): ${plainLine(answer.text)}`));
    return EXIT.failed;
  }
  await say(context, `Detached. ${deadlineText(answer.text)}\n`);
  return EXIT.done;
}

function deadlineText(text: string): string {
  const seconds = secondsIn(text);
  if (typeof seconds !== "number") {
    return "The server goes on without an agent; start the next one.";
  }
  const left = Math.floor(seconds);
  return `The next agent must run within ${left} s: before the lease ends its switch stops the server.`;
}

function secondsIn(text: string): unknown {
  try {
    const body: unknown = JSON.parse(text);
    return isJsonObject(body) ? body["lease_seconds_left"] : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
