import { X509Certificate } from "node:crypto";
import { TLSSocket } from "node:tls";

/**
 * Which client certificates hold under the authorities of this moment. A session that is taken up again skips the
 * check of its certificate, with Deno 2.9 also after the authorities were replaced: such a one counts when its
 * certificate was checked since, or is issued by one of them and in date.
 */
export class ClientCertificates {
  readonly #checked = new Set<string>();
  #authorities: readonly X509Certificate[] = [];
  #pem = "";

  constructor(ca: string | null) {
    this.trust(ca);
  }

  /** Other authorities from now on; nothing checked before counts. */
  trust(ca: string | null): void {
    if (ca === this.#pem) return;
    this.#pem = ca ?? "";
    const blocks = this.#pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g);
    this.#authorities = (blocks ?? []).map((block) => new X509Certificate(block));
    this.#checked.clear();
  }

  /** Did the other end of this connection prove a certificate that holds now? */
  isProven(socket: unknown): boolean {
    if (!(socket instanceof TLSSocket) || !socket.authorized) return false;
    const { raw } = socket.getPeerCertificate();
    if (raw === undefined) return false;
    const certificate = new X509Certificate(raw);
    if (!isInDate(certificate)) return false;
    const print = certificate.fingerprint256;
    const holds = !socket.isSessionReused() || this.#checked.has(print) ||
      this.#issued(certificate);
    if (holds) this.#checked.add(print);
    return holds;
  }

  #issued(certificate: X509Certificate): boolean {
    return this.#authorities.some((one) =>
      certificate.checkIssued(one) && certificate.verify(one.publicKey)
    );
  }
}

function isInDate({ validFrom, validTo }: X509Certificate): boolean {
  const now = Date.now();
  return Date.parse(validFrom) <= now && now <= Date.parse(validTo);
}
