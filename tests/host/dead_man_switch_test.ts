import { equal, notEqual, ok } from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { switchDeadline } from "../../lib/core/switch_status.ts";
import { ShellSwitch } from "../../lib/host/dead_man_switch.ts";
import { findChildren, findProcess } from "../../lib/host/processes.ts";
import { kill, OBEDIENT, STUBBORN, switchPid, TIMING, until, World } from "./switch_world.ts";

Deno.test("arm() leaves a server alone that is renewed in time", async () => {
  await using world = await World.make();
  const server = world.postmaster(OBEDIENT);
  for (let turn = 0; turn < 4; turn++) {
    await world.arm(1500);
    await systemClock.sleep(400);
  }
  notEqual(findProcess(server.pid), null);
});

Deno.test("arm() sends INT at the stop time and nothing harsher to a server that obeys", async () => {
  await using world = await World.make();
  const server = world.postmaster(OBEDIENT);
  const endsMs = await world.arm(2000);
  const { code } = await server.status;
  const earlyMs = endsMs - systemClock.bootMs();
  equal(code, 0);
  ok(earlyMs > TIMING.immediateBeforeMs && earlyMs <= TIMING.stopBeforeMs, `${earlyMs} ms early`);
});

Deno.test("arm() kills a server that ignores signals, with backends in own sessions, before the end", async () => {
  await using world = await World.make();
  world.postmaster(STUBBORN);
  await until("four processes", () => world.left().length === 4);
  const endsMs = await world.arm(1800);
  await world.fenced(3000);
  const earlyMs = endsMs - systemClock.bootMs();
  ok(earlyMs > 0 && earlyMs <= TIMING.killBeforeMs, `${earlyMs} ms early`);
});

Deno.test("arm() kills a server that is held by a STOP", async () => {
  await using world = await World.make();
  const server = world.postmaster(OBEDIENT);
  await until("the server", () => world.left().length === 1);
  Deno.kill(server.pid, "SIGSTOP");
  await world.arm(1200);
  await world.fenced(3000);
});

Deno.test("arm() ends a single-user server, whatever its program is called", async () => {
  await using world = await World.make();
  await Deno.copyFile("/bin/sleep", `${world.folder}/wrapped`);
  const child = new Deno.Command(`${world.folder}/wrapped`, { args: ["60"], cwd: world.dataDir })
    .spawn();
  await Deno.writeTextFile(`${world.dataDir}/postmaster.pid`, `-${child.pid}\n${world.dataDir}\n`);
  await world.arm(1200);
  const { signal } = await child.status;
  equal(signal, "SIGINT");
});

Deno.test("arm() does not touch a later process with the number of the pid file", async () => {
  await using world = await World.make();
  const stranger = world.postmaster(OBEDIENT, world.folder);
  await Deno.writeTextFile(`${world.dataDir}/postmaster.pid`, `${stranger.pid}\n`);
  await world.arm(600);
  await systemClock.sleep(1200);
  notEqual(findProcess(stranger.pid), null);
});

Deno.test("arm() fences what is started after the deadline, until it is renewed", async () => {
  await using world = await World.make();
  await world.arm(200);
  world.postmaster(STUBBORN);
  await world.fenced(4000);
  world.postmaster(STUBBORN);
  await until("a new server", () => world.left().length > 0);
  await world.fenced(4000);
  await world.arm(60_000);
  const server = world.postmaster(OBEDIENT);
  await systemClock.sleep(1500);
  notEqual(findProcess(server.pid), null);
});

Deno.test("arm() holds when the switch's sleep is killed again and again", async () => {
  await using world = await World.make();
  world.postmaster(STUBBORN);
  const endsMs = await world.arm(2000);
  while (systemClock.bootMs() < endsMs - 100) {
    for (const { identity } of findChildren(switchPid(world))) kill(identity.pid, "SIGKILL");
    await systemClock.sleep(100);
  }
  await world.fenced(100);
});

Deno.test("arm() holds against every signal but KILL and STOP", async () => {
  await using world = await World.make();
  world.postmaster(STUBBORN);
  await world.arm(1500);
  for (const signal of ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"] as const) {
    Deno.kill(switchPid(world), signal);
  }
  await world.fenced(4000);
});

Deno.test("arm() starts another switch when the last one was killed or stopped", async () => {
  await using world = await World.make();
  await world.arm(60_000);
  for (const signal of ["SIGKILL", "SIGSTOP"] as const) {
    const before = switchPid(world);
    Deno.kill(before, signal);
    await until("the signal", () => world.switch.status().pid === null);
    await world.arm(60_000);
    notEqual(switchPid(world), before);
    await until("the end of the old one", () => findProcess(before) === null);
  }
});

Deno.test("arm() begins anew when somebody has removed the folder of the switch", async () => {
  await using world = await World.make();
  world.postmaster(STUBBORN);
  await world.arm(60_000);
  const before = switchPid(world);
  await Deno.remove(`${world.folder}/run/agent-${Deno.uid()}`, { recursive: true });
  await world.arm(1500);
  await until("the end of the old one", () => findProcess(before) === null);
  await world.fenced(4000);
});

