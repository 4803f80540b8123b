import { cleanEnvironment } from "../base/child_environment.ts";
import type { Command, CommandResult } from "./port.ts";

const STDOUT_MAX = 1 << 20;
const STDERR_TAIL_LINES = 20;
const KILL_AFTER_MS = 2000;

/**
 * Runs a program to its end under the C locale, in a process group of its own. A time-out or an abort sends TERM to
 * that group and KILL two seconds later. A program that cannot be started yields exit code 127 with the reason in
 * `stderrTail`; it never throws.
 */
export async function run(command: Command, signal: AbortSignal): Promise<CommandResult> {
  const startedMs = performance.now();
  const child = spawnOrReason(command);
  if (typeof child === "string") return notStarted(child, performance.now() - startedMs);

  const stop = stopper(child.pid, command.timeoutMs, signal);
  const tail: string[] = [];
  try {
    const [stdout, , , status] = await Promise.all([
      boundedText(child.stdout),
      readLines(child.stderr, (line) => {
        keepTail(tail, line);
        command.onStderrLine?.(line);
      }),
      feed(child.stdin, command.stdin),
      child.status,
    ]);
    return {
      exitCode: status.code,
      signal: status.signal,
      stdout,
      stderrTail: tail.join("\n"),
      timedOut: stop.reason === "timeout",
      cancelled: stop.reason === "abort",
      tookMs: performance.now() - startedMs,
    };
  } finally {
    stop.release();
  }
}

function spawnOrReason(command: Command): Deno.ChildProcess | string {
  try {
    return new Deno.Command(command.program, {
      args: [...command.args],
      clearEnv: true,
      env: { ...cleanEnvironment(), LC_ALL: "C", ...command.env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      detached: true,
      ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    }).spawn();
  } catch (error) {
    if (error instanceof Error) return `Cannot run "${command.program}": ${error.message}`;
    throw error;
  }
}

function notStarted(reason: string, tookMs: number): CommandResult {
  const end = { signal: null, stdout: "", timedOut: false, cancelled: false };
  return { ...end, exitCode: 127, stderrTail: reason, tookMs };
}

interface Stopper {
  readonly reason: "timeout" | "abort" | null;
  release(): void;
}

function stopper(pid: number, timeoutMs: number, signal: AbortSignal): Stopper {
  let reason: "timeout" | "abort" | null = null;
  let killTimer: ReturnType<typeof setTimeout> | null = null;
  const stop = (why: "timeout" | "abort"): void => {
    if (reason !== null) return;
    reason = why;
    signalGroup(pid, "SIGTERM");
    killTimer = setTimeout(() => signalGroup(pid, "SIGKILL"), KILL_AFTER_MS);
  };
  const onAbort = (): void => stop("abort");
  const timer = setTimeout(() => stop("timeout"), timeoutMs);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  return {
    get reason() {
      return reason;
    },
    release(): void {
      clearTimeout(timer);
      if (killTimer !== null) clearTimeout(killTimer);
      signal.removeEventListener("abort", onAbort);
    },
  };
}

/** What runs as another user by sudo cannot be signalled: then its own end is waited for. */
function signalGroup(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(-pid, name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
  }
}

async function boundedText(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    if (text.length < STDOUT_MAX) text += decoder.decode(chunk, { stream: true });
  }
  return text.slice(0, STDOUT_MAX);
}

/** Carriage returns end lines too: progress displays rewrite one line. */
async function readLines(
  stream: ReadableStream<Uint8Array>,
  onLine: (line: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/[\r\n]/);
    rest = (lines.pop() ?? "").slice(-STDOUT_MAX);
    for (const line of lines) if (line !== "") onLine(line);
  }
  if (rest !== "") onLine(rest);
}

function keepTail(tail: string[], line: string): void {
  tail.push(line);
  if (tail.length > STDERR_TAIL_LINES) tail.shift();
}

async function feed(stdin: WritableStream<Uint8Array>, text: string | undefined): Promise<void> {
  const writer = stdin.getWriter();
  try {
    if (text !== undefined) await writer.write(new TextEncoder().encode(text));
    await writer.close();
  } catch (error) {
    // The program ended without reading its input: its exit code tells how.
    if (!(error instanceof Error)) throw error;
  }
}
