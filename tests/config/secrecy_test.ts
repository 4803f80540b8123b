import { ok } from "node:assert/strict";
import fc from "fast-check";
import { stringify } from "yaml";
import type { Json, JsonObject } from "../../lib/base/json.ts";
import { ConfigError } from "../../lib/base/errors.ts";
import { put, variableOf } from "../../lib/config/environment.ts";
import { type KeyPath, knownKeys } from "../../lib/config/key_table.ts";
import { loadConfig, readConfig } from "../../lib/config/load.ts";
import { redact } from "../../lib/config/redact.ts";

/** Long and odd enough that no other text of a configuration contains it. */
const SECRET = "s3cr3t-Zq8";
const KEYS = knownKeys();
const SECRETS = KEYS.filter(({ notes }) => notes.secret === true).map(({ path }) => path);

const HBA = `host all all 0/0 ldap ldapserver=x ldapbindpasswd=${SECRET}`;

const WHOLE: JsonObject = {
  scope: "demo",
  name: "a",
  restapi: { listen: "10.0.0.1:8008", authentication: { username: "u", password: "p" } },
  ctl: { authentication: { username: "u", password: "p" } },
  etcd3: { host: "10.0.0.9:2379", username: "u" },
  postgresql: {
    listen: "10.0.0.1:5432",
    data_dir: "/data/a",
    authentication: {
      superuser: { username: "postgres" },
      replication: { username: "repl" },
      rewind: { username: "rewind" },
    },
  },
};

/** Everything that a person may get to read of a configuration. */
function shown(text: string, env: Readonly<Record<string, string>>): string {
  try {
    const config = readConfig("p.yml", text, env);
    return JSON.stringify([redact(config), config.warnings]);
  } catch (error) {
    if (error instanceof ConfigError) return [error.message, ...error.remarks].join("\n");
    throw error;
  }
}

function withSecrets(paths: readonly KeyPath[], value: Json): JsonObject {
  return paths.reduce((values, path) => put(values, path, value), WHOLE);
}

const scalar = fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null));
const garbage: fc.Arbitrary<Json> = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(fc.string(), scalar, { maxKeys: 3 }),
);
const changes = fc.array(fc.tuple(fc.constantFrom(...KEYS.map(({ path }) => path)), garbage), {
  maxLength: 3,
});
/** Forms in which a secret may stand: as it is, broken, in a list, in a mapping. */
const secret: fc.Arbitrary<Json> = fc.constantFrom<Json>(
  SECRET,
  `${SECRET}\nx`,
  `*${SECRET}`,
  [SECRET],
  { text: SECRET },
  { file: SECRET, command: SECRET },
);

for (const path of SECRETS) {
  Deno.test(`redact() hides ${path.join(".")}`, () => {
    ok(!shown(stringify(put(WHOLE, path, SECRET)), {}).includes(SECRET));
  });
}

Deno.test("redact() hides secrets in commands, in what the cluster begins with and in methods' options", () => {
  const at = (path: string, value: Json): readonly [KeyPath, Json] => [path.split("."), value];
  const values = [
    at("bootstrap.dcs.postgresql.parameters.archive_command", SECRET),
    at("bootstrap.method", "m"),
    at("bootstrap.m", {
      command: "/x",
      "api-key": SECRET,
      recovery_conf: { restore_command: SECRET },
    }),
    at("postgresql.create_replica_methods", ["n"]),
    at("postgresql.n", { command: "/x", s3_secret: SECRET }),
    at("postgresql.parameters.ssl_passphrase_command", SECRET),
    at("postgresql.pg_hba", [HBA]),
    at("bootstrap.pg_hba", [HBA]),
    at("bootstrap.dcs.postgresql.pg_hba", [
      HBA,
      `host all all 0/0 radius radiussecrets="${SECRET}"`,
    ]),
    at("postgresql.callbacks.on_start", `/x --token ${SECRET} --retries 3`),
    at("postgresql.pre_promote", `/x --password=${SECRET}`),
    at("postgresql.before_stop", `/x --api-key ${SECRET}`),
    at("bootstrap.post_bootstrap", `/x --db-password '${SECRET} x'`),
  ].reduce((all, [path, value]) => put(all, path, value), WHOLE);

  ok(!shown(stringify(values), {}).includes(SECRET));
});

