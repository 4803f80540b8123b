import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { runFile, startFile } from "../../scripts/executable/run_file.ts";
import { AS_POSTGRES, IS_ROOT, onPlace, onRootPlace, type Place, sh } from "./places.ts";

const PARTS = [/^js-[0-9a-f]{16}$/, /^rt-[0-9a-f]{16}$/];

async function assertWhole(place: Place): Promise<void> {
  const parts = await place.unpacked();
  strictEqual(parts.length, PARTS.length, parts.join(" "));
  PARTS.forEach((name, index) => match(parts[index] ?? "", name));
}

async function runtimeFile({ runtime, unpacked }: Place): Promise<string> {
  return `${runtime}/${(await unpacked()).find((name) => name.startsWith("rt-"))}/agent`;
}

onPlace("the executable unpacks itself once into a folder of its user alone", async (place) => {
  const first = await place.run(["--version"]);
  deepStrictEqual([first.code, first.output.split(" ")[0]], [0, "agent"]);
  await assertWhole(place);
  const { mtime, mode } = await Deno.stat(await runtimeFile(place));
  strictEqual((mode ?? 0) & 0o777, 0o700);
  strictEqual((await place.run(["--version"])).code, 0);
  deepStrictEqual((await Deno.stat(await runtimeFile(place))).mtime, mtime);
});

onPlace("eight first starts at once all succeed and leave one runtime", async (place) => {
  const starts = Array.from({ length: 8 }, () => place.run(["--version"]));
  const ends = await Promise.all(starts);
  deepStrictEqual(ends.map(({ code }) => code), ends.map(() => 0));
  await assertWhole(place);
});

onPlace("a damaged executable ends with 70 and is not unpacked", async (place) => {
  const whole = await Deno.readFile(place.file);
  const spots = [Math.floor(whole.length / 2), whole.length - 300_000, whole.length - 20];
  for (const spot of spots) {
    const damaged = whole.slice();
    damaged[spot] = (damaged[spot] ?? 0) ^ 0xff;
    await Deno.writeFile(place.file, damaged);
    const { code, output } = await place.run(["--version"]);
    match(output, /^agent: the file \S+ is damaged: its content has another hash/);
    strictEqual(code, 70);
    deepStrictEqual(await place.unpacked(), []);
  }
});

onPlace("an executable that is cut off, however short, ends with 70", async (place) => {
  const whole = await Deno.readFile(place.file);
  const lengths = [whole.length - 1, 20_000_000, 5000, 1200];
  const ends = await Promise.all(lengths.map(async (length) => {
    const file = `${place.folder}/agent-${length}`;
    await Deno.writeFile(file, whole.subarray(0, length), { mode: 0o755 });
    return await runFile(file, ["--version"], { launch: AS_POSTGRES });
  }));
  for (const { code, output } of ends) {
    match(
      output,
      /^agent: the file \S+ is damaged: it has not \d+ bytes\. Install agent \S+ again\.\n$/,
    );
    strictEqual(code, 70);
  }
  deepStrictEqual(await place.unpacked(), []);
});

onPlace("a start while the executable is being copied waits for the rest of it", async (place) => {
  const whole = await Deno.readFile(place.file);
  await Deno.writeFile(place.file, whole.subarray(0, 4000));
  const started = place.run(["--version"]);
  await new Promise((go) => setTimeout(go, 500));
  await Deno.writeFile(place.file, whole.subarray(4000), { append: true });
  const { code, output } = await started;
  match(output, /^agent \S+\n$/);
  strictEqual(code, 0);
});

onPlace("what was damaged after it was unpacked is unpacked again", async (place) => {
  await place.run(["--version"]);
  await Deno.truncate(await runtimeFile(place), 1000);
  strictEqual((await place.run(["--version"])).code, 0);
  await sh(`rm -r '${place.runtime}'/js-*/agent.js`);
  strictEqual((await place.run(["--version"])).code, 0);
  await assertWhole(place);
});

onPlace("a start that is ended while it unpacks leaves nothing that is run", async (place) => {
  const { child, ended } = startFile(place.file, ["--version"], {
    launch: AS_POSTGRES,
    env: { AGENT_RUNTIME_DIR: place.runtime },
  });
  while ((await place.unpacked()).length === 0) await new Promise((go) => setTimeout(go, 5));
  child.kill("SIGTERM");
  strictEqual((await ended).code, 143);
  strictEqual((await place.run(["--version"])).code, 0);
  await assertWhole(place);
});

onPlace("a new version removes old ones after a day, and nothing else", async (place) => {
  await sh(`cd '${place.runtime}' && mkdir rt-old js-old .new.old rt-young other
    touch -d '3 days ago' rt-old js-old .new.old other
    ${IS_ROOT ? "chown -R postgres ." : ""}`);
  strictEqual((await place.run(["--version"])).code, 0);
  const left = (await place.unpacked()).filter((name) => !PARTS.some((part) => part.test(name)));
  deepStrictEqual(left, ["other", "rt-young"]);
});

onPlace("another machine's executable ends with 71", async (place) => {
  await Deno.mkdir(`${place.folder}/bin`);
  await Deno.writeTextFile(`${place.folder}/bin/uname`, "#!/bin/sh\necho vax\n", { mode: 0o755 });
  const PATH = `${place.folder}/bin:${Deno.env.get("PATH")}`;
  const { code, output } = await place.run(["--version"], { env: { PATH } });
  match(output, /^agent: this host is vax, agent \S+ is for \w+/);
  strictEqual(code, 71);
});

onRootPlace("a full disk ends with 73, says so and leaves nothing behind", async (place) => {
  await sh(`mount -t tmpfs -o size=50m,mode=700,uid=$(id -u postgres) tmpfs '${place.runtime}'`);
  try {
    const { code, output } = await place.run(["--version"]);
    match(output, /no place to unpack agent [\s\S]*No space left on device/);
    strictEqual(code, 73);
    deepStrictEqual(await place.unpacked(), []);
  } finally {
    await sh(`umount '${place.runtime}'`);
  }
});
