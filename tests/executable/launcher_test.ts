import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { pack, render } from "../../scripts/executable/launcher.ts";
import { onPlace } from "./places.ts";

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
