import * as v from "valibot";
import { key, unread } from "./key_notes.ts";
import { bootstrapSchema } from "./schema_bootstrap.ts";
import { logSchema } from "./schema_log.ts";
import { postgresqlSchema } from "./schema_postgresql.ts";
import { ctlSchema, restapiSchema } from "./schema_restapi.ts";
import { etcd3Schema, watchdogSchema } from "./schema_sections.ts";
import { tagsSchema } from "./schema_tags.ts";
import { segment, text } from "./values.ts";

const OTHER_STORE = "another store; this version speaks the API v3 of etcd, section etcd3";
const ONLY_DYNAMIC =
  "counts only in the cluster's settings (bootstrap.dcs, /config), ignored in the file";

/** The whole file: every key with its form, default, unit and meaning. Keys are those of Patroni's `patroni.yml`. */
export const fileSchema = v.looseObject({
  scope: key(segment, "name of the cluster, part of every key in the store", {
    env: "PATRONI_SCOPE",
  }),
  namespace: key(v.optional(text, "service"), "path in the store above the cluster", {
    env: "PATRONI_NAMESPACE",
  }),
  name: key(segment, "name of this member, unique in the cluster", { env: "PATRONI_NAME" }),
  log: logSchema,
  restapi: restapiSchema,
  etcd3: etcd3Schema,
  bootstrap: bootstrapSchema,
  postgresql: postgresqlSchema,
  tags: tagsSchema,
  ctl: ctlSchema,
  watchdog: watchdogSchema,
  etcd: unread("refused", "etcd by its API v2; rename the section to etcd3, its keys are the same"),
  consul: unread("refused", OTHER_STORE),
  zookeeper: unread("refused", OTHER_STORE),
  exhibitor: unread("refused", OTHER_STORE),
  kubernetes: unread("refused", OTHER_STORE),
  raft: unread("refused", OTHER_STORE),
  citus: unread("unsupported", "clusters of clusters"),
  ttl: unread("not-yet", ONLY_DYNAMIC),
  loop_wait: unread("not-yet", ONLY_DYNAMIC),
  retry_timeout: unread("not-yet", ONLY_DYNAMIC),
  standby_cluster: unread("not-yet", ONLY_DYNAMIC),
  thread_pool_size: unread("not-yet", "threads of Patroni", { env: "PATRONI_THREAD_POOL_SIZE" }),
  thread_stack_size: unread("not-yet", "threads of Patroni", { env: "PATRONI_THREAD_STACK_SIZE" }),
}, "a mapping");

/** The file as the schema reads it. */
export type FileValues = v.InferOutput<typeof fileSchema>;
