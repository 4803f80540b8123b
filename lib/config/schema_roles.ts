import * as v from "valibot";
import { key, type MoreNotes, type Noted } from "./key_notes.ts";
import { text } from "./values.ts";

/** Connection options that a role may carry; `options` and `connect_timeout` are the agent's own. */
export const LIBPQ_OPTIONS = [
  "sslmode",
  "sslkey",
  "sslpassword",
  "sslcert",
  "sslrootcert",
  "sslcrl",
  "sslcrldir",
  "sslnegotiation",
  "gssencmode",
  "channel_binding",
] as const;

type LibpqOption = typeof LIBPQ_OPTIONS[number];
type Required = Noted<typeof text>;
type Optional = Noted<v.OptionalSchema<typeof text, undefined>>;
type RoleEntries =
  & Readonly<Record<"username", Required>>
  & Readonly<Record<"password" | LibpqOption, Optional>>;
type RoleSchema = v.LooseObjectSchema<RoleEntries, "a mapping">;

/** The keys of one role under `postgresql.authentication`; `prefix` is that of its variables. */
export function role(prefix: string, who: string): RoleSchema {
  const optional = (name: string, meaning: string, more: MoreNotes = {}): Optional =>
    key(v.optional(text), meaning, { env: `${prefix}_${name.toUpperCase()}`, ...more });
  return v.looseObject({
    username: key(text, `name of the ${who}`, { env: `${prefix}_USERNAME` }),
    password: optional("password", `password of the ${who}`, { secret: true }),
    sslmode: optional("sslmode", "whether TLS is used and checked"),
    sslkey: optional("sslkey", "key of sslcert"),
    sslpassword: optional("sslpassword", "password of sslkey", { secret: true }),
    sslcert: optional("sslcert", "client certificate"),
    sslrootcert: optional("sslrootcert", "authority of the server's certificate"),
    sslcrl: optional("sslcrl", "file of revoked certificates"),
    sslcrldir: optional("sslcrldir", "folder of revoked certificates"),
    sslnegotiation: optional("sslnegotiation", "how TLS begins"),
    gssencmode: optional("gssencmode", "whether GSSAPI encrypts"),
    channel_binding: optional("channel_binding", "whether channel binding is demanded"),
  }, "a mapping");
}
