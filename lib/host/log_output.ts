import { systemClock } from "../base/clock.ts";
import type { LineOutput } from "../base/log_queue.ts";

/** Between tries of a stderr that another process has made non-blocking. */
const AGAIN_MS = 20;
/** The file of Patroni, which log shippers know; older ones end in .1, .2 and so on. */
const FILE_NAME = "patroni.log";
/** After a fault of the files stderr takes the lines for so long. */
const FALLBACK_MS = 10_000;

/** The standard error of the process. The runtime writes on a thread of its own, so a full pipe stalls nobody else. */
export const stderrOutput: LineOutput = {
  write: (text) => writeAll(Deno.stderr, text),
  close: () => Promise.resolve(),
};

/** Where log files go and how many there may be. */
export interface FileOptions {
  /** Absolute. Made when it is missing. */
  readonly dir: string;
  /** Older files that are kept beside the present one. */
  readonly count: number;
  /** Bytes at which a file is closed; 0: never. */
  readonly sizeMax: number;
  /** Permissions; null: by the umask. */
  readonly mode: number | null;
}

/**
 * Log files with rotation. Nothing here is synchronous: a disk that hangs holds up the log alone. While the files
 * cannot be written, lines go to `fallback`, with one line that says why.
 */
export class FileOutput implements LineOutput {
  readonly #options: FileOptions;
  readonly #fallback: LineOutput;
  #file: Deno.FsFile | null = null;
  #size = 0;
  #failedAtMs = -Infinity;

  constructor(options: FileOptions, fallback: LineOutput) {
    this.#options = options;
    this.#fallback = fallback;
  }

  /** The present file. */
  get path(): string {
    return `${this.#options.dir}/${FILE_NAME}`;
  }

  async write(text: string): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - this.#failedAtMs < FALLBACK_MS) return await this.#fallback.write(text);
    try {
      await this.#append(text);
    } catch (error) {
      this.#failedAtMs = nowMs;
      this.#forget();
      const why = `Cannot write the log file ${this.path}: ${String(error)}\n`;
      await this.#fallback.write(why + text);
    }
  }

  close(): Promise<void> {
    this.#forget();
    return Promise.resolve();
  }

  /** Line by line where a file would grow too long. */
  async #append(text: string): Promise<void> {
    const { sizeMax } = this.#options;
    this.#file ??= await this.#open();
    const fits = sizeMax === 0 || this.#size + byteLength(text) <= sizeMax;
    const pieces = fits ? [text] : text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
    for (const piece of pieces) {
      const length = byteLength(piece);
      const isFull = sizeMax > 0 && this.#size > 0 && this.#size + length > sizeMax;
      const file: Deno.FsFile = isFull ? await this.#rotate() : this.#file;
      await writeAll(file, piece);
      this.#size += length;
    }
  }

  async #open(): Promise<Deno.FsFile> {
    const { dir, mode } = this.#options;
    await Deno.mkdir(dir, { recursive: true });
    const isNew = { write: true, create: true, append: true };
    const file = await Deno.open(this.path, mode === null ? isNew : { ...isNew, mode });
    try {
      this.#size = (await file.stat()).size;
      if (mode !== null) await Deno.chmod(this.path, mode);
    } catch (error) {
      file.close();
      throw error;
    }
    return file;
  }

  /** `patroni.log` becomes `.1`, `.1` becomes `.2`; the last one is overwritten. */
  async #rotate(): Promise<Deno.FsFile> {
    this.#forget();
    const { count } = this.#options;
    for (let number = count; number >= 1; number--) {
      const from = number === 1 ? this.path : `${this.path}.${number - 1}`;
      await renameIfThere(from, `${this.path}.${number}`);
    }
    if (count === 0) await Deno.truncate(this.path);
    return this.#file = await this.#open();
  }

  #forget(): void {
    this.#file?.close();
    this.#file = null;
  }
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await Deno.rename(from, to);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

interface ByteSink {
  write(bytes: Uint8Array): Promise<number>;
}

async function writeAll(to: ByteSink, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  let written = 0;
  while (written < bytes.length) {
    try {
      written += await to.write(bytes.subarray(written));
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      await systemClock.sleep(AGAIN_MS);
    }
  }
}
