import * as v from "valibot";
import { plainText } from "../base/json.ts";
import { addressForOthers, etcdAccess, isFetchable, issueAt } from "./addresses.ts";
import { key, type MoreNotes, unread } from "./key_notes.ts";
import { absolutePath, form, lines, listen, reachable, text, word } from "./values.ts";

const secret = (env: string): MoreNotes => ({ env, secret: true });

const restapiAuthentication = v.looseObject({
  username: key(text, "name for calls that change something", { env: "PATRONI_RESTAPI_USERNAME" }),
  password: key(text, "password of that name", secret("PATRONI_RESTAPI_PASSWORD")),
}, "a mapping");

const restapiKeys = v.looseObject({
  listen: key(listen(8008), "addresses and port of the REST API, e.g. 0.0.0.0:8008", {
    env: "PATRONI_RESTAPI_LISTEN",
  }),
  connect_address: key(v.optional(reachable(8008)), "host:port of the REST API for others", {
    env: "PATRONI_RESTAPI_CONNECT_ADDRESS",
  }),
  authentication: v.optional(restapiAuthentication),
  certfile: unread("unsupported", "HTTPS for the REST API", { env: "PATRONI_RESTAPI_CERTFILE" }),
  keyfile: unread("not-yet", "key of certfile", { env: "PATRONI_RESTAPI_KEYFILE" }),
  keyfile_password: unread("not-yet", "password of keyfile", {
    env: "PATRONI_RESTAPI_KEYFILE_PASSWORD",
    secret: true,
  }),
  cafile: unread("not-yet", "authority of client certificates", {
    env: "PATRONI_RESTAPI_CAFILE",
  }),
  verify_client: unread("unsupported", "client certificates", {
    env: "PATRONI_RESTAPI_VERIFY_CLIENT",
    harmless: ["none"],
  }),
  ciphers: unread("not-yet", "ciphers of HTTPS"),
  allowlist: unread("unsupported", "who may call what changes something", {
    env: "PATRONI_RESTAPI_ALLOWLIST",
  }),
  allowlist_include_members: unread("not-yet", "members on the allowlist"),
  http_extra_headers: unread("not-yet", "headers of every answer"),
  https_extra_headers: unread("not-yet", "headers of every HTTPS answer"),
  request_queue_size: unread("not-yet", "connections waiting to be accepted"),
  server_tokens: unread("not-yet", "form of the Server header"),
  thread_pool_size: unread("not-yet", "threads of Patroni"),
}, "a mapping");

/** `restapi`: the agent's own port, with the address for others filled in. */
export const restapiSchema = v.pipe(
  restapiKeys,
  v.rawTransform(({ dataset: { value }, addIssue, NEVER }) => {
    const address = addressForOthers(value.connect_address, value.listen);
    const fault = "expected" in address
      ? address.expected
      : isFetchable(address.value)
      ? null
      : "a port that HTTP clients accept";
    if ("value" in address && fault === null) return { ...value, connect_address: address.value };
    addIssue(issueAt(value, "connect_address", fault ?? "host:port"));
    return NEVER;
  }),
);

const etcd3Keys = v.looseObject({
  host: key(v.optional(text), "host:port of one etcd", { env: "PATRONI_ETCD3_HOST" }),
  hosts: key(v.optional(commaList()), "host:port of each etcd", { env: "PATRONI_ETCD3_HOSTS" }),
  url: key(v.optional(text), "protocol, name, password and host:port in one", {
    env: "PATRONI_ETCD3_URL",
    secret: true,
  }),
  proxy: unread("not-yet", "an etcd proxy; name it under hosts", { env: "PATRONI_ETCD3_PROXY" }),
  use_proxies: unread("not-yet", "whether hosts are proxies", {
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
  cacert: unread("unsupported", "authority of etcd's certificate", {
    env: "PATRONI_ETCD3_CACERT",
  }),
  cert: unread("unsupported", "client certificate for etcd", { env: "PATRONI_ETCD3_CERT" }),
  key: unread("not-yet", "key of cert", { env: "PATRONI_ETCD3_KEY" }),
}, "a mapping");

/** `etcd3`: the store, as endpoints to ask. */
export const etcd3Schema = v.pipe(
  etcd3Keys,
  v.rawTransform(({ dataset: { value }, addIssue, NEVER }) => {
    const access = etcdAccess(value);
    if ("value" in access) return access.value;
    const key = ["hosts", "host", "url"].find((name) => value[name] !== undefined) ?? "hosts";
    addIssue(issueAt(value, key, access.expected));
    return NEVER;
  }),
);

const ctlAuthentication = v.looseObject({
  username: key(text, "name for the agent's own calls", { env: "PATRONI_CTL_USERNAME" }),
  password: key(text, "password of that name", secret("PATRONI_CTL_PASSWORD")),
}, "a mapping");

/** `ctl`: calls of the command line and of members to each other. */
export const ctlSchema = v.optional(
  v.looseObject({
    authentication: v.optional(ctlAuthentication),
    insecure: unread("not-yet", "skip certificate checks", { env: "PATRONI_CTL_INSECURE" }),
    cacert: unread("not-yet", "authority of members' certificates", {
      env: "PATRONI_CTL_CACERT",
    }),
    certfile: unread("not-yet", "client certificate for members", { env: "PATRONI_CTL_CERTFILE" }),
    keyfile: unread("not-yet", "key of certfile", { env: "PATRONI_CTL_KEYFILE" }),
    keyfile_password: unread("not-yet", "password of keyfile", {
      env: "PATRONI_CTL_KEYFILE_PASSWORD",
      secret: true,
    }),
  }, "a mapping"),
  {},
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
    const list = typeof input === "string" ? input.split(",") : input;
    const read = v.safeParse(lines, list);
    if (!read.success || read.output.length === 0) return { expected: "a list of host:port" };
    return { value: read.output.map((part) => part.trim()) };
  });
}
