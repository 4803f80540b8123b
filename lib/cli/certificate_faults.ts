import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { ConfigFault } from "../base/errors.ts";
import type { AgentConfig, Credentials } from "../config/agent_config.ts";
import { loadTls, TlsFault } from "../net/tls.ts";
import type { TlsField, TlsFiles } from "../net/tls.ts";

/** The keys of the configuration that name the files. */
type KeyNames = Readonly<Record<TlsField, string>>;

const SERVER: KeyNames = {
  ca: "restapi.cafile",
  cert: "restapi.certfile",
  key: "restapi.keyfile",
  keyPassword: "restapi.keyfile_password",
};
const MEMBERS: KeyNames = {
  ca: "ctl.cacert",
  cert: "ctl.certfile",
  key: "ctl.keyfile",
  keyPassword: "ctl.keyfile_password",
};
const STORE: KeyNames = {
  ca: "etcd3.cacert",
  cert: "etcd3.cert",
  key: "etcd3.key",
  keyPassword: "etcd3.key_password",
};

/** Reads every file of certificates and keys that the configuration names; what cannot be used, one fault each. */
export async function certificateFaults(config: AgentConfig): Promise<readonly ConfigFault[]> {
  const { restapi, postgresql } = config;
  const { superuser, replication, rewind } = postgresql.authentication;
  const found = await Promise.all([
    restapi.tls === null ? [] : faultsIn(SERVER, restapi.tls),
    clientFaults(config),
    faultsOfRole("superuser", superuser),
    faultsOfRole("replication", replication),
    rewind === null ? [] : faultsOfRole("rewind", rewind),
  ]);
  return found.flat();
}

/** The same for the files that calls to members and store need. */
export async function clientFaults({ etcd, ctlTls }: AgentConfig): Promise<readonly ConfigFault[]> {
  return [...await faultsIn(MEMBERS, ctlTls), ...await faultsIn(STORE, etcd.tls)];
}

/** What to tell people about certificates that can be used. */
export async function certificateRemarks({ restapi }: AgentConfig): Promise<readonly string[]> {
  if (restapi.tls === null) return [];
  const { cert } = await loadTls(restapi.tls);
  const host = restapi.connectAddress.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
  const own = new X509Certificate(cert ?? "");
  const found = isIP(host) === 0 ? own.checkHost(host) : own.checkIP(host);
  if (found !== undefined) return [];
  return [
    `restapi.certfile: the certificate does not name ${host} of restapi.connect_address: members that check it ` +
    "will not find this one",
  ];
}

async function faultsOfRole(
  role: string,
  { options }: Credentials,
): Promise<readonly ConfigFault[]> {
  const key = (name: string): string => `postgresql.authentication.${role}.${name}`;
  const ca = options["sslrootcert"] ?? null;
  const names = {
    ca: key("sslrootcert"),
    cert: key("sslcert"),
    key: key("sslkey"),
    keyPassword: key("sslpassword"),
  };
  return await faultsIn(names, {
    ca: ca === "system" ? null : ca, // libpq 16 and later
    cert: options["sslcert"] ?? null,
    key: options["sslkey"] ?? null,
    keyPassword: options["sslpassword"] ?? null,
  });
}

async function faultsIn(names: KeyNames, files: TlsFiles): Promise<readonly ConfigFault[]> {
  try {
    await loadTls(files);
    return [];
  } catch (error) {
    if (!(error instanceof TlsFault)) throw error;
    return [{ file: "this host", line: null, path: names[error.field], message: error.message }];
  }
}
