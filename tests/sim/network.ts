/** What is broken between the hosts and the store, and what is slow. Several faults may overlap. */
export class Network {
  readonly storeCut = new Counts();
  readonly lossy = new Counts();
  readonly slowStore = new Counts();
  /** Requests between members that these send or receive. */
  readonly slowPeers = new Counts();
  readonly lossyPeers = new Counts();
  readonly #links = new Counts();
  readonly #flags = new Counts();

  get storeDown(): boolean {
    return this.#flags.has("store");
  }

  get slowServers(): boolean {
    return this.#flags.has("slow");
  }

  get clonesFail(): boolean {
    return this.#flags.has("clone");
  }

  get withoutFailsafe(): boolean {
    return this.#flags.has("failsafe-off");
  }

  get paused(): boolean {
    return this.#flags.has("pause");
  }

  /** Cuts connections that `from` opens to `to`; the result heals them. */
  cutLink(from: string, to: string): () => void {
    return this.#links.add(`${from}>${to}`);
  }

  /** Raises a flag of all hosts; the result lowers it. */
  raise(flag: "store" | "slow" | "clone" | "pause" | "failsafe-off"): () => void {
    return this.#flags.add(flag);
  }

  /** True when `from` can open a connection to `to`. */
  linked(from: string, to: string): boolean {
    return from === to || !this.#links.has(`${from}>${to}`);
  }
}

/** A set whose members may be put in several times and leave with the last. */
export class Counts {
  readonly #counts = new Map<string, number>();

  has(key: string): boolean {
    return (this.#counts.get(key) ?? 0) > 0;
  }

  /** Puts it in; the result takes it out, once. */
  add(key: string): () => void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    let taken = false;
    return () => {
      if (taken) return;
      taken = true;
      this.#counts.set(key, (this.#counts.get(key) ?? 1) - 1);
    };
  }
}
