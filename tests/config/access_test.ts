import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { AgentConfig } from "../../lib/config/agent_config.ts";
import { readConfig } from "../../lib/config/load.ts";
import { configOf, errorOf, faultPaths, file } from "./files.ts";

const PASSWORD = { username: "u", password: "p:q" };

Deno.test("readConfig() takes restapi.authentication in both forms", () => {
  deepStrictEqual(configOf(["restapi.auth", "u:p:q"]).restapi.authentication, PASSWORD);
  deepStrictEqual(configOf(["restapi.auth", "u:p:q"]).ctl, PASSWORD);
  deepStrictEqual(
    configOf(["restapi.authentication", PASSWORD]).restapi.authentication,
    PASSWORD,
  );
  deepStrictEqual(faultPaths(["restapi.auth", "nobody"]), ["restapi.auth"]);
});

Deno.test("readConfig() reads HTTPS of the REST API", () => {
  const { restapi } = configOf(
    ["restapi.certfile", "/c"],
    ["restapi.keyfile", "/k"],
    ["restapi.keyfile_password", "x"],
    ["restapi.cafile", "/a"],
    ["restapi.verify_client", "Required"],
  );
  deepStrictEqual(restapi.tls, {
    ca: "/a",
    cert: "/c",
    key: "/k",
    keyPassword: "x",
    verifyClient: "required",
  });
  strictEqual(configOf().restapi.tls, null);
});

Deno.test("readConfig() refuses keys that would protect nothing", () => {
  deepStrictEqual(faultPaths(["restapi.verify_client", "required"]), ["restapi.verify_client"]);
  deepStrictEqual(faultPaths(["restapi.verify_client", "no"]), ["restapi.verify_client"]);
  deepStrictEqual(faultPaths(["restapi.keyfile", "/k"]), ["restapi.keyfile"]);
  const withoutCa = { listen: "10.0.0.1:8008", certfile: "/c", verify_client: "optional" };
  deepStrictEqual(faultPaths(["restapi", withoutCa]), ["restapi.verify_client"]);
});

Deno.test("readConfig() reads headers, backlog and the form of the Server header", () => {
  const { restapi } = configOf(
    ["restapi.http_extra_headers", { "X-Frame-Options": "SAMEORIGIN" }],
    ["restapi.https_extra_headers", "Strict-Transport-Security: max-age=1"],
    ["restapi.request_queue_size", 7],
    ["restapi.server_tokens", "productonly"],
  );
  deepStrictEqual(
    [restapi.headers, restapi.httpsHeaders, restapi.requestQueueSize, restapi.serverTokens],
    [
      { "x-frame-options": "SAMEORIGIN" },
      { "strict-transport-security": "max-age=1" },
      7,
      "ProductOnly",
    ],
  );
  for (const wrong of ["x", [], { "a b": "c" }, { a: "b\nc" }, { a: {} }]) {
    const key = "restapi.http_extra_headers";
    deepStrictEqual(faultPaths([key, wrong]), [key]);
  }
  deepStrictEqual(faultPaths(["restapi.request_queue_size", 0]), ["restapi.request_queue_size"]);
});

const LISTS: readonly (readonly [string | readonly string[], readonly string[] | null])[] = [
  ["10.0.0.0/8, db.example", ["10.0.0.0/8", "db.example"]],
  [["::1", "fd00::/8", "h"], ["::1", "fd00::/8", "h"]],
  [[], []],
  ["10.0.0.0/33", null],
  ["10.0.0.0.1", null],
  ["10.0.0", null],
  ["fd00::/129", null],
  ["a b", null],
  ["h/8", null],
];

for (const [given, expected] of LISTS) {
  Deno.test(`readConfig() reads restapi.allowlist: ${JSON.stringify(given)}`, () => {
    const change = ["restapi.allowlist", typeof given === "string" ? given : [...given]] as const;
    if (expected === null) deepStrictEqual(faultPaths(change), ["restapi.allowlist"]);
    else deepStrictEqual(configOf(change).restapi.allowlist, expected);
  });
}

Deno.test("readConfig() checks members by ctl.cacert, else by restapi.cafile", () => {
  const cafile = ["restapi.cafile", "/r"] as const;
  strictEqual(configOf(cafile).ctlTls.ca, "/r");
  strictEqual(configOf(cafile, ["ctl.cacert", "/c"]).ctlTls.ca, "/c");
  deepStrictEqual(configOf().ctlTls, {
    ca: null,
    cert: null,
    key: null,
    keyPassword: null,
    insecure: false,
  });
});

Deno.test("readConfig() never shows the server's certificate to members by itself", () => {
  const { ctlTls } = configOf(["restapi.certfile", "/c"], ["restapi.keyfile", "/k"]);
  deepStrictEqual([ctlTls.cert, ctlTls.key], [null, null]);
});

Deno.test("readConfig() reads certificates of etcd", () => {
  const { etcd } = configOf(
    ["etcd3.protocol", "https"],
    ["etcd3.cacert", "/a"],
    ["etcd3.cert", "/c"],
    ["etcd3.key", "/k"],
    ["etcd3.key_password", "x"],
  );
  deepStrictEqual(etcd.endpoints, ["https://10.0.0.9:2379"]);
  deepStrictEqual(etcd.tls, { ca: "/a", cert: "/c", key: "/k", keyPassword: "x" });
});

