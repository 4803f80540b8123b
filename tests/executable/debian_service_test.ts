import { match, strictEqual } from "node:assert/strict";
import { openDoor, writeProbe } from "../../scripts/executable/probe.ts";
import { startFile } from "../../scripts/executable/run_file.ts";
import { signalPid } from "../../scripts/playground/processes.ts";
import { waitFor } from "../../scripts/playground/wait.ts";
import { AS_POSTGRES, mounted, onRootPlace, sh } from "./places.ts";

onRootPlace("a start warns of a service of Debian for the same directory", async (place) => {
  await using store = openDoor();
  const config = await writeProbe(place.folder, store.port);
  const [, dataDir = ""] = /data_dir"?: "?([^",\n]+)/.exec(await Deno.readTextFile(config)) ?? [];
  await sh(`chown postgres '${config}' '${place.folder}'`);
  const debian = `mount -t tmpfs tmpfs /etc/postgresql && mkdir -p /etc/postgresql/15/main &&
    echo "data_directory = '${dataDir}'" >/etc/postgresql/15/main/postgresql.conf &&
    echo auto >/etc/postgresql/15/main/start.conf`;
  const { child, ended } = startFile(place.file, [config], {
    launch: mounted(debian, AS_POSTGRES),
    env: { AGENT_RUNTIME_DIR: place.runtime },
  });
  try {
    await waitFor("a question to the store", 20_000, () => {
      return Promise.resolve({ met: store.visits > 0 ? true : null, seen: "none" });
    });
    signalPid(child.pid, "SIGTERM");
    const { code, output } = await ended;
    strictEqual(code, 0, output);
    match(output, /WARNING: The service postgresql@15-main would start this server.*"manual"/);
    strictEqual(output.split("postgresql@15-main").length, 2, output); // once
  } finally {
    signalPid(child.pid, "SIGKILL"); // it has ended unless a check before failed
    await ended;
  }
});
