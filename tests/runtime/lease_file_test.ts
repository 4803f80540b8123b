import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { DiskLeaseFile } from "../../lib/runtime/lease_file.ts";
import type { LeaseOwner } from "../../lib/runtime/lease_file.ts";

const OWNER: LeaseOwner = { name: "a", scope: "/service/demo", dataDir: "/data/pg" };
const LEASE = { id: "77", ttlS: 30 };

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the next process of this member finds its lease", async () => {
  await inFolder(async (folder) => {
    strictEqual(await new DiskLeaseFile(folder, OWNER).load(), null);
    await new DiskLeaseFile(folder, OWNER).save(LEASE);
    deepStrictEqual(await new DiskLeaseFile(folder, OWNER).load(), LEASE);
  });
});

const OTHERS: readonly (readonly [string, Partial<LeaseOwner>])[] = [
  ["member", { name: "b" }],
  ["cluster", { scope: "/service/other" }],
  // A lock adopted for it would be released at once, while the server of the old directory writes until its switch acts.
  ["data directory", { dataDir: "/data/new" }],
];

for (const [what, change] of OTHERS) {
  Deno.test(`a lease of another ${what} does not count`, async () => {
    await inFolder(async (folder) => {
      await new DiskLeaseFile(folder, { ...OWNER, ...change }).save(LEASE);
      strictEqual(await new DiskLeaseFile(folder, OWNER).load(), null);
    });
  });
}

Deno.test("a lease whose file names no data directory is taken up, as before an upgrade", async () => {
  await inFolder(async (folder) => {
    const { name, scope } = OWNER;
    const text = JSON.stringify({ lease: LEASE.id, name, scope, ttlS: LEASE.ttlS });
    await Deno.writeTextFile(`${folder}/lease.json`, text);
    deepStrictEqual(await new DiskLeaseFile(folder, OWNER).load(), LEASE);
  });
});

Deno.test("a lease counts by every path to the data directory, and not when a link leads elsewhere", async () => {
  await inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/one`);
    await Deno.symlink("one", `${folder}/link`);
    const at = (path: string): DiskLeaseFile =>
      new DiskLeaseFile(folder, { ...OWNER, dataDir: `${folder}/${path}` });
    await at("link").save(LEASE);
    for (const path of ["one", "link", "link/../one"]) {
      deepStrictEqual(await at(path).load(), LEASE, path);
    }
    await Deno.remove(`${folder}/link`);
    await Deno.symlink("two", `${folder}/link`);
    strictEqual(await at("link").load(), null);
  });
});
