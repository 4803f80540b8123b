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

const SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;

type LibpqOption = typeof LIBPQ_OPTIONS[number];
type Required = Noted<typeof text>;
type Optional = Noted<v.OptionalSchema<v.GenericSchema<string>, undefined>>;
type RoleEntries =
  & Readonly<Record<"username", Required>>
  & Readonly<Record<"password" | LibpqOption, Optional>>;
type RoleSchema = v.LooseObjectSchema<RoleEntries, "a mapping">;

/** The keys of one role under `postgresql.authentication`; `prefix` is that of its variables. */
export function role(prefix: string, who: string): RoleSchema {
  const note = (name: string): MoreNotes => ({ env: `${prefix}_${name.toUpperCase()}` });
  const optional = (name: string, meaning: string, more: MoreNotes = {}): Optional =>
    key(v.optional(text), meaning, { ...note(name), ...more });
  const choice = (name: string, meaning: string, words: readonly string[]): Optional => {
    const expected = `one of ${words.join(", ")}`;
    return key(v.optional(v.pipe(text, v.picklist(words, expected))), meaning, note(name));
  };
  return v.looseObject({
    username: key(text, `name of the ${who}`, { env: `${prefix}_USERNAME` }),
    password: optional("password", `password of the ${who}`, { secret: true }),
    sslmode: choice("sslmode", "whether TLS is used and checked", SSL_MODES),
    sslkey: optional("sslkey", "key of sslcert"),
    sslpassword: optional("sslpassword", "password of sslkey", { secret: true }),
    sslcert: optional("sslcert", "client certificate"),
    sslrootcert: optional("sslrootcert", "authority of the server's certificate"),
    sslcrl: optional("sslcrl", "file of revoked certificates"),
    sslcrldir: optional("sslcrldir", "folder of revoked certificates"),
    sslnegotiation: choice("sslnegotiation", "how TLS begins", ["postgres", "direct"]),
    gssencmode: choice("gssencmode", "whether GSSAPI encrypts", ["disable", "prefer"]),
    channel_binding: choice("channel_binding", "whether channel binding is demanded", [
      "disable",
      "prefer",
      "require",
    ]),
  }, "a mapping");
}
