import type { Client } from "pg";
import { systemClock } from "../../lib/base/clock.ts";
import type { Write } from "./history.ts";
import type { Member } from "./member.ts";
import { connect, type SqlPlace } from "./sql.ts";
import { pause, waitFor } from "./wait.ts";

const READ_ONLY = "25006";
const TABLE = "CREATE TABLE playground_writes (id bigint PRIMARY KEY)";
// A base backup streams, too, but by a slot of its own that is temporary.
const INSERT = `INSERT INTO playground_writes (id) VALUES ($1) RETURNING
  current_setting('port')::int AS port,
  left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) AS timeline,
  (SELECT string_agg(s.slot_name, ',') FROM pg_replication_slots s
    JOIN pg_stat_replication r ON r.pid = s.active_pid
    WHERE r.state = 'streaming' AND NOT s.temporary) AS standbys`;

/** A write that was confirmed to its client. */
export interface Commit {
  readonly id: number;
  readonly member: string;
  /** Boot clock at which the confirmation came. */
  readonly atMs: number;
}

/** How much the clients of a watch write. */
export interface WatchOptions {
  /** Clients for each member. */
  readonly writersOfEach?: number;
  /** Between two writes of one client. */
  readonly pauseMs?: number;
  /** The least id, where several watches write into one table. */
  readonly firstId?: number;
  /** Where two more clients write, as an application does: behind a proxy. */
  readonly proxy?: SqlPlace;
}

/** Where one client writes. */
interface Target {
  readonly place: SqlPlace;
  /** The member that answers there; null behind a proxy. */
  readonly member: string | null;
  readonly pauseMs: number;
}

/** Clients that write straight to every member all the time, and note who confirmed what and when. */
export class Watch {
  readonly #members: readonly Member[];
  readonly #options: WatchOptions;
  readonly #writes: Write[] = [];
  #running: Promise<void>[] = [];
  #nextId: number;
  #wanted = false;

  constructor(members: readonly Member[], options: WatchOptions = {}) {
    this.#members = members;
    this.#options = options;
    this.#nextId = options.firstId ?? 1;
  }

  /** Makes the table on the leader. */
  static async prepare(leader: Member): Promise<void> {
    await leader.sql(TABLE);
  }

  /** Begins; the table must be there. */
  start(): void {
    const { writersOfEach = 4, pauseMs = 10, proxy } = this.#options;
    this.#wanted = true;
    const targets = this.#members.flatMap((member) =>
      Array.from({ length: writersOfEach }, () => targetOf(member, pauseMs))
    );
    const application = proxy === undefined ? [] : [{ place: proxy, member: null, pauseMs }];
    targets.push(...application, ...application);
    this.#running = targets.map((target) => this.#writeTo(target, () => this.#wanted));
  }

  /** More clients for one member, without a pause between their writes, until the returned function is called. */
  crowd(member: Member, count: number): () => void {
    let isWanted = true;
    for (let index = 0; index < count; index++) {
      this.#running.push(this.#writeTo(targetOf(member, 0), () => this.#wanted && isWanted));
    }
    return (): void => {
      isWanted = false;
    };
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    await Promise.all(this.#running);
  }

  /** Everything that was asked, in the order of the ends. */
  get writes(): readonly Write[] {
    return this.#writes;
  }

  /** Everything confirmed since a moment of the boot clock, in the order of the confirmations. */
  since(ms: number): readonly Commit[] {
    return this.#writes
      .filter(({ outcome, endedMs }) => outcome === "confirmed" && endedMs >= ms)
      .map(({ id, member, endedMs }) => ({ id, member: member ?? "", atMs: endedMs }));
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

  async #writeTo(target: Target, isWanted: () => boolean): Promise<void> {
    let client: Client | null = null;
    while (isWanted()) {
      try {
        client ??= await connect(target.place);
        await this.#writeOne(client, target);
      } catch (error) {
        if (!isReadOnly(error) || target.member === null) {
          await client?.end().catch(() => undefined);
          client = null;
        }
        await pause(10);
      }
      await pause(target.pauseMs);
    }
    await client?.end().catch(() => undefined);
  }

  async #writeOne(client: Client, { member }: Target): Promise<void> {
    const id = this.#nextId++; // never twice: a commit whose answer was lost may have happened
    const askedMs = systemClock.bootMs();
    const told = { id, askedMs, member, timeline: 0, standbys: [] };
    try {
      const row = (await client.query(INSERT, [id])).rows[0] ?? {};
      const endedMs = systemClock.bootMs();
      this.#writes.push({ ...told, endedMs, outcome: "confirmed", ...this.#read(row) });
    } catch (error) {
      const outcome = isReadOnly(error) ? "refused" : "unknown";
      this.#writes.push({ ...told, endedMs: systemClock.bootMs(), outcome });
      throw error;
    }
  }

  #read(row: Readonly<Record<string, unknown>>): Pick<Write, "member" | "timeline" | "standbys"> {
    const member = this.#members.find(({ plan }) => plan.pgPort === row["port"]);
    const { timeline, standbys } = row;
    return {
      member: member?.name ?? null,
      timeline: parseInt(String(timeline), 16),
      standbys: typeof standbys === "string" ? standbys.split(",") : [],
    };
  }
}

function targetOf({ name, sqlPlace }: Member, pauseMs: number): Target {
  return { place: sqlPlace, member: name, pauseMs };
}

function isReadOnly(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === READ_ONLY;
}

/** Who confirmed writes, one after another: a name that comes twice has shared the time with another. */
export function turnsOf(commits: readonly Commit[]): readonly string[] {
  return commits.map(({ member }) => member).filter((name, index, all) => name !== all[index - 1]);
}
