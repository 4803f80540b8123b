import type {
  OldData,
  SlotChanges,
  Source,
  StopEscalation,
  TaskSpec,
} from "../../../lib/core/action.ts";
import type { LeaderReport, PostgresView } from "../../../lib/core/node_view.ts";
import type { Settings } from "../../../lib/core/settings.ts";
import type {
  JobContext,
  JobResult,
  PostgresControl,
  SqlResult,
} from "../../../lib/postgres/port.ts";
import type { JobEnd } from "../jobs.ts";
import { Jobs } from "../jobs.ts";
import type { Steps } from "../schedule.ts";
import type { SimNode } from "../sim_node.ts";
import type { World } from "../world.ts";
import type { Life } from "./life.ts";
import { never } from "./life.ts";

/** Which calls of this process are never answered. */
export interface Hangs {
  readonly has: (kind: "probe-hang" | "job-hang") => boolean;
}

const NEVER_MS = Infinity;

/** The simulated server behind the port. It obeys its deadlines, except where a fault says otherwise. */
export class ShellPostgres implements PostgresControl {
  readonly #world: World;
  readonly #node: SimNode;
  readonly #life: Life;
  readonly #hangs: Hangs;

  constructor(world: World, node: SimNode, life: Life, hangs: Hangs) {
    this.#world = world;
    this.#node = node;
    this.#life = life;
    this.#hangs = hangs;
  }

  async probe(signal: AbortSignal): Promise<PostgresView> {
    if (this.#hangs.has("probe-hang")) return await never();
    return await this.#life.perform(this.#look(), signal);
  }

  bootstrap(_settings: Settings, job: JobContext): Promise<JobResult> {
    return this.#job({ kind: "bootstrap" }, job);
  }

  /** The simulated members have none. */
  prePromote(): Promise<JobResult> {
    return Promise.resolve({ kind: "failed", why: "there is no pre_promote" });
  }

  clone(source: Source, old: OldData, _: Settings, job: JobContext): Promise<JobResult> {
    return this.#job({ kind: "clone", source, old, why: "" }, job);
  }

  rewind(source: Source, _: Settings, job: JobContext): Promise<JobResult> {
    return this.#job({ kind: "rewind", source, why: "" }, job);
  }

  startReplica(upstream: Source | null, _: Settings, job: JobContext): Promise<JobResult> {
    return this.#job({ kind: "start-replica", upstream }, job);
  }

  startPrimary(
    notAfterMs: number,
    timeoutMs: number,
    _settings: Settings,
    job: JobContext,
  ): Promise<JobResult> {
    return this.#job({ kind: "start-primary", notAfterMs, timeoutMs }, job);
  }

  follow(upstream: Source | null, _settings: Settings, job: JobContext): Promise<JobResult> {
    return this.#job({ kind: "follow", upstream }, job);
  }

  promote(notAfterMs: number, job: JobContext): Promise<JobResult> {
    return this.#job({ kind: "promote", notAfterMs }, job);
  }

  stop(
    how: "fast" | "immediate",
    checkpointFirst: boolean,
    escalation: StopEscalation,
    job: JobContext,
  ): Promise<JobResult> {
    return this.#job({ kind: "stop", how, checkpointFirst, escalation, why: "" }, job);
  }

  applySettings(_settings: Settings, signal: AbortSignal): Promise<SqlResult> {
    return this.#life.perform(this.#statement(() => undefined), signal);
  }

  syncSlots({ create, drop }: SlotChanges, signal: AbortSignal): Promise<SqlResult> {
    const { slots } = this.#node.server;
    return this.#life.perform(
      this.#statement(() => {
        for (const slot of create) slots.add(slot);
        for (const slot of drop) slots.delete(slot);
      }),
      signal,
    );
  }

  checkpoint(signal: AbortSignal): Promise<SqlResult> {
    return this.#life.perform(
      this.#statement(() => this.#world.checkpointLater(this.#node.server)),
      signal,
    );
  }

  async inspectLeader({ name }: Source, signal: AbortSignal): Promise<LeaderReport> {
    return await this.#life.perform(this.#inspect(name, signal), signal);
  }

  /** The death of a postmaster comes from the world by `SimNode.wake`. */
  watchPostmaster(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  *#look(): Steps<PostgresView> {
    const { server, name } = this.#node;
    yield server.silent ? NEVER_MS : this.#world.random.between(0, 30);
    return server.view(this.#world.sendersOf(name));
  }

  *#statement(work: () => void): Steps<SqlResult> {
    const { server } = this.#node;
    yield server.silent ? NEVER_MS : this.#world.random.between(0, 30);
    if (server.process !== "running") return { kind: "unknown", why: "the server does not run" };
    if (server.silent) return { kind: "unknown", why: "no answer" };
    work();
    return { kind: "done" };
  }

  *#inspect(name: string, signal: AbortSignal): Steps<LeaderReport> {
    const isCut = !this.#world.linked(this.#node.name, name);
    yield isCut ? NEVER_MS : this.#world.random.between(2, 40);
    const server = this.#world.server(name);
    if (signal.aborted || isCut || server === null || server.process !== "running") {
      return { kind: "failed", name, why: "no connection" };
    }
    const { timeline, history } = server.head.branch;
    return { kind: "seen", name, systemId: server.systemId, timeline, history };
  }

  async #job(task: TaskSpec, job: JobContext): Promise<JobResult> {
    const jobs = new Jobs(this.#node, this.#world, {
      cancelled: () => job.signal.aborted,
      passPointOfNoReturn: job.passPointOfNoReturn,
    });
    this.#world.faults.taskStarts(this.#node, task.kind);
    const hangs = this.#hangs.has("job-hang");
    if (hangs && task.kind !== "stop" && this.#world.random.chance(0.5)) return await never();
    const end = await this.#life.perform(late(jobs.steps(task)), job.signal);
    return hangs ? await never() : resultOf(end);
  }
}

/** After the tick that ordered it has gone on. */
function* late(steps: Steps<JobEnd>): Steps<JobEnd> {
  yield 1;
  return yield* steps;
}

function resultOf({ result, reason }: JobEnd): JobResult {
  return result === "failed" ? { kind: "failed", why: reason ?? "" } : { kind: result };
}
