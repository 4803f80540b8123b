import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { runFile } from "../../scripts/executable/run_file.ts";

const UNIT = new URL("../../scripts/agent.service", import.meta.url);

/** Every `Key=value` of the section [Service]; a key that comes twice has both values. */
async function serviceKeys(): Promise<ReadonlyMap<string, readonly string[]>> {
  const [, section = ""] = (await Deno.readTextFile(UNIT)).split(/^\[Service\]$/m);
  const keys = new Map<string, readonly string[]>();
  for (const line of section.split(/^\[/m)[0]?.split("\n") ?? []) {
    const [, key = "", value = ""] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (key !== "") keys.set(key, [...keys.get(key) ?? [], value]);
  }
  return keys;
}

Deno.test("the unit's end and restart leave the server and the switch to the agent", async () => {
  const keys = await serviceKeys();
  const found = ["KillMode", "TimeoutStopSec", "Restart", "Type", "OOMPolicy"].map((key) =>
    keys.get(key)
  );
  deepStrictEqual(found, [["process"], ["infinity"], ["always"], ["notify"], ["continue"]]);
  deepStrictEqual(keys.get("Environment"), [
    "PG_OOM_ADJUST_FILE=/proc/self/oom_score_adj",
    "PG_OOM_ADJUST_VALUE=0",
  ]);
});

Deno.test("the unit is not restarted after exit codes that only a human can cure", async () => {
  deepStrictEqual((await serviceKeys()).get("RestartPreventExitStatus"), ["2 70 71 78"]);
});

Deno.test("the unit hides nothing that agent, switch or server need", async () => {
  const keys = await serviceKeys();
  const harmful = ["PrivateTmp", "PrivateDevices", "ProtectClock", "ProtectProc", "ProcSubset"];
  const found = [
    ...harmful,
    "MemoryDenyWriteExecute",
    "PrivateNetwork",
    "PrivateUsers",
    "DynamicUser",
  ]
    .filter((key) => keys.has(key));
  deepStrictEqual(found, []);
  strictEqual(keys.get("NoNewPrivileges")?.[0], "yes");
});

Deno.test("systemd understands every line of the unit", async (step) => {
  const isThere = (await runFile("sh", ["-c", "command -v systemd-analyze"])).code === 0;
  await step.step({
    name: "systemd-analyze verify",
    ignore: !isThere,
    fn: async () => {
      const folder = await Deno.makeTempDir();
      try {
        const text = await Deno.readTextFile(UNIT);
        const path = `${folder}/agent.service`;
        await Deno.writeTextFile(path, text.replace("/usr/local/bin/agent ", "/bin/true "));
        deepStrictEqual(await runFile("systemd-analyze", ["verify", path]), {
          code: 0,
          output: "",
        });
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
});
