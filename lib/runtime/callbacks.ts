import type { Log } from "../base/log.ts";
import { traced } from "../base/log_event.ts";
import { tellCallbacks } from "../core/callbacks.ts";
import type { CallbackCall, CallbackFacts, CallbackKind, Told } from "../core/callbacks.ts";
import type { RunningHook, StartHook } from "../host/port.ts";
import { outlasts } from "./clock_deadline.ts";

/** What callbacks are made of. */
export interface CallbackOptions {
  /** The words of each configured callback. */
  readonly commands: Readonly<Partial<Record<CallbackKind, readonly string[]>>>;
  readonly scope: string;
  readonly start: StartHook;
  readonly log: Log;
}

/**
 * Runs the programs of `postgresql.callbacks` beside the loop. A new one ends the running one with its children first,
 * and of several that wait only the newest is run; `on_reload` has a lane of its own, so that it ends no other.
 */
export class Callbacks {
  readonly #options: CallbackOptions;
  readonly #changes: Lane;
  readonly #reloads: Lane;
  #commands: CallbackOptions["commands"];
  #told: Told = null;

  constructor(options: CallbackOptions) {
    this.#options = options;
    this.#commands = options.commands;
    this.#changes = new Lane(options);
    this.#reloads = new Lane(options);
  }

  /** A round of the loop has ended: whatever it showed is told at once and not waited for. */
  look(facts: CallbackFacts): void {
    const { told, calls } = tellCallbacks(this.#told, facts);
    this.#told = told;
    for (const call of calls) this.#call(call);
  }

  /** The programs to run from now on. */
  take(commands: CallbackOptions["commands"]): void {
    this.#commands = commands;
  }

  /** Waits for what still runs until `signal` aborts; it then goes on without the agent. */
  async drain(signal: AbortSignal): Promise<void> {
    await outlasts(Promise.all([this.#changes.idle(), this.#reloads.idle()]), signal);
  }

  #call({ kind, role }: CallbackCall): void {
    const words = this.#commands[kind];
    if (words === undefined) return;
    const lane = kind === "on_reload" ? this.#reloads : this.#changes;
    lane.run([...words, kind, role, this.#options.scope]);
  }
}

/** One program at a time, the newest wins. */
class Lane {
  readonly #start: StartHook;
  readonly #log: Log;
  #next: readonly string[] | null = null;
  #running: RunningHook | null = null;
  #turn: Promise<void> = Promise.resolve();

  constructor({ start, log }: CallbackOptions) {
    this.#start = start;
    this.#log = log;
  }

  run(words: readonly string[]): void {
    this.#next = words;
    this.#turn = this.#turn.then(() => this.#replace()).catch((error: unknown) => {
      this.#log.error(`Cannot run a callback: ${String(error)}`, traced(error));
    });
  }

  async idle(): Promise<void> {
    await this.#turn;
    await this.#running?.ended;
  }

  async #replace(): Promise<void> {
    const words = this.#next;
    if (words === null) return;
    this.#next = null;
    await this.#running?.kill();
    const hook = this.#start(words);
    this.#running = hook;
    const name = words.slice(-3).join(" ");
    this.#log.info(`Callback ${name} has started`);
    void hook.ended.then((code) => {
      if (this.#running === hook) this.#running = null;
      if (code !== 0) this.#log.warn(`Callback ${name} ended with exit code ${code}`);
    });
  }
}
