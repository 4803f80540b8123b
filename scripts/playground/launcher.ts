import { fileURLToPath } from "node:url";
import { agentArgs } from "./agent_program.ts";
import type { Cluster } from "./cluster.ts";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

/** Writes a small program `agent` into the playground, so that commands can be typed; returns its path. */
export async function writeLauncher(cluster: Cluster): Promise<string> {
  const path = `${cluster.folder}/agent`;
  const cache = Deno.env.get("DENO_DIR") ?? "";
  const words = [Deno.execPath(), ...agentArgs([])].map((word) => `'${word}'`).join(" ");
  const text = `#!/bin/sh\ncd '${PROJECT}' && DENO_DIR='${cache}' exec ${words} "$@"\n`;
  await Deno.writeTextFile(path, text, { mode: 0o755 });
  return path;
}
