import type { Log } from "../base/log.ts";
import type { Decision, Outcome } from "../core/action.ts";
import { encodeJson } from "../core/codec.ts";
import type { Memory } from "../core/memory.ts";
import type { NodeView } from "../core/node_view.ts";
import { replaceFile } from "./state_file.ts";

/** One recorded round: the whole input of `decide` and what came of it. */
export interface RecordedTick {
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** The view and the memory that were given to `decide`. */
  readonly view: NodeView;
  readonly memory: Memory;
  readonly decision: Decision;
  readonly outcomes: readonly Outcome[];
}

/** Where the recorder keeps its file; `ticks.jsonl` in the state directory. */
export interface TickFile {
  append(lines: string): Promise<void>;
  replace(text: string): Promise<void>;
}

/** Distinct rounds that are kept. */
export const TICKS_MAX = 300;

/**
 * The flight recorder: the last distinct rounds as JSON lines (`encodeJson` of a `RecordedTick`), for
 * `agent explain`. Rounds with the same rule, reason and outcomes as the one before are not repeated. Writing never holds
 * up the loop, and a disk that is full costs the record, nothing else.
 */
export class Recorder {
  readonly #file: TickFile;
  readonly #log: Log;
  readonly #ring: string[] = [];
  #lastKey = "";
  #unwritten: string[] = [];
  #linesInFile = Infinity; // the first write replaces the file of the process before
  #writing: Promise<void> | null = null;

  constructor(file: TickFile, log: Log) {
    this.#file = file;
    this.#log = log;
  }

  /** Keeps the round when it differs from the one before. */
  record(tick: RecordedTick): void {
    const key = keyOf(tick);
    if (key === this.#lastKey) return;
    this.#lastKey = key;
    const line = `${encodeJson(tick)}\n`;
    this.#ring.push(line);
    if (this.#ring.length > TICKS_MAX) this.#ring.shift();
    this.#unwritten.push(line);
    if (this.#unwritten.length > TICKS_MAX) this.#unwritten.shift();
    this.#writing ??= this.#write();
  }

  /** Waits until what was recorded is in the file. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    try {
      while (this.#unwritten.length > 0) await this.#writeOnce();
    } catch (error) {
      this.#log.warn(`Cannot record ticks: ${String(error)}`);
    } finally {
      this.#writing = null;
    }
  }

  async #writeOnce(): Promise<void> {
    const lines = this.#unwritten;
    this.#unwritten = [];
    if (this.#linesInFile + lines.length <= 2 * TICKS_MAX) {
      this.#linesInFile += lines.length;
      return await this.#file.append(lines.join(""));
    }
    this.#linesInFile = this.#ring.length;
    await this.#file.replace(this.#ring.join(""));
  }
}

/** `ticks.jsonl` on disk: appended to, and replaced by rename when it has grown to twice the ring. */
export function tickFile(stateDir: string): TickFile {
  const path = `${stateDir}/ticks.jsonl`;
  return {
    append: (lines) => Deno.writeTextFile(path, lines, { append: true, mode: 0o600 }),
    replace: (text) => replaceFile(path, text),
  };
}

function keyOf({ decision, outcomes }: RecordedTick): string {
  const ends = outcomes.map(({ action, result, reason }) => [action.kind, result, reason]);
  return JSON.stringify([decision.rule, decision.why, ends]);
}
