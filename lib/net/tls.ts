import { createPrivateKey, X509Certificate } from "node:crypto";
import type { KeyObject } from "node:crypto";

/** The PEM files of one end of a TLS connection; null: not given. */
export interface TlsFiles {
  /** Authorities that the other end is checked against. */
  readonly ca: string | null;
  /** Own certificate, with its chain. */
  readonly cert: string | null;
  /** Key of `cert`; null: it is in the same file. */
  readonly key: string | null;
  readonly keyPassword: string | null;
}

/** No certificate and no authority of one's own. */
export const NO_TLS_FILES: TlsFiles = { ca: null, cert: null, key: null, keyPassword: null };

/** What the files held, checked: every certificate can be read and the key fits. */
export interface TlsMaterial {
  /** PEM text; null: the authorities of the system. */
  readonly ca: string | null;
  readonly cert: string | null;
  /** Decrypted, PEM (PKCS#8). */
  readonly key: string | null;
}

/** Which of the files is at fault. */
export type TlsField = "ca" | "cert" | "key" | "keyPassword";

/** A file of certificates or keys cannot be used; the message names the file and what is wrong with it. */
export class TlsFault extends Error {
  override readonly name = "TlsFault";
  readonly field: TlsField;

  constructor(field: TlsField, message: string, options?: ErrorOptions) {
    super(message, options);
    this.field = field;
  }
}

/**
 * Reads and checks the files. Throws `TlsFault`. What is checked here would otherwise show late or never: TLS
 * libraries take a file without any certificate for an empty list of authorities.
 */
export async function loadTls(files: TlsFiles): Promise<TlsMaterial> {
  const ca = files.ca === null ? null : await readPem("ca", files.ca);
  if (files.ca !== null && ca !== null) certificatesIn("ca", files.ca, ca);
  if (files.cert === null) {
    if (files.key !== null) throw new TlsFault("key", `${files.key}: a key without a certificate`);
    return { ca, cert: null, key: null };
  }
  const cert = await readPem("cert", files.cert);
  const [own] = certificatesIn("cert", files.cert, cert);
  const keyFile = files.key ?? files.cert;
  const key = privateKey(keyFile, files.key === null ? cert : await readPem("key", keyFile), files);
  if (own?.checkPrivateKey(key) !== true) {
    throw new TlsFault("key", `${keyFile}: this key does not belong to ${files.cert}`);
  }
  return { ca, cert, key: key.export({ type: "pkcs8", format: "pem" }).toString() };
}

/** True when both would make the same connections. */
export function isSameMaterial(one: TlsMaterial, other: TlsMaterial): boolean {
  return one.ca === other.ca && one.cert === other.cert && one.key === other.key;
}

/** A private key of a PEM text, opened by `keyPassword`. Throws `TlsFault` that names `file`. */
export function privateKey(
  file: string,
  pem: string,
  { keyPassword }: Pick<TlsFiles, "keyPassword">,
): KeyObject {
  const blocks = pem.match(
    /-----BEGIN ([A-Z ]*)PRIVATE KEY-----[\s\S]*?-----END \1PRIVATE KEY-----/g,
  );
  const [block] = blocks ?? [];
  if (block === undefined) throw new TlsFault("key", `${file}: holds no private key in PEM form`);
  const isEncrypted = block.includes("ENCRYPTED");
  if (isEncrypted && keyPassword === null) {
    throw new TlsFault("keyPassword", `${file}: the key is encrypted and no password is given`);
  }
  try {
    return createPrivateKey(isEncrypted ? { key: block, passphrase: keyPassword ?? "" } : block);
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    if (!isEncrypted) {
      throw new TlsFault("key", `${file}: no usable key: ${cause.message}`, { cause });
    }
    const message = `${file}: the password does not open the key`;
    throw new TlsFault("keyPassword", message, { cause });
  }
}

async function readPem(field: TlsField, path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new TlsFault(field, `${path}: cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

function reasonOf(error: Error): string {
  if (error instanceof Deno.errors.NotFound) return "no such file";
  return error instanceof Deno.errors.PermissionDenied ? "permission denied" : error.message;
}

function certificatesIn(field: TlsField, path: string, pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g);
  if (blocks === null) throw new TlsFault(field, `${path}: holds no certificate in PEM form`);
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TlsFault(field, `${path}: holds a certificate that cannot be read: ${why}`, {
      cause,
    });
  }
}
