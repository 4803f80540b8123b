import { equal, ok } from "node:assert/strict";
import { isHostMarker, readBlocks, readPages } from "./docs_blocks.ts";
import { DocsHost } from "./docs_host.ts";
import { liveTest } from "./live.ts";

/** Markers of blocks that are tested elsewhere: the two commands, and what stands in another page too. */
const NEVER_RUN: readonly string[] = ["no, tested by itself", "no, lib/cli/INSTALL.md"];

/** Whether a block is for the cluster on this one host. */
function isForCluster(marker: string): boolean {
  return /^on a\b/.test(marker);
}

/** Pages in the order of their risk for the cluster; those not named come first. */
const LATE: readonly string[] = ["lib/cli/OPERATING.md", "lib/cli/TROUBLE.md"];

Deno.test("every block of commands in the pages is run by some test", async () => {
  const pages = await readPages();
  ok(pages.length >= 5, pages.join());
  for (const page of pages) {
    for (const { line, marker } of await readBlocks(page)) {
      const isRun = isForCluster(marker) || isHostMarker(marker) || NEVER_RUN.includes(marker);
      ok(isRun, `${page}:${line}: "${marker}"`);
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
        if (!isForCluster(marker)) continue;
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
