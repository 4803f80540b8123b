import { deepEqual, equal, ok } from "node:assert/strict";
import { readBlocks, readPages, unknownWords } from "./docs_blocks.ts";
import { DocsHost } from "./docs_host.ts";
import { liveTest } from "./live.ts";

/** Markers of blocks that cannot be run on one host without changing it. */
const NEVER_RUN: readonly string[] = [
  "no, packages",
  "no, root",
  "no, systemd",
  "no, tested by itself",
];

/** Pages in the order of their risk for the cluster; those not named come first. */
const LATE: readonly string[] = ["lib/cli/OPERATING.md", "lib/cli/TROUBLE.md"];

Deno.test("every block of commands in the pages is run, or changes the host alone", async () => {
  const pages = await readPages();
  ok(pages.length >= 5, pages.join());
  for (const page of pages) {
    for (const block of await readBlocks(page)) {
      const { line, marker } = block;
      if (!NEVER_RUN.includes(marker)) ok(/^on a\b/.test(marker), `${page}:${line}: "${marker}"`);
      else deepEqual(unknownWords(block), [], `${page}:${line}`);
    }
  }
});

// The pages ask etcd and members by plain http.
liveTest("the commands of the pages do what they say", { secure: false }, async (cluster) => {
  const pages = await readPages();
  const host = await DocsHost.start(cluster);
  try {
    for (const page of [...pages].sort((a, b) => LATE.indexOf(a) - LATE.indexOf(b))) {
      await host.open(page);
      for (const { marker, text, line } of await readBlocks(page)) {
        if (NEVER_RUN.includes(marker)) continue;
        await host.prepare(marker);
        const result = await host.run(text);
        equal(
          result.code,
          0,
          `${page}:${line}: ${text}\nended with ${result.code}: ${result.text}`,
        );
        await host.settle(marker);
      }
    }
  } finally {
    host.end();
  }
});
