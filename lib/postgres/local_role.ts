import { within } from "../base/deadline.ts";
import { PostgresUnreachable, Refused } from "../base/errors.ts";
import type { PostgresOptions } from "./options.ts";
import { localTarget, readPostmaster } from "./postmaster.ts";
import { Session } from "./session.ts";

/** What the local server answers; "silent": nothing yet; or why it lets the superuser not in. */
export type RoleAnswer = "primary" | "replica" | "silent" | { readonly refused: string };

const ASK_MS = 2000;
const STEP_MS = 10;
const PAUSE_MS = 100;
/** Short pauses on a kept session; a recovery that lasts longer than these is not hurried by questions. */
const STEPS_MAX = 100;

/** Asks the local server for its role over one session, which is kept between the questions of one job. */
export class LocalRole implements AsyncDisposable {
  readonly #options: PostgresOptions;
  #session: Session | null = null;
  #steps = 0;

  constructor(options: PostgresOptions) {
    this.#options = options;
  }

  /** One question, two seconds at most. A session that broke is replaced at the next one. */
  async ask(signal: AbortSignal): Promise<RoleAnswer> {
    using deadline = within(ASK_MS, signal);
    try {
      this.#session ??= await this.#open(deadline.signal);
      if (this.#session === null) return "silent";
      const text = "SELECT pg_is_in_recovery() AS yes";
      const [row] = await this.#session.query(text, [], deadline.signal);
      return row?.["yes"] === true ? "replica" : "primary";
    } catch (error) {
      await this[Symbol.asyncDispose]();
      if (error instanceof PostgresUnreachable) return "silent";
      if (!(error instanceof Refused)) throw error;
      return { refused: `Cannot use the started server: ${error.message}` };
    }
  }

  /**
   * The pause before the next question: a tenth of a second; less until the pid file says that clients are let in
   * (PostgreSQL source, pidfile.h), and for the first second on a kept session, where a question costs little.
   */
  async pause(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    if (this.#session !== null) {
      return await clock.sleep(this.#steps++ < STEPS_MAX ? STEP_MS : PAUSE_MS, signal);
    }
    const untilMs = clock.bootMs() + PAUSE_MS;
    const wasReady = await this.#isReady();
    while (!signal.aborted && clock.bootMs() < untilMs) {
      await clock.sleep(STEP_MS, signal);
      if (!wasReady && await this.#isReady()) return;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.close();
  }

  async #open(signal: AbortSignal): Promise<Session | null> {
    const { dataDir, authentication } = this.#options;
    const postmaster = await readPostmaster(dataDir);
    if (postmaster === null) return null;
    const target = localTarget(this.#options, postmaster.file, authentication.superuser);
    return await Session.open(target, signal);
  }

  async #isReady(): Promise<boolean> {
    return (await readPostmaster(this.#options.dataDir))?.file.status === "ready";
  }
}
