import * as v from "valibot";
import { plainText } from "../base/json.ts";
import { etcdAccess, issueAt } from "./addresses.ts";
import { pemFiles } from "./pem_files.ts";
import { key, type MoreNotes, unread } from "./key_notes.ts";
import { absolutePath, commaParts, flag, form, lines, text, word } from "./values.ts";

const secret = (env: string): MoreNotes => ({ env, secret: true });

const etcd3Keys = v.looseObject({
  host: key(v.optional(text), "host:port of one etcd", { env: "PATRONI_ETCD3_HOST" }),
  hosts: key(v.optional(commaList()), "host:port of each etcd", { env: "PATRONI_ETCD3_HOSTS" }),
  url: key(v.optional(text), "protocol, name, password and host:port in one", {
    env: "PATRONI_ETCD3_URL",
    secret: true,
  }),
  proxy: key(v.optional(text), "an etcd proxy, as a URL; asked instead of all others", {
    env: "PATRONI_ETCD3_PROXY",
    secret: true,
  }),
  use_proxies: key(v.optional(flag, false), "hosts are proxies; they are always asked as given", {
    env: "PATRONI_ETCD3_USE_PROXIES",
  }),
  protocol: key(v.optional(word(["http", "https"]), "http"), "http or https", {
    env: "PATRONI_ETCD3_PROTOCOL",
  }),
  username: key(v.optional(text), "name in etcd", { env: "PATRONI_ETCD3_USERNAME" }),
  password: key(v.optional(text), "password in etcd", secret("PATRONI_ETCD3_PASSWORD")),
  srv: unread("not-yet", "discovery by DNS; name the members under hosts", {
    env: "PATRONI_ETCD3_SRV",
  }),
  srv_suffix: unread("not-yet", "suffix of srv", { env: "PATRONI_ETCD3_SRV_SUFFIX" }),
  cacert: key(v.optional(absolutePath), "authority of etcd's certificate", {
    env: "PATRONI_ETCD3_CACERT",
  }),
  cert: key(v.optional(absolutePath), "client certificate for etcd", { env: "PATRONI_ETCD3_CERT" }),
  key: key(v.optional(absolutePath), "key of cert", { env: "PATRONI_ETCD3_KEY" }),
  key_password: key(v.optional(text), "password of key", { secret: true }),
}, "a mapping");

/** `etcd3`: the store, as endpoints to ask. */
export const etcd3Schema = v.pipe(
  etcd3Keys,
  v.rawTransform(({ dataset: { value }, addIssue, NEVER }) => {
    const access = etcdAccess(value);
    if ("value" in access) {
      return {
        ...access.value,
        tls: pemFiles(value.cacert, value.cert, value.key, value.key_password),
      };
    }
    const key = ["proxy", "hosts", "host", "url"].find((name) => value[name] !== undefined) ??
      "hosts";
    addIssue(issueAt(value, key, access.expected));
    return NEVER;
  }),
);

const watchdogMode = form<"off" | "automatic" | "required">((input) => {
  const wanted = plainText(input).toLowerCase();
  if (["off", "false", "no"].includes(wanted)) return { value: "off" };
  if (wanted === "automatic" || wanted === "auto") return { value: "automatic" };
  return wanted === "required" ? { value: wanted } : { expected: "off, automatic or required" };
});

const safetyMargin = form<number>((input) => {
  const value = typeof input === "string" ? Number(input.trim() || NaN) : input;
  const fits = typeof value === "number" && Number.isInteger(value) && value >= -1;
  return fits ? { value } : { expected: "whole seconds, or -1 for half of the ttl" };
});

/** `watchdog`: the device that resets the host when its agent falls silent under the lock. */
export const watchdogSchema = v.optional(
  v.looseObject({
    mode: key(v.optional(watchdogMode, "automatic"), "off, automatic or required"),
    device: key(v.optional(absolutePath, "/dev/watchdog"), "path of the watchdog"),
    safety_margin: key(v.optional(safetyMargin, 5), "reset this long before the lease ends", {
      unit: "s",
    }),
    driver: key(v.optional(word(["default", "testing"]), "default"), "kind of watchdog"),
  }, "a mapping"),
  {},
);

/** A list, or one text with commas and blanks between. */
function commaList(): ReturnType<typeof form<readonly string[]>> {
  return form((input) => {
    const list = typeof input === "string" ? commaParts(input) : input;
    const read = v.safeParse(lines, list);
    if (!read.success || read.output.length === 0) return { expected: "a list of host:port" };
    return { value: read.output.map((part) => part.trim()) };
  });
}
