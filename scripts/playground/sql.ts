import { Client } from "pg";
import { PASSWORDS } from "./member_file.ts";
import { LOOPBACK } from "./site.ts";

/** A new connection as superuser; every wait in it is bounded. Close it with `end()`. */
export async function connect(
  port: number,
  password = PASSWORDS.superuser,
  host = LOOPBACK.host,
): Promise<Client> {
  const client = new Client({
    host,
    port,
    user: "postgres",
    database: "postgres",
    password,
    connectionTimeoutMillis: 2_000,
    query_timeout: 5_000,
    application_name: "playground",
  });
  // A server that dies is told to the caller by its query; without a listener it would end the process.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

/** One statement on a connection of its own; rows as objects of text and numbers. */
export async function query(
  port: number,
  text: string,
  host = LOOPBACK.host,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = await connect(port, PASSWORDS.superuser, host);
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}
