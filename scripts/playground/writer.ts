import type { Client } from "pg";
import { pause } from "./wait.ts";
import { connect, type SqlPlace } from "./sql.ts";

/** What a writing client lived through. */
export interface WriterReport {
  /** Ids whose commit was confirmed to the client. */
  readonly acknowledged: readonly number[];
  /** Longest time between two confirmed commits, in milliseconds. */
  readonly longestGapMs: number;
  /** How often the client had to connect again. */
  readonly reconnects: number;
}

const TABLE = "CREATE TABLE IF NOT EXISTS playground_writes (id bigint PRIMARY KEY)";

/** A client that writes one row after another through a proxy, as an application with reconnects would. */
export class Writer {
  readonly #place: SqlPlace;
  readonly #pauseMs: number;
  readonly #acknowledged: number[] = [];
  #client: Client | null = null;
  #nextId = 1;
  #reconnects = 0;
  #longestGapMs = 0;
  #lastAckMs: number | null = null;
  #running: Promise<void> | null = null;
  #wanted = false;

  /** `pauseMs` lies between two writes: 20 makes about 50 a second. */
  constructor(place: SqlPlace, pauseMs = 20) {
    this.#place = place;
    this.#pauseMs = pauseMs;
  }

  start(): void {
    this.#wanted = true;
    this.#running = this.#loop();
  }

  /** Ends the writing and tells everything since the start. */
  async stop(): Promise<WriterReport> {
    this.#wanted = false;
    await this.#running;
    return this.report();
  }

  report(): WriterReport {
    return {
      acknowledged: [...this.#acknowledged],
      longestGapMs: Math.round(this.#longestGapMs),
      reconnects: this.#reconnects,
    };
  }

  /** Milliseconds since the last confirmed commit, while none comes. */
  get silentMs(): number {
    return this.#lastAckMs === null ? 0 : Math.round(performance.now() - this.#lastAckMs);
  }

  /** Starts a new measurement of the longest gap. */
  resetGap(): void {
    this.#longestGapMs = 0;
    this.#lastAckMs = performance.now();
  }

  async #loop(): Promise<void> {
    while (this.#wanted) {
      await this.#writeOne();
      await pause(this.#pauseMs);
    }
    await this.#disconnect();
  }

  async #writeOne(): Promise<void> {
    // Never the same id twice: a commit whose answer was lost may have happened.
    const id = this.#nextId++;
    try {
      this.#client ??= await this.#connect();
      await this.#client.query("INSERT INTO playground_writes (id) VALUES ($1)", [id]);
      this.#acknowledge(id);
    } catch {
      await this.#disconnect();
    }
  }

  async #connect(): Promise<Client> {
    const client = await connect(this.#place);
    this.#reconnects++;
    try {
      await client.query(TABLE);
      return client;
    } catch (error) {
      await client.end();
      throw error;
    }
  }

  #acknowledge(id: number): void {
    const now = performance.now();
    this.#longestGapMs = Math.max(this.#longestGapMs, now - (this.#lastAckMs ?? now));
    this.#lastAckMs = now;
    this.#acknowledged.push(id);
  }

  async #disconnect(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    await client?.end().catch(() => undefined);
  }
}

/** Confirmed ids that the server does not have. */
export async function lostWrites(
  acknowledged: readonly number[],
  sql: (text: string) => Promise<readonly Readonly<Record<string, unknown>>[]>,
): Promise<readonly number[]> {
  const rows = await sql("SELECT id FROM playground_writes");
  const present = new Set(rows.map((row) => Number(row["id"])));
  return acknowledged.filter((id) => !present.has(id));
}