const REMARKS: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  ["ctl.insecure", [["ctl.insecure", "true"]]],
  ["restapi.certfile", [["restapi.certfile", "/c"]]],
  ["etcd3.cert", [["etcd3.cert", "/c"]]],
  ["postgresql.krbsrvname", [["postgresql.krbsrvname", "pg"]]],
  ["replication.sslcrl", [["postgresql.authentication.replication.sslcrl", "/c"]]],
];

for (const [key, changes] of REMARKS) {
  Deno.test(`readConfig() warns about ${key}`, () => {
    const { warnings } = configOf(...changes);
    strictEqual(warnings.filter((line) => line.includes(key)).length, 1, warnings.join());
  });
}

Deno.test("readConfig() takes only words that libpq knows", () => {
  const wrong = {
    sslmode: "on",
    channel_binding: "yes",
    gssencmode: "require",
    sslnegotiation: "x",
  };
  for (const [key, value] of Object.entries(wrong)) {
    const path = `postgresql.authentication.superuser.${key}`;
    deepStrictEqual(faultPaths([path, value]), [path]);
  }
});

const VARIABLES: readonly (readonly [string, string, (config: AgentConfig) => unknown, unknown])[] =
  [
    ["RESTAPI_CERTFILE", "/c", ({ restapi }) => restapi.tls?.cert, "/c"],
    ["RESTAPI_CAFILE", "/a", ({ ctlTls }) => ctlTls.ca, "/a"],
    ["RESTAPI_ALLOWLIST", "a,10.0.0.0/8", ({ restapi }) => restapi.allowlist, ["a", "10.0.0.0/8"]],
    ["RESTAPI_ALLOWLIST", "['a','::1']", ({ restapi }) => restapi.allowlist, ["a", "::1"]],
    [
      "RESTAPI_ALLOWLIST_INCLUDE_MEMBERS",
      "on",
      ({ restapi }) => restapi.allowlistIncludeMembers,
      true,
    ],
    ["RESTAPI_HTTP_EXTRA_HEADERS", "{x: y}", ({ restapi }) => restapi.headers, { x: "y" }],
    ["RESTAPI_HTTP_EXTRA_HEADERS", "x: y", ({ restapi }) => restapi.headers, { x: "y" }],
    ["RESTAPI_HTTPS_EXTRA_HEADERS", "x: y", ({ restapi }) => restapi.httpsHeaders, { x: "y" }],
    ["RESTAPI_REQUEST_QUEUE_SIZE", "9", ({ restapi }) => restapi.requestQueueSize, 9],
    ["RESTAPI_SERVER_TOKENS", "Minimal", ({ restapi }) => restapi.serverTokens, "Minimal"],
    ["CTL_INSECURE", "true", ({ ctlTls }) => ctlTls.insecure, true],
    ["CTL_CACERT", "/a", ({ ctlTls }) => ctlTls.ca, "/a"],
    ["CTL_CERTFILE", "/c", ({ ctlTls }) => ctlTls.cert, "/c"],
    ["CTL_KEYFILE", "/k", ({ ctlTls }) => ctlTls.key, "/k"],
    ["CTL_KEYFILE_PASSWORD", "007", ({ ctlTls }) => ctlTls.keyPassword, "007"],
    ["ETCD3_CACERT", "/a", ({ etcd }) => etcd.tls.ca, "/a"],
    ["ETCD3_CERT", "/c", ({ etcd }) => etcd.tls.cert, "/c"],
    ["ETCD3_KEY", "/k", ({ etcd }) => etcd.tls.key, "/k"],
    ["ETCD3_PROTOCOL", "https", ({ etcd }) => etcd.endpoints, ["https://10.0.0.9:2379"]],
  ];

for (const [name, value, read, expected] of VARIABLES) {
  Deno.test(`readConfig() takes PATRONI_${name}=${value}`, () => {
    deepStrictEqual(read(readConfig("p.yml", file(), { [`PATRONI_${name}`]: value })), expected);
  });
}

Deno.test("every option of a role has its variable", () => {
  const options = [
    "sslmode",
    "sslkey",
    "sslpassword",
    "sslcert",
    "sslrootcert",
    "sslcrl",
    "sslcrldir",
  ];
  const given = Object.fromEntries(
    options.map((name) => [name, name === "sslmode" ? "allow" : "/x"]),
  );
  for (const role of ["SUPERUSER", "REPLICATION", "REWIND"]) {
    const pairs = options.map((
      name,
    ) => [`PATRONI_${role}_${name.toUpperCase()}`, given[name] ?? ""]);
    const env = { ...Object.fromEntries(pairs), PATRONI_REWIND_USERNAME: "rw" };
    const { authentication } = readConfig("p.yml", file(), env).postgresql;
    const read = { SUPERUSER: authentication.superuser, REPLICATION: authentication.replication };
    deepStrictEqual(({ ...read, REWIND: authentication.rewind })[role]?.options, given);
  }
});

Deno.test("readConfig() does not repeat secrets in faults", () => {
  const wrong = errorOf(
    file(["restapi.auth", "s3cret"], ["restapi.keyfile_password", { a: "s3cret" }]),
  );
  ok(!wrong.message.includes("s3cret"));
});
