import type { Client } from "pg";
import { systemClock } from "../../lib/base/clock.ts";
import type { Member } from "../../scripts/playground/member.ts";
import { PASSWORDS } from "../../scripts/playground/member_file.ts";
import { connect } from "../../scripts/playground/sql.ts";
import { pause, waitFor } from "../../scripts/playground/wait.ts";

const WRITERS_OF_EACH = 4;
const PAUSE_MS = 10;
const READ_ONLY = "25006";

/** A write that was confirmed to its client. */
export interface Commit {
  readonly id: number;
  readonly member: string;
  /** Boot clock at which the confirmation came. */
  readonly atMs: number;
}

/** Clients that write straight to every member all the time, and note who confirmed what and when. */
export class Watch {
  readonly #members: readonly Member[];
  readonly #commits: Commit[] = [];
  #running: readonly Promise<void>[] = [];
  #nextId = 1;
  #wanted = false;

  constructor(members: readonly Member[]) {
    this.#members = members;
  }

  /** Begins; the table must be there. */
  start(): void {
    this.#wanted = true;
    this.#running = this.#members.flatMap((member) =>
      Array.from({ length: WRITERS_OF_EACH }, () => this.#writeTo(member))
    );
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    await Promise.all(this.#running);
  }

  /** Everything confirmed since a moment of the boot clock, in the order of the confirmations. */
  since(ms: number): readonly Commit[] {
    return this.#commits.filter((commit) => commit.atMs >= ms);
  }

  /** Waits for some writes that `accept` takes, from now on; returns the first of them. */
  async next(
    what: string,
    deadlineMs: number,
    accept: (commit: Commit) => boolean,
  ): Promise<Commit> {
    const fromMs = systemClock.bootMs();
    return await waitFor(what, deadlineMs, () => {
      const [first, ...more] = this.since(fromMs).filter(accept);
      const isEnough = first !== undefined && more.length >= 20;
      return Promise.resolve({ met: isEnough ? first : null, seen: `${more.length} writes` });
    });
  }

  async #writeTo(member: Member): Promise<void> {
    const { pgPort, site } = member.plan;
    let client: Client | null = null;
    while (this.#wanted) {
      try {
        client ??= await connect(pgPort, PASSWORDS.superuser, site.host);
        await this.#writeOne(client, member.name);
      } catch (error) {
        const isReplica = error instanceof Error && "code" in error && error.code === READ_ONLY;
        if (!isReplica) {
          await client?.end().catch(() => undefined);
          client = null;
        }
      }
      await pause(PAUSE_MS);
    }
    await client?.end().catch(() => undefined);
  }

  async #writeOne(client: Client, member: string): Promise<void> {
    const id = this.#nextId++; // never twice: a commit whose answer was lost may have happened
    await client.query("INSERT INTO playground_writes (id) VALUES ($1)", [id]);
    this.#commits.push({ id, member, atMs: systemClock.bootMs() });
  }
}

/** Who confirmed writes, one after another: a name that comes twice has shared the time with another. */
export function turnsOf(commits: readonly Commit[]): readonly string[] {
  return commits.map(({ member }) => member).filter((name, index, all) => name !== all[index - 1]);
}
