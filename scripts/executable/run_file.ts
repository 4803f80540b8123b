const RUN_MS = 60_000;

/** How a program ended. `output`: what it wrote, both streams. */
export interface Ended {
  readonly code: number;
  readonly output: string;
}

/** How to run it. `launch`: words before its command line, such as `setpriv`. */
export interface Manner {
  readonly env?: Readonly<Record<string, string>>;
  readonly launch?: readonly string[];
  readonly cwd?: string;
}

/** Runs a program to its end with no environment but PATH and what is given; KILL after a minute. */
export async function runFile(
  file: string,
  args: readonly string[],
  manner: Manner = {},
): Promise<Ended> {
  const { child, ended } = startFile(file, args, manner);
  const killer = setTimeout(() => child.kill("SIGKILL"), RUN_MS);
  try {
    return await ended;
  } finally {
    clearTimeout(killer);
  }
}

/** A program that runs, and its end. `written`: what of its output was read until now. */
export interface Started {
  readonly child: Deno.ChildProcess;
  readonly written: () => string;
  readonly ended: Promise<Ended>;
}

/** The same without waiting for its end. */
export function startFile(file: string, args: readonly string[], manner: Manner = {}): Started {
  const { env = {}, launch = [], cwd = "/" } = manner;
  const [program = "", ...rest] = [...launch, file, ...args];
  const child = new Deno.Command(program, {
    args: rest,
    clearEnv: true,
    env: { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin", ...env },
    cwd,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const out = new Collector(child.stdout);
  const err = new Collector(child.stderr);
  const written = (): string => out.text + err.text;
  const ended = Promise.all([child.status, out.done, err.done]).then(([{ code }]) => {
    return { code, output: written() };
  });
  return { child, written, ended };
}

/** Reads a stream to its end. */
class Collector {
  text = "";
  readonly done: Promise<void>;

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.done = this.#read(stream);
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const part of stream.pipeThrough(new TextDecoderStream())) this.text += part;
  }
}

/** Resident memory of a process in MB. */
export async function residentMb(pid: number): Promise<number> {
  const [, kb] = /^VmRSS:\s+(\d+) kB$/m.exec(await Deno.readTextFile(`/proc/${pid}/status`)) ?? [];
  if (kb === undefined) throw new Error(`Cannot read the memory of process ${pid}`);
  return Number(kb) / 1024;
}

const HUP_BIT = 1n;
const USR1_BIT = 1n << 9n;

/** True while the process keeps USR1 blocked: then the signal reaches nobody. */
export async function isUsr1Blocked(pid: number): Promise<boolean> {
  return (await signalsOf(pid, "SigBlk") & USR1_BIT) !== 0n;
}

/** True while the process ignores HUP. */
export async function isHupIgnored(pid: number): Promise<boolean> {
  return (await signalsOf(pid, "SigIgn") & HUP_BIT) !== 0n;
}

/** A set of signals of /proc/PID/status (proc(5)): bit 0 is signal 1. */
async function signalsOf(pid: number, key: "SigBlk" | "SigIgn"): Promise<bigint> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const [, mask] = new RegExp(`^${key}:\\s+([0-9a-f]+)$`, "m").exec(status) ?? [];
  return mask === undefined ? 0n : BigInt(`0x${mask}`);
}
