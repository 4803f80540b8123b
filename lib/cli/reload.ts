import { ConfigError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { AgentConfig } from "../config/agent_config.ts";
import { restartKeys } from "../config/restart_keys.ts";
import type { SelfView } from "../core/node_view.ts";
import { SelfHolder } from "./self.ts";

/** What a reload is made of. */
export interface ReloadOptions {
  /** In force at the start. */
  readonly config: AgentConfig;
  /** Reads files and environment as at the start. Throws `ConfigError`. */
  readonly reread: () => Promise<AgentConfig>;
  /** Takes over what may change while the agent runs. Throws `ConfigError` when it cannot be used: then all stays. */
  readonly apply: (config: AgentConfig) => Promise<void>;
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

  /** Null when what can change is in force with the next tick; else why the old configuration stays. Never throws. */
  reload(): Promise<string | null> {
    const done = this.#turn.then(() => this.#read());
    this.#turn = done;
    return done;
  }

  /** Waits until no reload is under way. */
  async idle(): Promise<void> {
    await this.#turn;
  }

  async #read(): Promise<string | null> {
    const { config, reread, apply, announce, log } = this.#options;
    try {
      const next = await reread();
      await apply(next);
      this.#holder.take(next);
      announce();
      for (const warning of next.warnings) log.warn(warning);
      const waiting = restartKeys(config, next);
      const rest = waiting.length === 0
        ? ""
        : `; in force after a restart of the agent: ${waiting}`;
      log.info(`Reloaded the configuration${rest}`);
      return null;
    } catch (error) {
      const why = error instanceof ConfigError ? error.message : String(error);
      log.error(`Cannot reload the configuration, the old one stays in force: ${why}`);
      return why;
    }
  }
}
