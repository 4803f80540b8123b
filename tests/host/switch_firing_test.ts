import { equal, notEqual } from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { findProcess } from "../../lib/host/processes.ts";
import { knownSwitchFolder } from "../../lib/host/switch_folder.ts";
import { SWITCH_SCRIPT } from "../../lib/host/switch_script.ts";
import { waitFor } from "../../scripts/playground/wait.ts";
import { OBEDIENT, World } from "./switch_world.ts";

Deno.test("arm() tells of no firing for a server that is being stopped already, and still hastens it", async () => {
  await using world = await World.make();
  const server = world.postmaster(OBEDIENT);
  const status = "stopping";
  const lines = [server.pid, world.dataDir, 0, 5432, "", "", "", status].join("\n");
  await Deno.writeTextFile(`${world.dataDir}/postmaster.pid`, `${lines}\n`);
  await world.arm(1500);
  equal((await server.status).code, 0);
  await world.fenced(3000);
  await world.arm(60_000); // its next look is over when it obeys this
  equal(await firingsOf(world), "");
});

Deno.test("arm() tells of a firing for a server that nobody stops", async () => {
  await using world = await World.make();
  const server = world.postmaster(OBEDIENT);
  await world.arm(1500);
  equal((await server.status).code, 0);
  await waitFor("the firing", 3000, async () => {
    const seen = await firingsOf(world);
    return { met: new RegExp(`^\\d+ INT ${server.pid}\\n$`).test(seen) ? true : null, seen };
  });
});

Deno.test("arm() sends INT to the server of the pid file before it searches for others", async () => {
  await using world = await World.make();
  const servers = [world.postmaster(OBEDIENT), world.postmaster(OBEDIENT)];
  // A search goes by these names, so this one would come last in it.
  const [other = "", holder = ""] = servers.map(({ pid }) => `${pid}`).sort();
  await Deno.writeTextFile(`${world.dataDir}/postmaster.pid`, `${holder}\n${world.dataDir}\n`);
  await world.arm(1500);
  await waitFor("both firings", 3000, async () => {
    const seen = await firingsOf(world);
    const inOrder = new RegExp(`^\\d+ INT ${holder}\n\\d+ INT ${other}\n$`).test(seen);
    return { met: inOrder ? true : null, seen };
  });
});

Deno.test("arm() kills the children of the postmaster by its own list, without a search", async () => {
  await using world = await World.make();
  const note = `${world.folder}/child`;
  // Neither its name nor its folder shows it as a part of the server.
  const child = `{ (cd / && exec sleep 600) & echo $! >${note}; }`;
  world.postmaster(
    `trap '' INT QUIT; echo $$ >postmaster.pid; ${child}; while :; do sleep 1; done`,
  );
  const pid = await waitFor("the child", 3000, async () => {
    const seen = await Deno.readTextFile(note);
    return { met: seen.endsWith("\n") ? Number(seen) : null, seen };
  });
  equal(findProcess(pid) === null, false);
  await world.arm(1500);
  await waitFor("its end", 3000, () => {
    const isGone = findProcess(pid) === null;
    return Promise.resolve({ met: isGone ? true : null, seen: "it runs" });
  });
});

Deno.test("rest() ends the fencing, and the next agent can tell after an orderly end of this one", async () => {
  await using world = await World.make();
  const server = world.postmaster(OBEDIENT);
  await world.arm(1200);
  equal(await world.switch.rest(), true);
  await systemClock.sleep(1500);
  notEqual(findProcess(server.pid), null);
  await world.switch.close();
  equal(await world.another().isResting(), true);
});

Deno.test("isResting() is false for a switch that is armed, was disarmed, or was never there", async () => {
  await using world = await World.make();
  equal(await world.switch.isResting(), false);
  await world.arm(60_000);
  equal(await world.switch.isResting(), false);
  await world.switch.disarm();
  equal(await world.switch.isResting(), false);
});

/** What the switch has written down; its folder must be there. */
Deno.test("the switch goes on by its own pauses when the clock's file is gone", async () => {
  await using world = await World.make();
  const uptime = `${world.folder}/uptime`;
  await Deno.writeTextFile(uptime, "100.00 0.00\n");
  await Deno.writeTextFile(`${world.folder}/state`, "armed 101500 104000 105000 106000\n");
  const text = SWITCH_SCRIPT.replaceAll("/proc/uptime", uptime);
  const args = ["-c", 'eval "$3"', "agent-switch", world.folder, world.dataDir, text];
  const child = new Deno.Command("/bin/sh", { args, stderr: "null" }).spawn();
  try {
    world.postmaster(OBEDIENT);
    await waitFor("the switch", 3000, async () => {
      const seen = await Deno.readTextFile(`${world.folder}/pid`).catch(() => "");
      return { met: seen === "" ? null : true, seen };
    });
    await Deno.remove(uptime);
    await world.fenced(8000);
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
});

async function firingsOf(world: World): Promise<string> {
  const folder = await knownSwitchFolder(world.dataDir, world.folder, [`${world.folder}/run`]);
  notEqual(folder, null);
  equal((await Deno.stat(`${folder}/state`)).isFile, true);
  try {
    return await Deno.readTextFile(`${folder}/firings`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
