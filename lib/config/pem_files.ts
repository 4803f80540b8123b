/** Files of certificates and keys as configured; null: not given. Paths are absolute. */
export interface PemFiles {
  /** Authorities that the other end is checked against. */
  readonly ca: string | null;
  readonly cert: string | null;
  /** null: the key is in the file of the certificate. */
  readonly key: string | null;
  readonly keyPassword: string | null;
}

/** Puts them together. */
export function pemFiles(
  ca: string | undefined,
  cert: string | undefined,
  key: string | undefined,
  keyPassword: string | undefined,
): PemFiles {
  return { ca: ca ?? null, cert: cert ?? null, key: key ?? null, keyPassword: keyPassword ?? null };
}
