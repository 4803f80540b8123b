import * as v from "valibot";
import { joinHostPort } from "../base/http.ts";
import type { ListenAddress } from "./agent_config.ts";
import { BAD_PORTS } from "./bad_ports.ts";
import { type Reading, splitHostPort } from "./values.ts";

/** Adds a fault at one key of a mapping that is looked at as a whole. */
export function issueAt(
  input: Readonly<Record<string, unknown>>,
  key: string,
  expected: string,
): { readonly message: string; readonly path: [v.ObjectPathItem] } {
  const path: v.ObjectPathItem = { type: "object", origin: "value", input, key, value: input[key] };
  return { message: expected, path: [path] };
}

/** The address for others: as given, else the one that is listened on when it is a single real address. */
export function addressForOthers(
  given: string | undefined,
  listen: ListenAddress,
): Reading<string> {
  if (given !== undefined) return { value: given };
  const [host] = listen.hosts;
  const isOne = listen.hosts.length === 1 && host !== undefined;
  if (isOne && !["*", "0.0.0.0", "::"].includes(host)) {
    return { value: joinHostPort(host, listen.port) };
  }
  return { expected: "host:port that other members can reach (listen names no single address)" };
}

/** False when `fetch` would never connect to the port of this `host:port`. */
export function isFetchable(address: string): boolean {
  return !BAD_PORTS.has(splitHostPort(address)?.port ?? 0);
}

/** The keys of `etcd3` that name servers. */
export interface EtcdAddresses {
  readonly host?: string | undefined;
  readonly hosts?: readonly string[] | undefined;
  readonly url?: string | undefined;
  readonly proxy?: string | undefined;
  readonly protocol: "http" | "https";
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** Where and as whom etcd is asked. */
export interface EtcdAccess {
  readonly endpoints: readonly string[];
  readonly username: string | null;
  readonly password: string | null;
}

const ETCD_PORT = 2379;

/** Endpoints without repetition, in the given order; `proxy` counts before `hosts`, those before `host`, that before `url`. */
export function etcdAccess(given: EtcdAddresses): Reading<EtcdAccess> {
  if (given.proxy !== undefined) return accessByUrl({ ...given, url: given.proxy });
  const hosts = given.hosts ?? (given.host === undefined ? null : [given.host]);
  if (hosts === null) return accessByUrl(given);
  const endpoints: string[] = [];
  for (const address of hosts) {
    const parsed = splitHostPort(address.replace(/^https?:\/\//, "").replace(/\/$/, ""));
    const endpoint = joinHostPort(parsed?.host ?? "", parsed?.port ?? ETCD_PORT);
    if (parsed === null) return { expected: "host:port of each etcd" };
    if (!isFetchable(endpoint)) {
      return { expected: `another port than ${endpoint}: HTTP clients refuse it` };
    }
    const scheme = address.startsWith("https://") ? "https" : given.protocol;
    endpoints.push(`${scheme}://${endpoint}`);
  }
  const { username = null, password = null } = given;
  return { value: { endpoints: [...new Set(endpoints)], username, password } };
}

function accessByUrl(given: EtcdAddresses): Reading<EtcdAccess> {
  if (given.url === undefined) return { expected: "host, hosts or url of etcd" };
  const url = URL.canParse(given.url) ? new URL(given.url) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === "") {
    return { expected: "http://host:port" };
  }
  const port = url.port === "" ? ETCD_PORT : Number(url.port);
  if (BAD_PORTS.has(port)) return { expected: "a port that HTTP clients accept" };
  return {
    value: {
      endpoints: [`${url.protocol}//${url.hostname}:${port}`],
      username: given.username ?? nullIfEmpty(url.username),
      password: given.password ?? nullIfEmpty(url.password),
    },
  };
}

function nullIfEmpty(encoded: string): string | null {
  if (encoded === "") return null;
  try {
    return decodeURIComponent(encoded);
  } catch (error) {
    if (error instanceof URIError) return encoded;
    throw error;
  }
}
