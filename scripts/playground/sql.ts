import { Client } from "pg";
import { PASSWORDS } from "./member_file.ts";
import type { SecureSite } from "./secure.ts";

/** Where a server is reached; `secure` is null where it talks in plain text. */
export interface SqlPlace {
  readonly host: string;
  readonly port: number;
  readonly secure: SecureSite | null;
}

/** A new connection as superuser; every wait in it is bounded. Close it with `end()`. */
export async function connect({ host, port, secure }: SqlPlace): Promise<Client> {
  const client = new Client({
    host,
    port,
    user: "postgres",
    database: "postgres",
    password: PASSWORDS.superuser,
    connectionTimeoutMillis: 2_000,
    query_timeout: 5_000,
    application_name: "playground",
    ...(secure === null ? {} : { ssl: await secure.forSql() }),
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
  place: SqlPlace,
  text: string,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = await connect(place);
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}
