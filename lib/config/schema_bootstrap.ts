import * as v from "valibot";
import { issueAt } from "./addresses.ts";
import type { CustomBootstrap } from "./agent_config.ts";
import { key, unread } from "./key_notes.ts";
import { programOptions } from "./program_options.ts";
import { dynamicSchema } from "./schema_dynamic.ts";
import { customBootstrap, methodIssue } from "./schema_methods.ts";
import { commandLine, lines, text } from "./values.ts";

// `username` too: the agent names the superuser itself.
const OWN_INITDB = ["pgdata", "nosync", "pwfile", "sync-only", "version", "username", "pwprompt"];

const bootstrapKeys = v.looseObject({
  dcs: dynamicSchema,
  initdb: key(v.optional(programOptions(OWN_INITDB), []), "options of initdb"),
  pg_hba: key(v.optional(lines, []), "lines of pg_hba.conf at the first start"),
  method: key(v.optional(text, "initdb"), "name of the section whose command founds the cluster"),
  post_bootstrap: key(v.optional(commandLine), "program run once after founding"),
  post_init: key(v.optional(commandLine), "older name of post_bootstrap"),
  users: unread("not-yet", "users; Patroni dropped this key in 4.0"),
}, "a mapping");

/** `bootstrap`: used once, when this member founds the cluster. */
export const bootstrapSchema = v.optional(
  v.pipe(
    bootstrapKeys,
    v.rawTransform(({ dataset: { value }, addIssue, NEVER }) => {
      const { method } = value;
      const custom: { value: CustomBootstrap | null } | ReturnType<typeof customBootstrap> =
        method === "initdb" ? { value: null } : customBootstrap(method, value[method]);
      if ("value" in custom) return { ...value, custom: custom.value };
      const { expected, at } = custom;
      addIssue(
        at === null ? issueAt(value, "method", expected) : methodIssue(value, method, custom),
      );
      return NEVER;
    }),
  ),
);
