import * as v from "valibot";
import { plainText } from "../base/json.ts";
import { addressForOthers, isFetchable, issueAt } from "./addresses.ts";
import { key, type MoreNotes, unread } from "./key_notes.ts";
import { absolutePath, flag, form, listen, reachable, text, word } from "./values.ts";
import { allowlist, headers } from "./values_access.ts";

const secret = (env: string): MoreNotes => ({ env, secret: true });

const restapiAuthentication = v.looseObject({
  username: key(text, "name for calls that change something", { env: "PATRONI_RESTAPI_USERNAME" }),
  password: key(text, "password of that name", secret("PATRONI_RESTAPI_PASSWORD")),
}, "a mapping");

const nameAndPassword = form<{ readonly username: string; readonly password: string }>((input) => {
  const [, username, password] = /^([^:\r\n]+):([^\r\n]+)$/.exec(plainText(input)) ?? [];
  return username === undefined || password === undefined
    ? { expected: "name:password" }
    : { value: { username, password } };
});

const backlog = form<number>((input) => {
  const value = Number(plainText(input));
  return Number.isInteger(value) && value >= 1 && value <= 65535
    ? { value }
    : { expected: "a whole number from 1 to 65535" };
});

const restapiKeys = v.looseObject({
  listen: key(listen(8008), "addresses and port of the REST API, e.g. 0.0.0.0:8008", {
    env: "PATRONI_RESTAPI_LISTEN",
  }),
  connect_address: key(v.optional(reachable(8008)), "host:port of the REST API for others", {
    env: "PATRONI_RESTAPI_CONNECT_ADDRESS",
  }),
  authentication: v.optional(restapiAuthentication),
  auth: key(v.optional(nameAndPassword), "short form of authentication, name:password", {
    secret: true,
  }),
  certfile: key(v.optional(absolutePath), "certificate of the REST API; turns HTTPS on", {
    env: "PATRONI_RESTAPI_CERTFILE",
  }),
  keyfile: key(v.optional(absolutePath), "key of certfile", { env: "PATRONI_RESTAPI_KEYFILE" }),
  keyfile_password: key(
    v.optional(text),
    "password of keyfile",
    secret("PATRONI_RESTAPI_KEYFILE_PASSWORD"),
  ),
  cafile: key(v.optional(absolutePath), "authority of client certificates and of members", {
    env: "PATRONI_RESTAPI_CAFILE",
  }),
  verify_client: key(
    v.optional(word(["none", "optional", "required"]), "none"),
    "whether clients need a certificate: none, optional (to change something) or required",
    { env: "PATRONI_RESTAPI_VERIFY_CLIENT" },
  ),
  ciphers: unread("not-yet", "ciphers of HTTPS; TLS 1.2 and 1.3 with their AEAD ciphers are used", {
    env: "PATRONI_RESTAPI_CIPHERS",
  }),
  allowlist: key(v.optional(allowlist, []), "hosts and networks that may change something", {
    env: "PATRONI_RESTAPI_ALLOWLIST",
  }),
  allowlist_include_members: key(v.optional(flag, false), "members may change something", {
    env: "PATRONI_RESTAPI_ALLOWLIST_INCLUDE_MEMBERS",
  }),
  http_extra_headers: key(v.optional(headers, {}), "headers of every answer", {
    env: "PATRONI_RESTAPI_HTTP_EXTRA_HEADERS",
  }),
  https_extra_headers: key(v.optional(headers, {}), "headers of every HTTPS answer", {
    env: "PATRONI_RESTAPI_HTTPS_EXTRA_HEADERS",
  }),
  request_queue_size: key(v.optional(backlog), "connections waiting to be accepted", {
    env: "PATRONI_RESTAPI_REQUEST_QUEUE_SIZE",
  }),
  server_tokens: key(
    v.optional(word(["Original", "Minimal", "ProductOnly"]), "Original"),
    "form of the Server header",
    { env: "PATRONI_RESTAPI_SERVER_TOKENS" },
  ),
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
    const tls = tlsFault(value);
    if (fault !== null) addIssue(issueAt(value, "connect_address", fault));
    if (tls !== null) addIssue(issueAt(value, ...tls));
    if (fault !== null || tls !== null || !("value" in address)) return NEVER;
    const authentication = value.authentication ?? value.auth;
    return { ...value, authentication, connect_address: address.value };
  }),
);

/** A key that has no effect without another would only seem to protect. */
function tlsFault(
  value: v.InferOutput<typeof restapiKeys>,
): readonly [key: string, expected: string] | null {
  const { certfile, keyfile, cafile, verify_client } = value;
  if (certfile === undefined && verify_client !== "none") {
    return ["verify_client", "restapi.certfile beside it: certificates exist only with HTTPS"];
  }
  if (cafile === undefined && verify_client !== "none") {
    return ["verify_client", "restapi.cafile beside it: the authority of client certificates"];
  }
  if (certfile === undefined && keyfile !== undefined) {
    return ["keyfile", "restapi.certfile beside it"];
  }
  return null;
}

const ctlAuthentication = v.looseObject({
  username: key(text, "name for the agent's own calls", { env: "PATRONI_CTL_USERNAME" }),
  password: key(text, "password of that name", secret("PATRONI_CTL_PASSWORD")),
}, "a mapping");

/** `ctl`: calls of the command line and of members to each other. */
export const ctlSchema = v.optional(
  v.looseObject({
    authentication: v.optional(ctlAuthentication),
    insecure: key(v.optional(flag, false), "skip the check of members' certificates", {
      env: "PATRONI_CTL_INSECURE",
    }),
    cacert: key(v.optional(absolutePath), "authority of members' certificates", {
      env: "PATRONI_CTL_CACERT",
    }),
    certfile: key(v.optional(absolutePath), "client certificate for members", {
      env: "PATRONI_CTL_CERTFILE",
    }),
    keyfile: key(v.optional(absolutePath), "key of certfile", { env: "PATRONI_CTL_KEYFILE" }),
    keyfile_password: key(
      v.optional(text),
      "password of keyfile",
      secret("PATRONI_CTL_KEYFILE_PASSWORD"),
    ),
  }, "a mapping"),
  {},
);
