import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Action, Decision, Outcome } from "../core/action.ts";
import type { NodeView } from "../core/node_view.ts";
import { lastCluster } from "../core/rules/facts.ts";

/** An unchanged heartbeat is written again after this long, unless the owner wants something else. */
const REPEAT_MS = 60_000;

/** What several members try at once, or try in case it is theirs: that all but one are refused is the normal course. */
const CONTESTED: readonly Action["kind"][] = [
  "take-lock",
  "claim-bootstrap",
  "abandon-bootstrap",
  "found-cluster",
];

/**
 * The lines of the heartbeat: who holds the lock (a string that log filters in the field match, spec 4.16), the
 * decision's reason, and actions that did not succeed. Identical ones are folded.
 */
export class HeartbeatLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #repeatMs: () => number;
  #last = "";
  #writtenMs = -Infinity;
  #folded = 0;
  #failsafe: string | null = null;
  /** Reasons of this outage of the store that were told. */
  readonly #told = new Set<string>();
  /** What is to be said of the store's content at present, and was. */
  #content: readonly string[] = [];

  /** `repeatMs`: 0 writes every heartbeat, Infinity none that says the same as the one before. */
  constructor(log: Log, clock: Clock, repeatMs: () => number = (): number => REPEAT_MS) {
    this.#log = log;
    this.#clock = clock;
    this.#repeatMs = repeatMs;
  }

  /** Writes what this round has to say, unless the round before said the same a short while ago. */
  write(view: NodeView, decision: Decision, outcomes: readonly Outcome[]): void {
    this.#tellStore(view);
    this.#tellContent(view);
    this.#tellFailsafe(view);
    const owner = lockOwner(view);
    const failed = outcomes.filter(({ result }) => result !== "done");
    const failures = failed.map(failureText);
    const key = [owner, decision.rule, prefix(view), decision.why, ...failures].join("\n");
    const nowMs = this.#clock.bootMs();
    if (key === this.#last && nowMs - this.#writtenMs < this.#repeatMs()) {
      this.#folded += 1;
      return;
    }
    this.#log.info(`Lock owner: ${owner}; I am ${view.self.name}`);
    this.#log.info(`${prefix(view)}${decision.why}`, { rule: decision.rule, folded: this.#folded });
    for (const outcome of failed) this.#tell(outcome);
    this.#last = key;
    this.#writtenMs = nowMs;
    this.#folded = 0;
  }

  /** Each reason once in an outage, whatever numbers it holds: a wrong password looks like a dead store else. */
  #tellStore({ cluster }: NodeView): void {
    if (cluster.kind === "seen") return this.#told.clear();
    const kind = cluster.why.replace(/\d+/g, "");
    if (this.#told.has(kind)) return;
    this.#told.add(kind);
    this.#log.warn(`The store gives no answer that can be used: ${cluster.why}`);
  }

  /** Keys that cannot be read and settings that are not obeyed as they stand: each once, until it is cured. */
  #tellContent({ cluster }: NodeView): void {
    if (cluster.kind !== "seen") return;
    const { unsupported, warnings } = cluster.settings;
    const barred = unsupported.map((key) => `${key} is not implemented, this member does not lead`);
    const settings = [...barred, ...warnings].map((text) => `Settings of the cluster: ${text}`);
    const content = [...cluster.faults, ...settings];
    for (const text of content) if (!this.#content.includes(text)) this.#log.warn(text);
    this.#content = content;
  }

  /** Once when failsafe mode begins to carry something here, and once when it ends. */
  #tellFailsafe(view: NodeView): void {
    const role = failsafeRole(view);
    if (role === this.#failsafe) return;
    if (role === null) this.#log.info("Failsafe mode is over");
    else this.#log.warn(`Failsafe mode is active: ${role}`);
    this.#failsafe = role;
  }

  #tell(outcome: Outcome): void {
    const isExpected = outcome.result === "refused" && CONTESTED.includes(outcome.action.kind);
    if (isExpected) this.#log.debug(failureText(outcome));
    else this.#log.warn(failureText(outcome));
  }
}

function failsafeRole({ lease, promise, cluster }: NodeView): string | null {
  if (lease.kind === "held" && lease.consented) {
    return "the members consent that this one leads without the store";
  }
  if (cluster.kind === "seen" || !promise?.to) return null;
  return `${promise.to} leads without the store, and this member does not take the lock`;
}

function lockOwner(view: NodeView): string {
  return lastCluster(view)?.lock?.holder ?? "None";
}

/** Log filters in the field know maintenance mode by it (spec 4.16). */
function prefix(view: NodeView): string {
  return lastCluster(view)?.settings.paused === true ? "PAUSE: " : "";
}

function failureText({ action, result, reason }: Outcome): string {
  const task = action.kind === "start-task" ? ` ${action.task.kind}` : "";
  const end = result === "refused" ? "refused" : "without an answer";
  return `Action ${action.kind}${task} ended ${end}: ${reason ?? "no reason was given"}`;
}
