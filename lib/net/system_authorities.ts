/** Where distributions keep the authorities they trust, one PEM file each (Debian, Red Hat, SUSE, Alpine). */
const BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
] as const;

/**
 * The authorities of this host as PEM, "" when it has none: Deno by itself trusts only a list that came with it.
 * SSL_CERT_FILE names another bundle, as for OpenSSL.
 */
export function systemAuthorities(): string {
  for (const path of [Deno.env.get("SSL_CERT_FILE") ?? "", ...BUNDLES]) {
    try {
      if (path !== "") return Deno.readTextFileSync(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return "";
}
