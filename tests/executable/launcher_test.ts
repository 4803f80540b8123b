import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { pack, render } from "../../scripts/executable/launcher.ts";
import { IS_ROOT, onPlace, sh } from "./places.ts";

/** Stands for what `deno compile` makes: one program that needs no other part. */
const PROGRAM = `#!/bin/sh
[ "$1" = --version ] && exit 0
printf '%s|' "$@" "\${HTTP_PROXY-none}" "$AGENT_KEEP_HTTP_PROXY"
exit 7
`;

onPlace("the launcher runs a compiled program with its arguments alone", async (place) => {
  const nothing = pack(new Uint8Array());
  const runtime = pack(new TextEncoder().encode(PROGRAM));
  const file = await render({ version: "1.2.3", runtime, program: nothing, map: nothing });
  await Deno.writeFile(place.file, file);
  const ended = await place.run(["a b", "", "--c"], { env: { HTTP_PROXY: "http://x" } });
  deepStrictEqual(ended, { code: 7, output: "a b||--c|none|http://x|" });
  strictEqual((await place.unpacked()).length, 2);
});

onPlace("what a first run compiles is kept by a run before the one that stays", async (place) => {
  const nothing = pack(new Uint8Array());
  const calls = `${place.folder}/calls`;
  await Deno.writeTextFile(calls, "");
  if (IS_ROOT) await sh(`chown postgres '${calls}'`);
  const runtime = pack(new TextEncoder().encode(`#!/bin/sh\necho "$*" >>'${calls}'\n`));
  const file = await render({ version: "1.2.3", runtime, program: nothing, map: nothing });
  await Deno.writeFile(place.file, file);
  await place.run(["list"]);
  await place.run(["list"]);
  // The first of all proves that the host can run it.
  const seen = (await Deno.readTextFile(calls)).trim().split("\n");
  deepStrictEqual(seen, ["--version", "--version", "list", "list"]);
});

const LINES: readonly (readonly [readonly string[], boolean])[] = [
  [["/etc/agent/patroni.yml"], true],
  [["patroni.yml"], true],
  [[], true], // by PATRONI_CONFIGURATION
  [["list"], false],
  [["-c", "/etc/agent/patroni.yml", "list"], false],
];

onPlace(
  "HUP is ignored from the start where a member is to run, and nowhere else",
  async (place) => {
    const nothing = pack(new Uint8Array());
    const runtime = pack(new TextEncoder().encode(
      '#!/bin/sh\n[ "$1" = --version ] && exit 0\nwhile read -r key value; do\n' +
        '[ "$key" = SigIgn: ] && echo "$value"\ndone </proc/$$/status\n',
    ));
    const file = await render({ version: "1.2.3", runtime, program: nothing, map: nothing });
    await Deno.writeFile(place.file, file);
    for (const [line, isIgnored] of LINES) {
      const { output } = await place.run(line);
      strictEqual((BigInt(`0x${output.trim()}`) & 1n) === 1n, isIgnored, line.join(" "));
    }
  },
);

onPlace(
  "a runtime that this host cannot run ends with 71 and tells what it said",
  async (place) => {
    const nothing = pack(new Uint8Array());
    const runtime = pack(new TextEncoder().encode("#!/bin/sh\necho no glibc\nexit 1\n"));
    const file = await render({ version: "1.2.3", runtime, program: nothing, map: nothing });
    await Deno.writeFile(place.file, file);
    const { code, output } = await place.run(["--version"]);
    strictEqual(output, "agent: this host cannot run agent 1.2.3: no glibc\n");
    strictEqual(code, 71);
    deepStrictEqual(await place.unpacked(), []);
  },
);
