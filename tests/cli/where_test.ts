import { deepStrictEqual, match, strictEqual, throws } from "node:assert/strict";
import { ConfigError } from "../../lib/base/errors.ts";
import { describesMember, environmentOf, type Where } from "../../lib/cli/where.ts";
import { readWhen } from "../../lib/cli/when.ts";
import type { JsonObject } from "../../lib/base/json.ts";
import { readConfig } from "../../lib/config/load.ts";
import { parseYamlFile } from "../../lib/config/yaml_file.ts";

function valuesOf(text: string): JsonObject {
  return parseYamlFile("ctl.yml", text).values;
}

const HERE: Where = {
  configPath: "ctl.yml",
  isNamed: true,
  scope: null,
  dcsUrl: null,
  insecure: false,
};
const OWN =
  "scope: demo\netcd3: {host: 10.0.0.1}\nctl: {authentication: {username: u, password: p}}";

Deno.test("environmentOf() lets a file without a member name a cluster", () => {
  const config = readConfig("ctl.yml", OWN, environmentOf(valuesOf(OWN), {}, HERE));

  strictEqual(describesMember(valuesOf(OWN), {}), false);
  deepStrictEqual([config.scope, config.etcd.endpoints, config.ctl], [
    "demo",
    ["http://10.0.0.1:2379"],
    { username: "u", password: "p" },
  ]);
});

Deno.test("environmentOf() lays the command line over file and variables", () => {
  const where = { ...HERE, scope: "other", dcsUrl: "etcd3://h1:1234,h2:1235/db/x/" };
  const env = environmentOf(
    valuesOf(OWN),
    { PATRONI_SCOPE: "env", PATRONI_NAMESPACE: "env" },
    where,
  );
  const { scope, namespace, etcd } = readConfig("ctl.yml", OWN, env);

  deepStrictEqual([scope, namespace, etcd.endpoints], [
    "other",
    "/db/x/",
    ["http://h1:1234", "http://h2:1235"],
  ]);
});

Deno.test("environmentOf() takes any certificate only when it is told to", () => {
  strictEqual(environmentOf(valuesOf(OWN), {}, HERE)["PATRONI_CTL_INSECURE"], undefined);
  strictEqual(
    environmentOf(valuesOf(OWN), {}, { ...HERE, insecure: true })["PATRONI_CTL_INSECURE"],
    "on",
  );
});

Deno.test("environmentOf() leaves the file of a member as it is", () => {
  const text = "scope: demo\nname: a\n";
  strictEqual(describesMember(valuesOf(text), {}), true);
  deepStrictEqual(environmentOf(valuesOf(text), { A: "b" }, HERE), { A: "b" });
});

Deno.test("environmentOf() refuses a store that is no etcd3, and does not repeat its text", () => {
  const bad = ["http://h:1", "etcd3://", "etcd3://u:secret@h:1/x", "etcd3://h 1", "secret"];
  for (const dcsUrl of bad) {
    throws(() => environmentOf(valuesOf(OWN), {}, { ...HERE, dcsUrl }), (error) => {
      match(String(error), /expected etcd3:\/\/host:port/);
      strictEqual(String(error).includes("secret"), false);
      return error instanceof ConfigError;
    });
  }
});

Deno.test("environmentOf() asks for the name of a cluster that nothing tells", () => {
  throws(() => environmentOf(valuesOf("{}"), {}, HERE), /add --cluster/);
  strictEqual(
    environmentOf(valuesOf("{}"), {}, { ...HERE, scope: "demo" })["PATRONI_SCOPE"],
    "demo",
  );
});

const NOW = Date.parse("2026-01-01T00:00:00Z");

Deno.test("readWhen() reads now, times with a zone, and times of this host", () => {
  for (const text of [null, "", " Now "]) deepStrictEqual(readWhen(text, NOW), at(null));
  const expected = at("2030-05-01T01:00:00+00:00");
  deepStrictEqual(readWhen("2030-05-01T02:00+01:00", NOW), expected);
  deepStrictEqual(readWhen("2030-05-01 01:00:00Z", NOW), expected);
  const local = new Date(2030, 4, 1, 2, 0).toISOString().replace(".000Z", "+00:00");
  deepStrictEqual(readWhen("2030-05-01T02:00", NOW), at(local));
});

function at(iso: string | null): object {
  return { kind: "at", iso };
}

Deno.test("readWhen() tells a past time from one that is none", () => {
  const said = (text: string): string => JSON.stringify(readWhen(text, NOW));
  match(said("2025-05-01T02:00Z"), /in the past/);
  for (const text of ["tomorrow", "2030-13-01T00:00Z", "12:00", "2030"]) {
    match(said(text), /no time/);
  }
});
