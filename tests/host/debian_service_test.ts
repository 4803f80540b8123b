import { deepEqual, equal, match } from "node:assert/strict";
import { debianServiceWarnings } from "../../lib/host/debian_service.ts";

/** A folder like /etc/postgresql with one cluster, and the data directory that it may name. */
async function onDebian(
  files: (dataDir: string) => Readonly<Record<string, string>>,
  body: (clusters: string, dataDir: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "debian-" });
  try {
    await Deno.mkdir(`${folder}/data`);
    await Deno.mkdir(`${folder}/etc/15/main`, { recursive: true });
    for (const [name, text] of Object.entries(files(`${folder}/data`))) {
      await Deno.writeTextFile(`${folder}/etc/15/main/${name}`, text);
    }
    await body(`${folder}/etc`, `${folder}/data`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const STARTS: readonly [what: string, start: string | null][] = [
  ["auto", "# Automatic startup\n#   manual: no\n\nauto\n"],
  ["auto with a remark", "auto # as installed\n"],
  ["no start.conf", null],
];
for (const [what, start] of STARTS) {
  Deno.test(`a service of Debian for the same directory is told: ${what}`, async () => {
    await onDebian((dataDir) => ({
      "postgresql.conf": `#data_directory = '/other'\ndata_directory = '${dataDir}/'  # use\n`,
      ...(start === null ? {} : { "start.conf": start }),
    }), async (clusters, dataDir) => {
      const [warning = "", ...more] = await debianServiceWarnings(dataDir, clusters);
      match(warning, /postgresql@15-main/);
      equal(
        warning.includes(`"manual" instead of "auto" into ${clusters}/15/main/start.conf`),
        true,
      );
      deepEqual(more, []);
    });
  });
}

for (const start of ["manual", "disabled"]) {
  Deno.test(`a service of Debian that is ${start} is no matter`, async () => {
    await onDebian((dataDir) => ({
      "postgresql.conf": `data_directory = '${dataDir}'\n`,
      "start.conf": `# auto\n${start}\n`,
    }), async (clusters, dataDir) => {
      deepEqual(await debianServiceWarnings(dataDir, clusters), []);
    });
  });
}

Deno.test("a service of Debian for another directory is no matter", async () => {
  await onDebian((dataDir) => ({
    "postgresql.conf": `data_directory = '${dataDir}'\ndata_directory = '${dataDir}-2'\n`,
  }), async (clusters, dataDir) => {
    deepEqual(await debianServiceWarnings(dataDir, clusters), []);
  });
});

Deno.test("a service of Debian is found through a link and without quotes", async () => {
  await onDebian((dataDir) => ({
    "postgresql.conf": `data_directory ${dataDir}\n`,
  }), async (clusters, dataDir) => {
    await Deno.symlink(dataDir, `${dataDir}-link`);
    equal((await debianServiceWarnings(`${dataDir}-link`, clusters)).length, 1);
    equal((await debianServiceWarnings(`${dataDir}/`, clusters)).length, 1);
  });
});

Deno.test("a host without Debian's clusters has no warnings", async () => {
  deepEqual(await debianServiceWarnings("/no/such/data", "/no/such/folder"), []);
});

Deno.test("a file of Debian that cannot be read is told", async () => {
  await onDebian(() => ({}), async (clusters, dataDir) => {
    await Deno.mkdir(`${clusters}/15/main/postgresql.conf`);
    match(String(await debianServiceWarnings(dataDir, clusters)), /Cannot tell/);
  });
});
