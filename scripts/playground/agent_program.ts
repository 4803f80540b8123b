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

/** Runs one command of the agent to its end, at most a minute. */
export async function runAgentCommand(args: readonly string[]): Promise<CliResult> {
  const output = await new Deno.Command(Deno.execPath(), {
    args: [...agentArgs(args)],
    stdin: "null",
    signal: AbortSignal.timeout(60_000),
  }).output();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code: output.code, stdout: text(output.stdout), stderr: text(output.stderr) };
}