const SECTIONS = [
  ...new Set(SECRETS.flatMap((path) => {
    return path.slice(1).map((_, index) => path.slice(0, index + 1).join("."));
  })),
];

for (const section of SECTIONS) {
  Deno.test(`readConfig() shows no name and password that stand in place of ${section}`, () => {
    ok(!shown(stringify(put(WHOLE, section.split("."), `u:${SECRET}`)), {}).includes(SECRET));
  });
}

Deno.test("readConfig() shows no name and password in an address of etcd", () => {
  for (const address of [`http://u:${SECRET}@etcd:2379`, `u:${SECRET}@etcd:2379`]) {
    for (const key of ["host", "hosts"]) {
      ok(!shown(stringify({ ...WHOLE, etcd3: { [key]: address } }), {}).includes(SECRET));
    }
  }
});

Deno.test("readConfig() shows no secret, whatever stands beside it in the file", () => {
  fc.assert(
    fc.property(fc.subarray(SECRETS, { minLength: 1 }), secret, changes, (paths, value, others) => {
      const isSecret = (path: KeyPath): boolean => paths.some((one) => one.join() === path.join());
      const values = others.filter(([path]) => !isSecret(path))
        .reduce((all, [path, item]) => put(all, path, item), withSecrets(paths, value));
      ok(!shown(stringify(values), {}).includes(SECRET));
    }),
    { numRuns: 300 },
  );
});

Deno.test("readConfig() shows no secret of a variable, whatever the others hold", () => {
  const names = KEYS.map(variableOf);
  const secretNames = KEYS.filter(({ notes }) => notes.secret === true).map(variableOf);
  const others = fc.dictionary(fc.constantFrom(...names), fc.string(), { maxKeys: 4 });

  fc.assert(
    fc.property(fc.constantFrom(...secretNames), others, (name, env) => {
      ok(!shown(stringify(WHOLE), { ...env, [name]: SECRET }).includes(SECRET));
    }),
    { numRuns: 200 },
  );
});

/** Passwords that are no YAML as they stand: the reader's own messages would quote them. */
const UNQUOTED = [
  "*",
  "&",
  "!",
  "!!",
  "%",
  "@",
  "`",
  '"',
  "'",
  "[",
  "{",
  "|",
  ">",
  "- ",
  ": ",
  "\\",
];

for (const mark of UNQUOTED) {
  Deno.test(`readConfig() shows no unquoted password that begins with ${mark}`, () => {
    const line = (text: string): string =>
      stringify(WHOLE).replace("username: repl", `password: ${text}`);

    ok(!shown(line(`${mark}${SECRET}`), {}).includes(SECRET));
    ok(!shown(line(`${SECRET}${mark}${SECRET}: x`), {}).includes(SECRET));
    ok(!shown(line(`x\n      password:${mark}${SECRET}: y`), {}).includes(SECRET));
  });
}

Deno.test("loadConfig() ends with ConfigError at worst, whatever a secret is to be taken from", async () => {
  const folder = await Deno.makeTempDir();
  const reference = fc.dictionary(fc.constantFrom("file", "command", "vault"), scalar, {
    minKeys: 1,
  });
  try {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...SECRETS), reference, async (path, value) => {
        const harmless = Object.fromEntries(
          Object.entries(value).map(([kind, at]) => {
            return [
              kind,
              typeof at === "string" ? `${folder}/${at.replaceAll(/[^a-z]/g, "")}` : at,
            ];
          }),
        );
        await Deno.writeTextFile(`${folder}/p.yml`, stringify(put(WHOLE, path, harmless)));
        await loadConfig(`${folder}/p.yml`, {}).catch((error) => ok(error instanceof ConfigError));
      }),
      { numRuns: 40 },
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
