import { constants } from "node:fs";
import { access } from "node:fs/promises";
import type { WatchdogAnswer, WatchdogDevice } from "./port.ts";
import { deviceTimeoutS, setDeviceTimeout } from "./watchdog_ioctl.ts";

/** Disarms the timer when it is the last byte before the close (Linux, watchdog-api: magic close). */
const MAGIC_CLOSE = "V";

/** A file that takes the events of a watchdog. */
class EventFile {
  readonly path: string;
  #file: Deno.FsFile | null = null;

  constructor(path: string) {
    this.path = path;
  }

  async check(): Promise<string | null> {
    try {
      await access(this.path, constants.W_OK);
      return null;
    } catch (error) {
      return reasonOf(error);
    }
  }

  async open(): Promise<string | null> {
    try {
      this.#file ??= await Deno.open(this.path, { write: true, append: true });
      return null;
    } catch (error) {
      return reasonOf(error);
    }
  }

  async write(text: string): Promise<string | null> {
    if (this.#file === null) return "it is not open";
    try {
      await this.#file.write(new TextEncoder().encode(text));
      return null;
    } catch (error) {
      return reasonOf(error);
    }
  }

  close(): void {
    this.#file?.close();
    this.#file = null;
  }
}

/** Opens nothing yet. `driver` "testing" writes the events as text, so that a test can read what a device would get. */
export function watchdogDevice(
  path: string,
  driver: "default" | "testing",
): WatchdogDevice {
  return driver === "testing" ? new TestingWatchdog(path) : new LinuxWatchdog(path);
}

/** A device of the Linux watchdog API. */
class LinuxWatchdog implements WatchdogDevice {
  readonly #file: EventFile;

  constructor(path: string) {
    this.#file = new EventFile(path);
  }

  check(): Promise<string | null> {
    return this.#file.check();
  }

  /** The kernel's timer runs from here on, so a device that is of no use is closed in order at once. */
  async open(timeoutS: number): Promise<WatchdogAnswer> {
    const fault = await this.#file.open();
    if (fault !== null) return failed(fault);
    const answer = await this.setTimeout(timeoutS);
    if (answer.kind === "failed") await this.close();
    return answer;
  }

  /** Without the right to call the C library, or when the driver takes no order, the timeout of the driver holds. */
  async setTimeout(timeoutS: number): Promise<WatchdogAnswer> {
    const set = await setDeviceTimeout(this.#file.path, timeoutS);
    if (typeof set === "number") return { kind: "done", timeoutS: set };
    const present = await deviceTimeoutS(this.#file.path);
    if (present !== null) return { kind: "done", timeoutS: present, note: set.why };
    return failed(`${set.why}, and its timeout cannot be read`);
  }

  keepAlive(): Promise<string | null> {
    return this.#file.write("1");
  }

  async close(): Promise<string | null> {
    const fault = await this.#file.write(MAGIC_CLOSE);
    this.#file.close();
    return fault;
  }
}

/** Writes `Ctimeout=<seconds>` and a newline, `1` for each keep-alive and `V` at the close. */
class TestingWatchdog implements WatchdogDevice {
  readonly #file: EventFile;

  constructor(path: string) {
    this.#file = new EventFile(path);
  }

  check(): Promise<string | null> {
    return this.#file.check();
  }

  async open(timeoutS: number): Promise<WatchdogAnswer> {
    const fault = await this.#file.open();
    return fault === null ? await this.setTimeout(timeoutS) : failed(fault);
  }

  async setTimeout(timeoutS: number): Promise<WatchdogAnswer> {
    const fault = await this.#file.write(`Ctimeout=${timeoutS}\n`);
    return fault === null ? { kind: "done", timeoutS } : failed(fault);
  }

  keepAlive(): Promise<string | null> {
    return this.#file.write("1");
  }

  async close(): Promise<string | null> {
    const fault = await this.#file.write(MAGIC_CLOSE);
    this.#file.close();
    return fault;
  }
}

function failed(why: string): WatchdogAnswer {
  return { kind: "failed", why };
}

function reasonOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  throw error;
}
