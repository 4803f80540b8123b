import { runDeno } from "./bundle.ts";
import { V8_FLAGS } from "./launcher.ts";

/** Long enough to fetch 40 MB over a slow line, short enough where a firewall drops every packet. */
const COMPILE_MS = 90_000;

/**
 * The bundled program as `deno compile` makes it. Needs the base program `denort`: from DENORT_BIN, from Deno's cache, or
 * fetched. Returns the reason when it cannot be had in time, or when what comes out is not the agent: a wrong base
 * program is taken without a complaint.
 */
export async function compileProgram(folder: string): Promise<Uint8Array | string> {
  const output = `${folder}/compiled`;
  const words = ["compile", "--quiet", "--no-config", "--no-lock", "--no-remote", "--no-npm"];
  const rights = ["--no-prompt", "--unstable-net", "--allow-all", V8_FLAGS];
  const program = `${folder}/agent.js`;
  const files = ["--include", `${program}.map`, "--output", output, program];
  try {
    await runDeno([...words, ...rights, ...files], {
      cwd: folder,
      timeoutMs: COMPILE_MS,
    });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return shortReason(error.message);
  }
  const { success, stdout } = await new Deno.Command(output, {
    args: ["--version"],
    stdin: "null",
    signal: AbortSignal.timeout(10_000),
  }).output();
  const said = new TextDecoder().decode(stdout);
  if (success && said.startsWith("agent ")) return await Deno.readFile(output);
  return "what deno compile wrote is not the agent; is DENORT_BIN really denort?";
}

/** Deno names every layer that the fault passed; the one that names the address says most. */
function shortReason(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.find((line) => /^\d+: .*(https?:|denort)/.test(line)) ?? lines[0] ?? text;
}
