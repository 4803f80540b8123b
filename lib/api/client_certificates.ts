import { X509Certificate } from "node:crypto";
import { TLSSocket } from "node:tls";
import type { DetailedPeerCertificate } from "node:tls";

/**
 * Which client certificates hold under the authorities of this moment. A session that is taken up again skips the
 * check of its certificate, with Deno 2.9 also after the authorities were replaced, and old connections stay open: such
 * a one counts when its certificate was checked since, or is issued by one of them and in date.
 */
export class ClientCertificates {
  readonly #checked = new Set<string>();
  readonly #checkedBy = new WeakMap<TLSSocket, string>();
  #authorities: readonly X509Certificate[] = [];
  #pem = "";

  constructor(ca: string | null) {
    this.trust(ca);
  }

  /** A connection was made just now: TLS has checked it by the present authorities, unless it is a resumed session. */
  welcome(socket: TLSSocket): void {
    if (!socket.isSessionReused()) this.#checkedBy.set(socket, this.#pem);
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
    const chain = chainOf(socket.getPeerCertificate(true));
    const [own] = chain;
    if (own === undefined || !isInDate(own)) return false;
    const print = own.fingerprint256;
    const isChecked = this.#checked.has(print) || this.#checkedBy.get(socket) === this.#pem;
    const holds = isChecked || this.#leadsHome(chain);
    if (holds) this.#checked.add(print);
    return holds;
  }

  /** Is each of the chain issued by the next one, up to one of the authorities? */
  #leadsHome(chain: readonly X509Certificate[]): boolean {
    for (const [index, one] of chain.entries()) {
      if (this.#authorities.some((authority) => isIssuedBy(one, authority))) return true;
      const next = chain[index + 1];
      if (next === undefined || !next.ca || !isInDate(next) || !isIssuedBy(one, next)) return false;
    }
    return false;
  }
}

/** Chains are short; a longer one is none. */
const CHAIN_MAX = 8;

function chainOf(peer: DetailedPeerCertificate): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next: DetailedPeerCertificate | undefined = peer;
  while (next?.raw !== undefined && chain.length < CHAIN_MAX) {
    chain.push(new X509Certificate(next.raw));
    const issuer: DetailedPeerCertificate | undefined = next.issuerCertificate;
    next = issuer === next ? undefined : issuer;
  }
  return chain;
}

function isIssuedBy(one: X509Certificate, issuer: X509Certificate): boolean {
  return one.checkIssued(issuer) && one.verify(issuer.publicKey);
}

function isInDate({ validFrom, validTo }: X509Certificate): boolean {
  const now = Date.now();
  return Date.parse(validFrom) <= now && now <= Date.parse(validTo);
}
