import { strictEqual } from "node:assert/strict";
import { findPostmaster, parsePostmasterPid } from "../../lib/host/processes.ts";
import { startFile } from "../../scripts/executable/run_file.ts";
import { readOrNull } from "../../scripts/playground/processes.ts";
import { waitFor } from "../../scripts/playground/wait.ts";
import { mounted, onRootPlace } from "./places.ts";

/** A process in a mount namespace of its own, as a unit has one, that works in `path` there. */
async function atPath(mount: string, path: string): Promise<Deno.ChildProcess> {
  const launch = mounted(`${mount} && cd '${path}'`, []);
  const { child } = startFile("sleep", ["60"], { launch });
  await waitFor("the process", 10_000, async () => {
    const seen = await readOrNull(`/proc/${child.pid}/comm`);
    return { met: seen === "sleep\n" ? true : null, seen: `${seen}` };
  });
  return child;
}

function isFound(pid: number, dataDir: string): boolean {
  const file = parsePostmasterPid(`${pid}\n${dataDir}\n`);
  return file !== null && findPostmaster(file, dataDir) !== null;
}

onRootPlace("a server is found by its directory, whatever path it has there", async (place) => {
  const [data, other] = [`${place.folder}/data`, `${place.folder}/other`];
  for (const folder of [data, other]) await Deno.mkdir(folder);
  const bind = (from: string, to: string): string => `mount --bind '${from}' '${to}'`;
  const elsewhere = await atPath(bind(data, other), other);
  const foreign = await atPath(bind(other, data), data);
  try {
    strictEqual(isFound(elsewhere.pid, data), true);
    strictEqual(isFound(foreign.pid, data), false);
  } finally {
    for (const child of [elsewhere, foreign]) child.kill("SIGKILL");
    for (const child of [elsewhere, foreign]) await child.status;
  }
});