Deno.test("ready() begins anew when the folder is removed and the process gone before any order", async () => {
  await using world = await World.make();
  equal(await world.switch.ready(), true);
  const before = switchPid(world);
  await Deno.remove(`${world.folder}/run/agent-${Deno.uid()}`, { recursive: true });
  Deno.kill(before, "SIGKILL");
  await until("the end of the old one", () => findProcess(before) === null);
  equal(await world.switch.ready(), true);
  await world.arm(60_000);
});

Deno.test("watch() starts another switch by itself", async () => {
  await using world = await World.make();
  await world.arm(60_000);
  const before = switchPid(world);
  const ending = new AbortController();
  const watching = world.switch.watch(() => {}, ending.signal);
  Deno.kill(before, "SIGKILL");
  await until("another", () => ![0, before].includes(switchPid(world)), 5000);
  ending.abort();
  await watching;
});

Deno.test("resume() finds the switch again with its deadline", async () => {
  await using world = await World.make();
  const endsMs = await world.arm(60_000);
  const next = world.another();
  await next.resume();
  equal(next.status().pid, switchPid(world));
  equal(next.view()?.endsMs, endsMs);
  equal(next.view()?.inherited, true);
});

Deno.test("resume() brings a killed switch back with the old deadline", async () => {
  await using world = await World.make();
  world.postmaster(STUBBORN);
  await world.arm(2000);
  Deno.kill(switchPid(world), "SIGKILL");
  await until("the end of the switch", () => world.switch.status().pid === null);
  const next = world.another();
  await next.resume();
  await world.fenced(3000);
});

Deno.test("disarm() ends the fencing; close() ends the process", async () => {
  await using world = await World.make();
  await world.arm(100);
  await systemClock.sleep(200);
  equal(await world.switch.disarm(), true);
  const server = world.postmaster(OBEDIENT);
  await systemClock.sleep(1500);
  notEqual(findProcess(server.pid), null);
});

Deno.test("status() tells the last firings", async () => {
  await using world = await World.make();
  const server = world.postmaster(STUBBORN);
  const ending = new AbortController();
  const watching = world.switch.watch(() => {}, ending.signal);
  await world.arm(1000);
  await until("three firings", () => world.switch.status().firings.length === 3, 5000);
  ending.abort();
  await watching;
  const { firings } = world.switch.status();
  equal(
    firings.map(({ what, pid }) => `${what} ${pid === server.pid}`).join(),
    [
      "INT true",
      "QUIT true",
      "KILL true",
    ].join(),
  );
  ok(Math.abs((firings[0]?.wallMs ?? 0) - Date.now()) < 5000);
});

Deno.test("arm() is refused where no private folder can be had", async () => {
  await using world = await World.make();
  const made = new ShellSwitch({
    dataDir: world.dataDir,
    stateDir: `${world.folder}/none`,
    clock: systemClock,
    log: silentLog,
    roots: [`${world.folder}/nowhere`],
  });
  equal(await made.arm(switchDeadline(systemClock.bootMs() + 60_000, TIMING)), false);
});

Deno.test("arm() does not trust a folder that is a link or open to others", async () => {
  await using world = await World.make();
  const open = `${world.folder}/open`;
  const linked = `${world.folder}/linked`;
  await Deno.mkdir(`${open}/agent-${Deno.uid()}`, { recursive: true });
  await Deno.chmod(`${open}/agent-${Deno.uid()}`, 0o777);
  await Deno.mkdir(linked);
  await Deno.symlink(`${world.folder}/run`, `${linked}/agent-${Deno.uid()}`);
  const made = new ShellSwitch({
    dataDir: world.dataDir,
    stateDir: world.folder,
    clock: systemClock,
    log: silentLog,
    roots: [open, linked],
  });
  world.switches.push(made);
  equal(await made.ready(), true);
  ok((await Deno.stat(`${world.folder}/switch`)).isDirectory);
});

Deno.test("arm() kills a backend whose postmaster is dead at the stop time already", async () => {
  await using world = await World.make();
  const script = "trap '' INT QUIT; while :; do sleep 0.1; done";
  const backend = new Deno.Command("/bin/bash", {
    args: ["-c", 'exec -a "postgres: writer" ../postgres -c "$0"', script],
    cwd: world.dataDir,
    detached: true,
  }).spawn();
  const endsMs = await world.arm(1500);
  const { signal } = await backend.status;
  equal(signal, "SIGKILL");
  ok(endsMs - systemClock.bootMs() > TIMING.immediateBeforeMs);
});

Deno.test("arm() reaches a server whose data directory was removed under it", async () => {
  await using world = await World.make();
  const server = new Deno.Command(`${world.folder}/postgres`, {
    args: ["-c", OBEDIENT, "server", "-D", world.dataDir],
    cwd: world.dataDir,
    detached: true,
  }).spawn();
  await world.arm(1500);
  await Deno.remove(world.dataDir, { recursive: true });
  equal((await server.status).code, 0);
});

Deno.test("disarm() comes in time for a server that is started right after it", async () => {
  await using world = await World.make();
  await world.arm(100);
  await systemClock.sleep(300);
  for (let turn = 0; turn < 5; turn++) {
    await world.arm(-1000);
    await systemClock.sleep(150 + turn * 170);
    await world.switch.disarm();
    const server = world.postmaster(STUBBORN);
    await systemClock.sleep(700);
    notEqual(findProcess(server.pid), null, `turn ${turn}`);
    for (const pid of world.left()) kill(pid, "SIGKILL");
    await world.fenced(1000);
  }
});
