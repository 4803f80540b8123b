/** Numbers from a seed; the same seed gives the same run on every machine. */
export class Random {
  #state: number;
  readonly #steady: boolean;

  /** `steady`: always the middle of what is asked for, and no chance comes true (transcripts). */
  constructor(seed: number, steady = false) {
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0;
    this.#steady = steady;
    for (let warm = 0; warm < 4; warm++) this.next();
  }

  /** From 0 up to, not including, 1 (mulberry32). */
  next(): number {
    if (this.#steady) return 0.5;
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let bits = this.#state;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 0x100000000;
  }

  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** True in `share` of the calls; a steady source says no. */
  chance(share: number): boolean {
    return !this.#steady && this.next() < share;
  }

  /** One of a list that must not be empty. */
  pick<T>(list: readonly T[]): T {
    const item = list[Math.floor(this.next() * list.length)];
    if (item === undefined) throw new TypeError("Cannot pick from an empty list");
    return item;
  }
}
