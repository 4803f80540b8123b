import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** Deno lets a program read `/proc` (boot clock, identity of processes) only with every permission. */
const PERMISSIONS = "--allow-all";

/** Words after `deno` that run the agent with these arguments. */
export function agentArgs(args: readonly string[]): readonly string[] {
  return ["run", "--quiet", "--no-prompt", "--cached-only", PERMISSIONS, MAIN, ...args];
}

/** How a command of the agent ended. */
export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a command is given besides its words. */
export interface CliInput {
  /** null: nothing to read. */
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Runs one command of the agent to its end, at most a minute. */
export async function runAgentCommand(
  args: readonly string[],
  input: CliInput = {},
): Promise<CliResult> {
  return await runToEnd([Deno.execPath(), ...agentArgs(args)], input);
}

/** The same with a terminal of its own, in which `stdin` is typed; stdout and stderr come together in stdout. */
export async function runAgentInTerminal(
  args: readonly string[],
  input: CliInput = {},
): Promise<CliResult> {
  const words = [Deno.execPath(), ...agentArgs(args)].map((word) => `'${word}'`);
  return await runToEnd(["script", "-qec", words.join(" "), "/dev/null"], input);
}

async function runToEnd(
  [program = "", ...args]: readonly string[],
  { stdin, env = {}, cwd }: CliInput,
): Promise<CliResult> {
  const child = new Deno.Command(program, {
    args,
    env,
    ...(cwd === undefined ? {} : { cwd }),
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(60_000),
  }).spawn();
  if (stdin !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(stdin));
    await writer.close();
  }
  const { code, ...output } = await child.output();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code, stdout: text(output.stdout), stderr: text(output.stderr) };
}
