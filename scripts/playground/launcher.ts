import { agentProgram } from "./agent_program.ts";
import type { Cluster } from "./cluster.ts";

/**
 * Writes a small program `agent` into the playground, so that commands can be typed; returns its path. Root becomes the
 * user of the playground: the agent runs nothing that another user has unpacked.
 */
export async function writeLauncher(cluster: Cluster): Promise<string> {
  const path = `${cluster.folder}/agent`;
  const text = `#!/bin/sh
if [ "$(id -u)" = 0 ] && [ ! -O "$0" ]; then
  exec setpriv --reuid "$(stat -c %u "$0")" --regid "$(stat -c %g "$0")" --clear-groups "$0" "$@"
fi
AGENT_RUNTIME_DIR='${cluster.folder}/runtime' exec '${agentProgram()}' "$@"
`;
  await Deno.writeTextFile(path, text, { mode: 0o755 });
  return path;
}
