/** Certificates by openssl in a folder of their own; gone with it. */
export class Certificates implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** An empty folder, or `folder`, which the caller removes. */
  static async create(folder?: string): Promise<Certificates> {
    return new Certificates(folder ?? await Deno.makeTempDir({ prefix: "certs-" }));
  }

  /** Path of a file of the folder. */
  path(name: string): string {
    return `${this.folder}/${name}`;
  }

  /** An authority: `NAME.crt` and `NAME.key`. */
  async authority(name: string): Promise<void> {
    const more = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"];
    const words = ["req", "-x509", ...NEW_KEY, "-keyout", `${name}.key`, "-out", `${name}.crt`];
    const extensions = more.flatMap((line) => ["-addext", line]);
    await this.#openssl([...words, "-days", "3", "-subj", `/CN=${name}`, ...extensions]);
  }

  /** An authority issued by another. */
  async intermediate(authority: string, name: string): Promise<void> {
    const request = ["req", ...NEW_KEY, "-keyout", `${name}.key`, "-out", `${name}.csr`];
    await this.#openssl([...request, "-subj", `/CN=${name}`]);
    const text = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n";
    await Deno.writeTextFile(this.path(`${name}.ext`), text);
    await this.#sign(authority, name, `${name}.crt`);
  }

  /** A certificate for this host, good for servers and clients: `NAME.crt` and `NAME.key`. */
  async issue(
    authority: string,
    name: string,
    commonName = name,
    names = "IP:127.0.0.1,IP:::1,DNS:localhost",
  ): Promise<void> {
    const subject = ["-subj", commonName === "" ? "/O=agent" : `/CN=${commonName}`];
    const request = ["req", ...NEW_KEY, "-keyout", `${name}.key`, "-out", `${name}.csr`];
    await this.#openssl([...request, ...subject]);
    await Deno.writeTextFile(
      this.path(`${name}.ext`),
      `subjectAltName=${names}\nextendedKeyUsage=serverAuth,clientAuth\n`,
    );
    await this.#sign(authority, name, `${name}.new`);
    await Deno.rename(this.path(`${name}.new`), this.path(`${name}.crt`));
    await Deno.chmod(this.path(`${name}.key`), 0o600);
  }

  /** A certificate that is its own authority, as `openssl req -x509` makes it: `NAME.crt` and `NAME.key`. */
  async selfSigned(name: string): Promise<void> {
    const words = ["req", "-x509", ...NEW_KEY, "-keyout", `${name}.key`, "-out", `${name}.crt`];
    const names = ["-addext", "subjectAltName=IP:127.0.0.1"];
    await this.#openssl([...words, "-days", "3", "-subj", `/CN=${name}`, ...names]);
  }

  /** `NAME.enc.key`: the key of `name` under a password. */
  async encrypt(name: string, password: string): Promise<void> {
    const words = ["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", `pass:${password}`];
    await this.#openssl([...words, "-in", `${name}.key`, "-out", `${name}.enc.key`]);
  }

  text(name: string): Promise<string> {
    return Deno.readTextFile(this.path(name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }

  async #sign(authority: string, name: string, out: string): Promise<void> {
    const ca = ["-CA", `${authority}.crt`, "-CAkey", `${authority}.key`, "-CAcreateserial"];
    const files = ["-in", `${name}.csr`, "-extfile", `${name}.ext`, "-out", out];
    await this.#openssl(["x509", "-req", "-days", "3", ...ca, ...files]);
  }

  async #openssl(args: readonly string[]): Promise<void> {
    const command = new Deno.Command("openssl", { args: [...args], cwd: this.folder });
    const { success, stderr } = await command.output();
    if (!success) throw new Error(`Cannot run openssl: ${new TextDecoder().decode(stderr)}`);
  }
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"] as const;

/** Authorities `ca` and `other`; `a` and `b` of the first, `stranger` of the second. */
export async function certificates(): Promise<Certificates> {
  const made = await Certificates.create();
  await Promise.all([made.authority("ca"), made.authority("other")]);
  await made.issue("ca", "a");
  await made.issue("ca", "b");
  await made.issue("other", "stranger");
  return made;
}
