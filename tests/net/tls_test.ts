import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { silentLog } from "../../lib/base/log.ts";
import { loadTls, NO_TLS_FILES, TlsFault } from "../../lib/net/tls.ts";
import type { TlsFiles } from "../../lib/net/tls.ts";
import { TlsSource } from "../../lib/net/tls_source.ts";
import { type Certificates, certificates } from "./certificates.ts";

function files(certs: Certificates, parts: Partial<TlsFiles> = {}): TlsFiles {
  return {
    ca: certs.path("ca.crt"),
    cert: certs.path("a.crt"),
    key: certs.path("a.key"),
    keyPassword: null,
    ...parts,
  };
}

async function faultOf(given: TlsFiles): Promise<TlsFault> {
  try {
    await loadTls(given);
  } catch (error) {
    if (error instanceof TlsFault) return error;
    throw error;
  }
  throw new TypeError("Cannot find the expected TlsFault: the files were accepted");
}

Deno.test("loadTls() reads a pair, and one whose key has a password", async () => {
  await using certs = await certificates();
  await certs.encrypt("a", "geheim");
  const plain = await loadTls(files(certs));
  const opened = await loadTls(
    files(certs, { key: certs.path("a.enc.key"), keyPassword: "geheim" }),
  );
  match(plain.key ?? "", /^-----BEGIN PRIVATE KEY-----/);
  strictEqual(opened.key, plain.key);
});

Deno.test("loadTls() finds the key in the file of the certificate", async () => {
  await using certs = await certificates();
  const both = await certs.text("a.key") + await certs.text("a.crt");
  await Deno.writeTextFile(certs.path("both.pem"), both);
  ok((await loadTls(files(certs, { cert: certs.path("both.pem"), key: null }))).key);
});

Deno.test("loadTls() names file and field of each fault", async () => {
  await using certs = await certificates();
  await certs.encrypt("a", "geheim");
  await Deno.writeTextFile(certs.path("garbage"), "-----BEGIN NOTHING-----\n");
  const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  await Deno.writeTextFile(certs.path("broken"), broken);
  const encrypted = { key: certs.path("a.enc.key") };
  const cases: readonly [Partial<TlsFiles>, string, RegExp][] = [
    [{ ca: "/no/ca" }, "ca", /^\/no\/ca: cannot be read: no such file$/],
    [{ ca: certs.path("garbage") }, "ca", /garbage: holds no certificate/],
    [{ cert: certs.path("broken") }, "cert", /broken: holds a certificate that cannot be read/],
    [{ cert: "/no/cert" }, "cert", /no such file/],
    [{ key: "/no/key" }, "key", /no such file/],
    [{ key: certs.path("garbage") }, "key", /holds no private key/],
    [{ key: certs.path("b.key") }, "key", /b\.key: this key does not belong to .*a\.crt$/],
    [{ ...encrypted, keyPassword: "falsch" }, "keyPassword", /the password does not open the key/],
    [encrypted, "keyPassword", /encrypted and no password is given/],
    [{ cert: null }, "key", /a key without a certificate/],
  ];
  for (const [parts, field, text] of cases) {
    const fault = await faultOf(files(certs, parts));
    deepStrictEqual([fault.field, text.test(fault.message)], [field, true], fault.message);
    ok(!fault.message.includes("falsch"));
  }
});

Deno.test("loadTls() takes nothing for nothing", async () => {
  deepStrictEqual(await loadTls(NO_TLS_FILES), { ca: null, cert: null, key: null });
});

Deno.test("TlsSource keeps the old pair while the new one does not fit, and takes it then", async () => {
  await using certs = await certificates();
  const told: string[] = [];
  const log = { ...silentLog, error: (text: string) => void told.push(text) };
  const source = await TlsSource.open("the test", files(certs), log);
  const seen: string[] = [];
  source.onRenewed(({ cert }) => void seen.push(cert ?? ""));
  const before = source.present;
  await Deno.copyFile(certs.path("b.crt"), certs.path("a.crt"));
  await source.look();
  await source.look();
  strictEqual(source.present, before);
  deepStrictEqual(told.length, 1);
  match(told[0] ?? "", /Keep the old certificates of the test: .*does not belong/);
  await Deno.copyFile(certs.path("b.key"), certs.path("a.key"));
  await source.look();
  deepStrictEqual(seen, [await certs.text("b.crt")]);
});

Deno.test("TlsSource.follow() refuses files that cannot be used and stays with the old ones", async () => {
  await using certs = await certificates();
  const source = await TlsSource.open("the test", files(certs), silentLog);
  await rejects(source.follow(files(certs, { key: certs.path("b.key") })), TlsFault);
  await source.look();
  strictEqual(source.present.cert, await certs.text("a.crt"));
  await source.follow(files(certs, { cert: certs.path("b.crt"), key: certs.path("b.key") }));
  strictEqual(source.present.cert, await certs.text("b.crt"));
});

Deno.test("TlsSource keeps what its listener cannot replace", async () => {
  await using certs = await certificates();
  const source = await TlsSource.open("the test", files(certs), silentLog);
  source.onRenewed(() => {
    throw new TypeError("no such kind of key");
  });
  const next = files(certs, { cert: certs.path("b.crt"), key: certs.path("b.key") });
  await rejects(source.follow(next), /b\.crt: TLS does not take it: no such kind of key/);
  await source.look();
  strictEqual(source.present.cert, await certs.text("a.crt"));
});
