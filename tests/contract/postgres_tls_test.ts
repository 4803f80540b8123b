import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { PostgresUnreachable, Refused } from "../../lib/base/errors.ts";
import type { PostgresOptions } from "../../lib/postgres/options.ts";
import { Session } from "../../lib/postgres/session.ts";
import { type Certificates, certificates } from "../net/certificates.ts";
import {
  AWKWARD_PASSWORD,
  bootstrapped,
  type Member,
  member,
  onServers,
  sql,
  streaming,
} from "../postgres/real_server.ts";

type Words = Readonly<Record<string, string>>;

const SERVER_HBA = [
  "hostssl replication repl 127.0.0.1/32 scram-sha-256 clientcert=verify-ca",
  "hostssl all md5user 127.0.0.1/32 trust",
  "hostssl all all 127.0.0.1/32 scram-sha-256",
];

/** A member whose server speaks TLS only, with certificate `a`; replication needs a certificate of a client. */
function secured(dir: string, name: string, certs: Certificates): Member {
  const words = {
    sslmode: "verify-full",
    sslrootcert: certs.path("ca.crt"),
    sslcert: certs.path("b.crt"),
    sslkey: certs.path("b.enc.key"),
    sslpassword: "geheim",
    gssencmode: "disable",
    sslnegotiation: "direct", // unknown to this version: left out
  };
  const role = (username: string): PostgresOptions["authentication"]["superuser"] => ({
    username,
    password: AWKWARD_PASSWORD,
    options: words,
  });
  return member(dir, name, {
    authentication: { superuser: role("postgres"), replication: role("repl"), rewind: null },
    pgHba: SERVER_HBA,
    parameters: {
      unix_socket_directories: dir,
      ssl: "on",
      ssl_cert_file: certs.path("a.crt"),
      ssl_key_file: certs.path("a.key"),
      ssl_ca_file: certs.path("ca.crt"),
    },
  });
}

/** Whether a session of these options is encrypted; throws as `Session.open`. */
async function encrypted(one: Member, words: Words, username = "postgres"): Promise<unknown> {
  const login = { username, password: AWKWARD_PASSWORD, options: words };
  const target = { host: "127.0.0.1", port: one.options.listen.port, database: "postgres", login };
  const signal = AbortSignal.timeout(5000);
  await using session = await Session.open({ ...target, mode: "sql" }, signal);
  const query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
  return (await session.query(query, [], signal))[0]?.["ssl"];
}

/** The message of the failure, with those of its causes. */
async function whyNot(one: Member, words: Words, username?: string): Promise<string> {
  try {
    await encrypted(one, words, username);
  } catch (error) {
    if (error instanceof Refused || error instanceof PostgresUnreachable) return error.message;
    throw error;
  }
  throw new TypeError("Cannot find the expected failure: the session was opened");
}

onServers("sessions, copy and replication use the certificates of their role", async (dir) => {
  await using certs = await certificates();
  await certs.encrypt("b", "geheim");
  await using a = secured(dir, "a", certs);
  await using b = secured(dir, "b", certs);
  await bootstrapped(a);
  await streaming(b, a);
  const rows = await sql(
    a,
    "SELECT client_dn FROM pg_stat_ssl JOIN pg_stat_replication USING (pid) WHERE state = 'streaming'",
  );
  deepStrictEqual(rows, [{ client_dn: "/CN=b" }]);
});

onServers("sslmode means to sessions what it means to libpq", async (dir) => {
  await using certs = await certificates();
  await certs.encrypt("b", "geheim");
  await using a = secured(dir, "a", certs);
  await bootstrapped(a);
  const [ca, other] = [{ sslrootcert: certs.path("ca.crt") }, {
    sslrootcert: certs.path("other.crt"),
  }];
  for (const sslmode of ["allow", "prefer", "require", "verify-ca", "verify-full"]) {
    strictEqual(await encrypted(a, { sslmode, ...ca }), true, sslmode);
  }
  strictEqual(await encrypted(a, { sslmode: "require" }), true);
  strictEqual(await encrypted(a, { sslmode: "prefer", ...other }), true);
  match(await whyNot(a, { sslmode: "disable" }), /no pg_hba\.conf entry/);
  for (const sslmode of ["require", "verify-ca", "verify-full"]) {
    match(await whyNot(a, { sslmode, ...other }), /unable to verify|self-signed certificate/);
  }
  match(await whyNot(a, { sslmode: "verify-full" }), /unable to verify|self-signed certificate/);
  const gone = { sslmode: "require", sslcert: "/no/cert", sslkey: "/no/key" };
  match(await whyNot(a, gone), /Cannot use the certificates of this login: .*\/no\/key/);
});

onServers("a server without TLS is used by prefer and refused by require", async (dir) => {
  await using a = member(dir, "a");
  await bootstrapped(a);
  deepStrictEqual(
    [await encrypted(a, {}), await encrypted(a, { sslmode: "allow" })],
    [false, false],
  );
  match(await whyNot(a, { sslmode: "require" }), /does not support SSL/);
});

onServers("verify-full wants the name, verify-ca does not", async (dir) => {
  await using certs = await certificates();
  await certs.encrypt("b", "geheim");
  await using a = secured(dir, "a", certs);
  await bootstrapped(a);
  const login = { username: "postgres", password: AWKWARD_PASSWORD };
  const at = async (sslmode: string): Promise<void> => {
    const options = { sslmode, sslrootcert: certs.path("ca.crt") };
    const target = { host: "127.0.0.1", port: a.options.listen.port, database: "postgres" };
    await using _session = await Session.open(
      { ...target, login: { ...login, options }, mode: "sql" },
      AbortSignal.timeout(5000),
    );
  };
  await at("verify-full");
  await certs.issue("ca", "nameless", "nameless", "DNS:elsewhere.example");
  for (const suffix of ["crt", "key"]) {
    await Deno.copyFile(certs.path(`nameless.${suffix}`), certs.path(`a.${suffix}`));
  }
  await sql(a, "SELECT pg_reload_conf()");
  await at("verify-ca");
  await rejects(at("verify-full"), PostgresUnreachable);
});

onServers("channel_binding: require wants a login that proves the server", async (dir) => {
  await using certs = await certificates();
  await certs.encrypt("b", "geheim");
  await using a = secured(dir, "a", certs);
  await bootstrapped(a);
  const words = { sslmode: "require", channel_binding: "require" };
  strictEqual(await encrypted(a, words), true);
  strictEqual(await encrypted(a, { sslmode: "require", channel_binding: "prefer" }), true);
  await sql(a, "CREATE ROLE md5user LOGIN");
  match(await whyNot(a, words, "md5user"), /channel binding is required/);
});
