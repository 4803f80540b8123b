import { ConfigError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { AgentConfig } from "../config/agent_config.ts";
import { restartKeys } from "../config/restart_keys.ts";
import type { ReloadEnd } from "../api/context.ts";
import type { SelfView } from "../core/node_view.ts";
import { SelfHolder } from "./self.ts";

/** What a reload is made of. */
export interface ReloadOptions {
  /** In force at the start. */
  readonly config: AgentConfig;
  /** Reads files and environment as at the start. Throws `ConfigError`. */
  readonly reread: () => Promise<AgentConfig>;
  /**
   * Takes over what may change while the agent runs. Throws `ConfigError` when it cannot be used: then all stays. Returns
   * what is to be said besides, or null.
   */
  readonly apply: (config: AgentConfig) => Promise<string | null>;
  /** Has the loop look, and the server reload its files. */
  readonly announce: () => void;
  readonly log: Log;
}

/** Reads the local configuration again (SIGHUP, `POST /reload`). Calls are carried out one after the other. */
export class Reloader {
  readonly #options: ReloadOptions;
  readonly #holder: SelfHolder;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: ReloadOptions) {
    this.#options = options;
    this.#holder = new SelfHolder(options.config);
  }

  /** The facts of this node as of the last read. */
  get self(): SelfView {
    return this.#holder.self;
  }

  /** What can change is in force with the next tick, or the old configuration stays; what to say of it. Never throws. */
  reload(): Promise<ReloadEnd> {
    const done = this.#turn.then(() => this.#read());
    this.#turn = done;
    return done;
  }

  /** Waits until no reload is under way. */
  async idle(): Promise<void> {
    await this.#turn;
  }

  async #read(): Promise<ReloadEnd> {
    const { config, reread, apply, announce, log } = this.#options;
    try {
      const next = await reread();
      const remark = await apply(next);
      this.#holder.take(next);
      announce();
      for (const warning of next.warnings) log.warn(warning);
      if (remark !== null) log.warn(remark);
      const waiting = restartKeys(config, next);
      const rest = waiting.length === 0
        ? ""
        : `; in force after a restart of the agent: ${waiting}`;
      const text = `Reloaded the configuration${rest}`;
      log.info(text);
      return { isTaken: true, text: remark === null ? text : `${text}. ${remark}` };
    } catch (error) {
      const why = error instanceof ConfigError ? error.message : String(error);
      const text = `Cannot reload the configuration, the old one stays in force: ${why}`;
      log.error(text);
      return { isTaken: false, text };
    }
  }
}
