import * as v from "valibot";
import { key, unread } from "./key_notes.ts";
import { programOptions } from "./program_options.ts";
import { dynamicSchema } from "./schema_dynamic.ts";
import { lines } from "./values.ts";

// `username` too: the agent names the superuser itself.
const OWN_INITDB = ["pgdata", "nosync", "pwfile", "sync-only", "version", "username", "pwprompt"];

/** `bootstrap`: used once, when this member founds the cluster. */
export const bootstrapSchema = v.optional(
  v.looseObject({
    dcs: dynamicSchema,
    initdb: key(v.optional(programOptions(OWN_INITDB), []), "options of initdb"),
    pg_hba: key(v.optional(lines, []), "lines of pg_hba.conf at the first start"),
    method: unread("unsupported", "founding from another source than initdb", {
      harmless: ["initdb"],
    }),
    post_bootstrap: unread("unsupported", "a program run once after founding"),
    post_init: unread("unsupported", "a program run once after founding"),
    users: unread("not-yet", "users; Patroni dropped this key in 4.0"),
  }, "a mapping"),
);
