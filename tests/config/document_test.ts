import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { variableOf } from "../../lib/config/environment.ts";
import type { KeyStatus } from "../../lib/config/key_notes.ts";
import { type KnownKey, knownKeys } from "../../lib/config/key_table.ts";

const DOCUMENT = new URL("../../lib/config/README.md", import.meta.url);
const EFFECT: Readonly<Record<KeyStatus, string>> = {
  used: "used",
  "not-yet": "remark",
  unsupported: "bars",
  refused: "fault",
};

function row(known: KnownKey): string {
  const { path, notes } = known;
  const derived = `PATRONI_${path.join("_").toUpperCase()}`;
  const variable = variableOf(known);
  const meaning = [
    notes.meaning.replaceAll("|", "\\|"),
    ...(notes.unit === undefined ? [] : [`in ${notes.unit}`]),
    ...(notes.secret === true ? ["_secret_"] : []),
  ].join(", ");
  const shown = variable === derived ? "" : `\`${variable}\``;
  return `| \`${path.join(".")}\` | ${EFFECT[notes.status]} | ${shown} | ${meaning} |`;
}

function table(): string {
  const head = ["| Key | Effect | Variable | Meaning |", "| --- | --- | --- | --- |"];
  return [...head, ...knownKeys().map(row)].join("\n");
}

/** The cells of each row without the blanks that the formatter sets. */
function cellsOf(text: string): readonly string[] {
  return text.split("\n").filter((line) => line.startsWith("|") && !/^\|[ -]*-/.test(line))
    .map((line) => line.replace(/ *\| */g, "|").trim());
}

Deno.test("the document of the keys has a row for each key of the schema, and no other", async () => {
  const text = await Deno.readTextFile(DOCUMENT);
  const at = text.indexOf("| Key");
  const before = at < 0 ? text : text.slice(0, at);
  if (Deno.args.includes("--rewrite")) {
    await Deno.writeTextFile(DOCUMENT, `${before.trimEnd()}\n\n${table()}\n`);
    await new Deno.Command(Deno.execPath(), { args: ["fmt", "-q", DOCUMENT.pathname] }).output();
  }
  const written = await Deno.readTextFile(DOCUMENT);
  deepStrictEqual(cellsOf(written.slice(written.indexOf("| Key"))), cellsOf(table()));
});

/** Every variable of Patroni (spec 1.12) for what this program knows, with the key it belongs to. */
const OF_PATRONI: Readonly<Record<string, readonly string[]>> = {
  "": ["NAME", "NAMESPACE", "SCOPE", "THREAD_POOL_SIZE", "THREAD_STACK_SIZE"],
  LOG_: [
    ...["TYPE", "LEVEL", "TRACEBACK_LEVEL", "FORMAT", "DATEFORMAT", "STATIC_FIELDS"],
    ...["MAX_QUEUE_SIZE", "DIR", "MODE", "FILE_NUM", "FILE_SIZE", "LOGGERS"],
    "DEDUPLICATE_HEARTBEAT_LOGS",
  ],
  ETCD3_: [
    ...["PROXY", "URL", "HOSTS", "USE_PROXIES", "PROTOCOL", "HOST", "SRV", "SRV_SUFFIX"],
    ...["USERNAME", "PASSWORD", "CACERT", "CERT", "KEY"],
  ],
  POSTGRESQL_: [
    ...["LISTEN", "CONNECT_ADDRESS", "PROXY_ADDRESS", "DATA_DIR", "CONFIG_DIR", "BIN_DIR"],
    "PGPASS",
  ],
  POSTGRESQL_BIN_: [
    ...["PG_CTL", "INITDB", "PG_CONTROLDATA", "PG_BASEBACKUP", "POSTGRES", "PG_ISREADY"],
    "PG_REWIND",
  ],
  RESTAPI_: [
    ...["THREAD_POOL_SIZE", "CONNECT_ADDRESS", "LISTEN", "USERNAME", "PASSWORD", "CERTFILE"],
    ...["KEYFILE", "KEYFILE_PASSWORD", "CAFILE", "CIPHERS", "VERIFY_CLIENT", "ALLOWLIST"],
    ...["ALLOWLIST_INCLUDE_MEMBERS", "HTTP_EXTRA_HEADERS", "HTTPS_EXTRA_HEADERS"],
    ...["REQUEST_QUEUE_SIZE", "SERVER_TOKENS"],
  ],
  CTL_: [
    ...["USERNAME", "PASSWORD", "INSECURE", "CACERT", "CERTFILE", "KEYFILE"],
    "KEYFILE_PASSWORD",
  ],
};
const OF_ROLES = [
  ...["USERNAME", "PASSWORD", "SSLMODE", "SSLKEY", "SSLPASSWORD", "SSLCERT", "SSLROOTCERT"],
  ...["SSLCRL", "SSLCRLDIR", "SSLNEGOTIATION", "GSSENCMODE", "CHANNEL_BINDING"],
];

Deno.test("every variable of Patroni belongs to a key", () => {
  const known = new Set(knownKeys().map(variableOf));
  const roles = ["REPLICATION_", "SUPERUSER_", "REWIND_"].map((role) => [role, OF_ROLES] as const);
  const wanted = [...Object.entries(OF_PATRONI), ...roles].flatMap(([prefix, names]) =>
    names.map((name) => `PATRONI_${prefix}${name}`)
  );

  deepStrictEqual(wanted.filter((name) => !known.has(name)), []);
  strictEqual(wanted.length, 5 + 13 + 13 + 7 + 7 + 17 + 7 + 36);
});
