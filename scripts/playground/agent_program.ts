import { fileURLToPath } from "node:url";

const EXECUTABLE = fileURLToPath(new URL("../../dist/agent", import.meta.url));

/** The agent as it is installed. Throws when it was not built: scripts/test and scripts/demo do it first. */
export function agentProgram(): string {
  try {
    Deno.statSync(EXECUTABLE);
  } catch (cause) {
    throw new Error(`Cannot find ${EXECUTABLE}: run deno task compile`, { cause });
  }
  return EXECUTABLE;
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
  return await runToEnd([agentProgram(), ...args], input);
}

/** The same with a terminal of its own, in which `stdin` is typed; stdout and stderr come together in stdout. */
export async function runAgentInTerminal(
  args: readonly string[],
  input: CliInput = {},
): Promise<CliResult> {
  const words = [agentProgram(), ...args].map((word) => `'${word}'`);
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
