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

/** Runs one command of the agent to its end, at most a minute. */
export async function runAgentCommand(args: readonly string[]): Promise<CliResult> {
  const output = await new Deno.Command(agentProgram(), {
    args: [...args],
    stdin: "null",
    signal: AbortSignal.timeout(60_000),
  }).output();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code: output.code, stdout: text(output.stdout), stderr: text(output.stderr) };
}
