import * as v from "valibot";
import { key } from "./key_notes.ts";
import { flag, form, text } from "./values.ts";

const whole = form<number>((input) => {
  const number = typeof input === "string" && input.trim() !== "" ? Number(input) : input;
  return typeof number === "number" && Number.isSafeInteger(number)
    ? { value: number }
    : { expected: "a whole number" };
});

/** `tags`: what is special about this member. Further names are the DBA's own. */
export const tagsSchema = v.optional(
  v.looseObject({
    nofailover: key(v.optional(flag), "never leads"),
    failover_priority: key(v.optional(whole), "preferred leader among equals; 0 never leads"),
    noloadbalance: key(v.optional(flag), "health checks for replicas answer 503"),
    clonefrom: key(v.optional(flag), "may be copied by new members"),
    replicatefrom: key(v.optional(text), "name of the member to stream from"),
    nosync: key(v.optional(flag), "never a synchronous standby"),
    sync_priority: key(v.optional(whole), "preferred synchronous standby; 0 never"),
    nostream: key(v.optional(flag), "replays from the archive only"),
  }, "a mapping"),
  {},
);
