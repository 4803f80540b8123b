import { equal, notEqual, ok } from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { switchDeadline } from "../../lib/core/switch_status.ts";
import { findProcess } from "../../lib/host/processes.ts";
import { SwitchFiles } from "../../lib/host/switch_files.ts";
import { leafOf } from "../../lib/host/switch_folder.ts";
import { startSwitch } from "../../lib/host/switch_process.ts";
import { OBEDIENT, STUBBORN, switchPid, TIMING, until, World } from "./switch_world.ts";

/** A world whose data directory has a second path, by a link. */
async function linkedWorld(): Promise<World & { readonly link: string }> {
  const world = await World.make();
  const link = `${world.folder}/link`;
  await Deno.symlink("data", link);
  return Object.assign(world, { link });
}

/** A switch as agents made it that named it by the text of `data_dir`: its process, and its files. */
async function switchOfOld(
  world: World,
  path: string,
  leftMs: number,
): Promise<{ readonly files: SwitchFiles; readonly pid: number }> {
  const parent = `${world.folder}/run/agent-${Deno.uid()}`;
  const folder = `${parent}/${leafOf(path)}`;
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  await Deno.chmod(parent, 0o700);
  const files = new SwitchFiles(folder);
  await files.order(switchDeadline(systemClock.bootMs() + leftMs, TIMING));
  const found = await startSwitch({ folder, dataDir: path, files, clock: systemClock });
  notEqual(found, null);
  return { files, pid: found?.pid ?? 0 };
}

const PATHS = ["link", "link/", "data/", "./data", "run/../data", "link/../data", "/data"];
for (const path of PATHS) {
  Deno.test(`resume() finds the switch of the directory that "${path}" names`, async () => {
    await using world = await linkedWorld();
    const endsMs = await world.arm(60_000);
    const next = world.another(`${world.folder}/${path}`);
    await next.resume();
    equal(next.status().pid, switchPid(world));
    equal(next.view()?.endsMs, endsMs);
  });
}

Deno.test("arm() guards a directory that is made later, by each path to it", async () => {
  await using world = await World.make();
  await Deno.symlink(".", `${world.folder}/here`);
  await Deno.remove(world.dataDir);
  const first = world.another(`${world.folder}/here/data`);
  const endsMs = systemClock.bootMs() + 60_000;
  equal(await first.arm(switchDeadline(endsMs, TIMING)), true);
  await Deno.mkdir(world.dataDir);
  const next = world.another();
  await next.resume();
  equal(next.status().pid, first.status().pid);
  equal(next.view()?.endsMs, endsMs);
});

Deno.test("arm() is the only guard after the take-over of a switch by another path", async () => {
  await using world = await linkedWorld();
  const old = await switchOfOld(world, world.link, 2500);
  const server = world.postmaster(OBEDIENT);
  await world.switch.resume();
  ok(world.switch.view()?.inherited);
  await world.arm(60_000);
  await until("the end of the old switch", () => findProcess(old.pid) === null);
  await systemClock.sleep(3000);
  notEqual(findProcess(server.pid), null);
  equal(await old.files.deadline(), null);
});

Deno.test("arm() and disarm() end a switch by another path, also when resume() was not heard", async () => {
  for (const order of ["arm", "disarm"] as const) {
    await using world = await linkedWorld();
    const old = await switchOfOld(world, world.link, 60_000);
    if (order === "arm") await world.arm(60_000);
    else equal(await world.switch.disarm(), true);
    await until("the end of the old switch", () => findProcess(old.pid) === null);
  }
});

Deno.test("resume() keeps the deadline of a switch by another path in force", async () => {
  await using world = await linkedWorld();
  const old = await switchOfOld(world, world.link, 2000);
  world.postmaster(STUBBORN);
  await world.switch.resume();
  await until("the end of the old switch", () => findProcess(old.pid) === null);
  await world.fenced(4000);
  ok(world.switch.status().pid !== null);
});

Deno.test("resume() takes the deadline that ends last, as only one lease can be the newest", async () => {
  await using world = await linkedWorld();
  await switchOfOld(world, world.link, 30_000);
  const endsMs = await world.arm(60_000);
  await switchOfOld(world, world.link, 30_000);
  const next = world.another();
  await next.resume();
  equal(next.view()?.endsMs, endsMs);
});

Deno.test("resume() finds that a switch by another path rests", async () => {
  await using world = await linkedWorld();
  const old = await switchOfOld(world, world.link, 60_000);
  await old.files.order("resting");
  await world.switch.resume();
  equal(world.switch.view(), null);
  equal(await world.switch.isResting(), true);
  await until("the end of the old switch", () => findProcess(old.pid) === null);
});

Deno.test("resume() leaves the switch of another directory alone", async () => {
  await using world = await World.make();
  await Deno.mkdir(`${world.folder}/other`);
  const other = world.another(`${world.folder}/other`);
  const endsMs = systemClock.bootMs() + 60_000;
  equal(await other.arm(switchDeadline(endsMs, TIMING)), true);
  const own = world.another();
  await own.resume();
  equal(own.view(), null);
  equal(await own.arm(switchDeadline(endsMs + 1, TIMING)), true);
  notEqual(other.status().pid, null);
  equal(other.status().armed, true);
  await own.disarm();
  await own.close();
  world.switches.pop();
});
