import { deepStrictEqual } from "node:assert/strict";
import { fileURLToPath } from "node:url";

const SCRIPT = `
import { sayAtInterrupt } from "${new URL("../../lib/cli/interrupt.ts", import.meta.url)}";
import { terminalOutput } from "${new URL("../../lib/cli/output.ts", import.meta.url)}";
{
  using _said = sayAtInterrupt(terminalOutput, "never said\\n");
}
using _said = sayAtInterrupt(terminalOutput, "goes on there\\n");
Deno.kill(Deno.pid, "SIGINT");
await new Promise((resolve) => setTimeout(resolve, 60_000));
`;

Deno.test("sayAtInterrupt() says what goes on, and the signal still ends the program", async () => {
  const cwd = fileURLToPath(new URL("../..", import.meta.url));
  const args = ["eval", "--no-check", SCRIPT];
  const command = new Deno.Command(Deno.execPath(), { args, cwd, env: { NO_COLOR: "1" } });
  const { signal, stderr } = await command.output();
  deepStrictEqual([signal, new TextDecoder().decode(stderr)], ["SIGINT", "goes on there\n"]);
});
