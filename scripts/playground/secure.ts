import type { HttpFetch } from "../../lib/base/http.ts";
import type { JsonObject } from "../../lib/base/json.ts";

/** Certificates of a playground that uses TLS everywhere; files may be replaced while it runs. */
export interface SecureSite {
  /** Authority of etcd and of the servers; `server.crt`, `client.crt` with their keys are issued by it. */
  readonly folder: string;
  /** Asks etcd, by `client`. */
  readonly askStore: HttpFetch;
  /** Asks members, by `caller`. */
  readonly askMember: HttpFetch;
}

/** What a member's file says in addition. The REST API has an authority of its own, `rest_ca.crt`. */
export function secureOverlay({ folder }: SecureSite): JsonObject {
  const at = (name: string): string => `${folder}/${name}`;
  const login = {
    sslmode: "verify-full",
    sslrootcert: at("ca.crt"),
    sslcert: at("client.crt"),
    sslkey: at("client.key"),
  };
  return {
    etcd3: {
      protocol: "https",
      cacert: at("ca.crt"),
      cert: at("client.crt"),
      key: at("client.key"),
    },
    restapi: {
      certfile: at("rest.crt"),
      keyfile: at("rest.key"),
      cafile: at("rest_ca.crt"),
      verify_client: "optional",
      allowlist: ["127.0.0.0/8"],
    },
    ctl: { cacert: at("rest_ca.crt"), certfile: at("caller.crt"), keyfile: at("caller.key") },
    postgresql: {
      authentication: { superuser: login, replication: login, rewind: login },
      parameters: {
        ssl: "on",
        ssl_cert_file: at("server.crt"),
        ssl_key_file: at("server.key"),
        ssl_ca_file: at("ca.crt"),
      },
      pg_hba: [
        "local all all scram-sha-256",
        "hostssl replication all samenet scram-sha-256 clientcert=verify-ca",
        "host all all samenet scram-sha-256",
      ],
    },
  };
}
