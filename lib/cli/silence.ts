import { within } from "../base/deadline.ts";
import type { CommandContext } from "./command.ts";
import { endpoint } from "./member_url.ts";
import type { RemoteAnswer } from "./remote.ts";

type Context = Pick<CommandContext, "remote" | "output" | "clock">;

/** A member, and where it is asked. */
export interface Addressed {
  readonly member: string;
  readonly apiUrl: string;
}

const LOOK_MS = 3000;
const LOOK_EVERY_MS = 2000;
const PATIENCE_MS = 10_000;

/** A member that says nothing for so long is not waited for: its agent may be gone. */
export const SILENT_MS = 60_000;
const TELL_MS = 10_000;

/** What is behind it that connections are taken and nothing is answered. */
const HANGS = "its agent or its host hangs";

/**
 * Why an order should not be sent to a member now: it cannot be reached, or answers nothing, for so long that an order
 * would be one whose end nobody knows. null: it answers, whatever it says. Tells on stderr that it waits.
 */
export async function whyDeaf({ remote, output }: Context, to: Addressed): Promise<string | null> {
  const first = await alive(remote, to, LOOK_MS);
  if (first.kind !== "lost") return first.kind === "answered" ? null : first.why;
  const [seconds, more] = [first.isLate === true ? LOOK_MS / 1000 : 0, PATIENCE_MS / 1000];
  if (first.isLate === true) {
    await output.err(`${to.member}: no answer within ${seconds} s, waiting ${more} s more\n`);
  }
  const second = await alive(remote, to, PATIENCE_MS);
  if (second.kind === "answered") return null;
  const isLate = second.kind === "lost" && second.isLate === true;
  return isLate ? `no answer within ${seconds + more} s, ${HANGS}` : second.why;
}

/** Waits for the answer to a request as long as the member answers anything at all; `send` obeys the signal. */
export async function whileHeard(
  context: Context,
  to: Addressed,
  send: (signal: AbortSignal) => Promise<RemoteAnswer>,
): Promise<RemoteAnswer> {
  const ending = new AbortController();
  const { signal } = ending;
  const sent = send(signal);
  const silence = untilSilent(context, to, signal);
  const answer = await Promise.race([sent, silence]);
  ending.abort();
  await Promise.all([sent, silence]);
  return answer ?? { kind: "lost", why: silentSince(to.member) };
}

/** In words: it was heard last so long ago. */
export function silentSince(member: string): string {
  return `${member} answers nothing since ${SILENT_MS / 1000} s, ${HANGS} or is gone`;
}

/** Null when the member has been silent for too long, or at the end of `signal`. */
async function untilSilent(context: Context, to: Addressed, signal: AbortSignal): Promise<null> {
  const silence = new Silence(context, to.member);
  while (!signal.aborted) {
    await context.clock.sleep(LOOK_EVERY_MS, signal);
    if (signal.aborted) break;
    const answer = await alive(context.remote, to, LOOK_MS, signal);
    if (!signal.aborted && await silence.isTooLong(answer.kind === "answered")) break;
  }
  return null;
}

async function alive(
  remote: Context["remote"],
  { apiUrl }: Addressed,
  limitMs: number,
  signal?: AbortSignal,
): Promise<RemoteAnswer> {
  using deadline = within(limitMs, signal);
  return await remote.get(endpoint(apiUrl, "liveness"), deadline.signal);
}

/** How long a member has said nothing; tells of it once on stderr. */
export class Silence {
  readonly #context: Context;
  readonly #member: string;
  #heardMs: number;
  #isTold = false;

  constructor(context: Context, member: string) {
    this.#context = context;
    this.#member = member;
    this.#heardMs = context.clock.bootMs();
  }

  /** Takes in whether the member has just answered; true when it has not for too long. */
  async isTooLong(hasAnswered: boolean): Promise<boolean> {
    const { clock, output } = this.#context;
    if (hasAnswered) {
      this.#heardMs = clock.bootMs();
      this.#isTold = false;
      return false;
    }
    const silentMs = clock.bootMs() - this.#heardMs;
    if (silentMs >= TELL_MS && !this.#isTold) {
      this.#isTold = true;
      const limits = `no answer for ${TELL_MS / 1000} s, waiting until ${SILENT_MS / 1000} s`;
      await output.err(`${this.#member}: ${limits}\n`);
    }
    return silentMs >= SILENT_MS;
  }
}
