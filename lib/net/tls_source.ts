import type { Log } from "../base/log.ts";
import { isSameMaterial, loadTls, TlsFault } from "./tls.ts";
import type { TlsFiles, TlsMaterial } from "./tls.ts";

/** Called with what is new, checked; what it throws keeps the old ones in force. */
export type OnRenewed = (material: TlsMaterial) => void;

/**
 * Certificates that follow their files. What cannot be used (half-written, a key that does not fit yet) is told once
 * and the old ones stay in force.
 */
export class TlsSource {
  readonly #what: string;
  readonly #log: Log;
  #files: TlsFiles;
  #present: TlsMaterial;
  #onRenewed: OnRenewed = () => {};
  #complaint = "";
  #looking: Promise<void> | null = null;

  private constructor(what: string, log: Log, files: TlsFiles, present: TlsMaterial) {
    this.#what = what;
    this.#log = log;
    this.#files = files;
    this.#present = present;
  }

  /** Reads the files a first time; `what` names the owner in the log. Throws `TlsFault`. */
  static async open(what: string, files: TlsFiles, log: Log): Promise<TlsSource> {
    return new TlsSource(what, log, files, await loadTls(files));
  }

  /** What is in force. */
  get present(): TlsMaterial {
    return this.#present;
  }

  /** The one listener for changes. */
  onRenewed(listener: OnRenewed): void {
    this.#onRenewed = listener;
  }

  /** Reads other files from now on. Throws `TlsFault` and keeps the old ones when they cannot be used. */
  async follow(files: TlsFiles): Promise<void> {
    this.#take(await loadTls(files), files);
    this.#files = files;
  }

  /** Looks at the files and takes what is new; calls meanwhile share one look. Never throws. */
  look(): Promise<void> {
    this.#looking ??= this.#lookOnce().finally(() => this.#looking = null);
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    const files = this.#files;
    try {
      const material = await loadTls(files);
      if (files === this.#files) this.#take(material, files);
    } catch (error) {
      if (!(error instanceof TlsFault)) throw error;
      if (error.message === this.#complaint) return;
      this.#complaint = error.message;
      this.#log.error(`Keep the old certificates of ${this.#what}: ${error.message}`);
    }
  }

  #take(material: TlsMaterial, files: TlsFiles): void {
    this.#complaint = "";
    if (isSameMaterial(material, this.#present)) return;
    this.#tell(material, files);
    this.#present = material;
    this.#log.info(`Took new certificates for ${this.#what}`);
  }

  /** The TLS library is stricter than our checks: it may refuse a kind of key, for example. */
  #tell(material: TlsMaterial, { ca, cert }: TlsFiles): void {
    try {
      this.#onRenewed(material);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new TlsFault("cert", `${cert ?? ca}: TLS does not take it: ${why}`, { cause });
    }
  }
}
