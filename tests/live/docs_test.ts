import { deepEqual, equal, ok } from "node:assert/strict";
import type { Cluster } from "../../scripts/playground/cluster.ts";
import { type Block, NEVER_RUN, PAGES, readBlocks, unknownWords } from "./docs_blocks.ts";
import { DocsHost } from "./docs_host.ts";
import { liveTest } from "./live.ts";

Deno.test("every block of commands in the pages says how it is tested", async () => {
  for (const page of PAGES) {
    for (const { line, marker } of await readBlocks(page)) {
      ok(marker.startsWith("on ") || NEVER_RUN.has(marker), `${page}:${line}: marker "${marker}"`);
    }
  }
});

Deno.test("blocks that are not run hold only commands of the system", async () => {
  for (const page of PAGES) {
    for (const block of await readBlocks(page)) {
      if (NEVER_RUN.has(block.marker)) deepEqual(unknownWords(block), [], `${page}:${block.line}`);
    }
  }
});

const SETTINGS = { dcs: { ttl: 10, loop_wait: 2, retry_timeout: 3 } };

for (const page of PAGES) {
  liveTest(`the commands of ${page} do what they say`, SETTINGS, async (cluster) => {
    await runPage(cluster, page, await readBlocks(page));
  });
}

async function runPage(cluster: Cluster, page: string, blocks: readonly Block[]): Promise<void> {
  const host = await DocsHost.start(cluster, page);
  try {
    const runnable = blocks.filter(({ marker }) => !NEVER_RUN.has(marker));
    ok(runnable.length > 0, `${page} has no commands`);
    for (const block of runnable) {
      await host.prepare(block.marker);
      const { code, text } = await host.run(block.text);
      equal(code, 0, `${page}:${block.line}: ${block.text}\nended with ${code}: ${text}`);
      await host.settle(block.marker);
    }
  } finally {
    host.end();
  }
}
