import type { ControlData, PostgresView, SenderView } from "../../lib/core/node_view.ts";
import type { Lsn } from "../../lib/core/lsn.ts";
import type { WalRecord } from "./wal.ts";
import { append, branchOff, firstRecord, SETTING_LEAST } from "./wal.ts";

/** What the data directory is good for; "half-made": a job is or was at work in it, and its marker says so; "spoiled": not readable. */
export type DataState = "none" | "half-made" | "spoiled" | "usable";

/** What runs: nothing, a postmaster that recovers, or one that answers. */
export type ProcessState = "off" | "starting" | "running";

/** One PostgreSQL with its directory. It outlives its agent, and does only what PostgreSQL would do. */
export class Server {
  readonly name: string;
  data: DataState = "none";
  process: ProcessState = "off";
  /** standby.signal: decides how it starts and what it is. */
  standby = false;
  systemId = "";
  head: WalRecord = firstRecord();
  upstream: string | null = null;
  streaming = false;
  crashed = false;
  promoting = false;
  /** A fast stop has begun: sessions are gone, nothing is acknowledged any more. */
  shuttingDown = false;
  silent = false;
  /** Nothing can be written where its data are. */
  diskFull = false;
  startedMs = 0;
  controlTimeline = 1;
  checkpointLsn: Lsn;
  /** The setting that it runs with, and the one that its next start is given. */
  setting = SETTING_LEAST;
  wantedSetting = SETTING_LEAST;
  /** The last record that was replayed while replay has paused for a setting that is too small. */
  #pausedAt: WalRecord | null = null;
  /** Older WAL is removed: a standby that lacks it never streams from here. */
  keepsFrom: Lsn;
  readonly slots = new Set<string>();
  /** Counts changes of the process: a timer of an earlier one must not act on a later one. */
  epoch = 0;

  constructor(name: string) {
    this.name = name;
    this.checkpointLsn = this.head.lsn;
    this.keepsFrom = this.head.lsn;
  }

  /** Out of recovery and not certainly stopped: it may acknowledge a write. */
  get writable(): boolean {
    return this.process === "running" && !this.standby;
  }

  /** initdb. */
  initialize(systemId: string): void {
    this.systemId = systemId;
    this.standby = false;
    this.crashed = false;
    this.head = firstRecord();
    this.controlTimeline = 1;
    this.checkpointLsn = this.head.lsn;
    this.keepsFrom = this.head.lsn;
    this.slots.clear();
  }

  /** pg_basebackup: what the source has at its end. */
  copyFrom(source: Server): void {
    this.initialize(source.systemId);
    this.head = source.head;
    this.controlTimeline = source.head.branch.timeline;
    this.checkpointLsn = source.head.lsn;
    this.standby = true;
  }

  /** Its slots have lost what is older than its end. */
  removeWal(): void {
    this.keepsFrom = this.head.lsn;
  }

  /** The postmaster is there, but recovers. */
  spawn(nowMs: number): void {
    this.epoch++;
    this.process = "starting";
    this.startedMs = nowMs;
    this.streaming = false;
    this.promoting = false;
    this.shuttingDown = false;
    this.setting = this.standby
      ? Math.max(this.wantedSetting, this.head.needs)
      : this.wantedSetting;
    this.#pausedAt = null;
  }

  /** Recovery has reached what it needs. */
  accept(): void {
    this.process = "running";
    this.crashed = false;
    const isWriter = this.writable && this.setting !== this.head.needs;
    if (isWriter) this.head = append(this.head, this.setting);
  }

  /** One acknowledged write. */
  write(): void {
    this.head = append(this.head);
  }

  /** WAL of the source has arrived: replay pauses at what needs a greater setting. */
  receive(head: WalRecord): void {
    if (this.setting < head.needs) this.#pausedAt ??= this.head;
    this.head = head;
  }

  /** Replay has paused for a setting; a promotion waits for ever then. */
  get replayPaused(): boolean {
    return this.#pausedAt !== null;
  }

  /** The last step of a promotion. */
  leaveRecovery(): void {
    this.head = branchOff(this.head);
    this.standby = false;
    this.upstream = null;
    this.streaming = false;
    this.promoting = false;
  }

  /** CHECKPOINT, or the one that a promotion ends with. */
  checkpoint(): void {
    if (this.process !== "running") return;
    this.checkpointLsn = this.head.lsn;
    this.controlTimeline = this.head.branch.timeline;
  }

  /** The shutdown checkpoint of a primary: standbys may still receive it. */
  writeShutdownCheckpoint(): void {
    this.checkpointLsn = this.head.lsn;
    this.head = append(this.head);
    this.controlTimeline = this.head.branch.timeline;
  }

  /** The processes are gone; `clean`: after a shutdown checkpoint. */
  die(clean: boolean): void {
    this.epoch++;
    if (this.process === "starting" || !clean) this.crashed = true;
    this.process = "off";
    this.streaming = false;
    this.promoting = false;
    this.shuttingDown = false;
  }

  /** What a probe finds. */
  view(senders: readonly SenderView[]): PostgresView {
    if (this.data === "spoiled") return { kind: "unreadable", why: "no readable PG_VERSION" };
    if (this.data !== "usable") return { kind: "no-data" };
    if (this.process === "off") {
      return { kind: "down", control: this.#control(), crashed: this.crashed };
    }
    const { systemId, standby: asReplica, startedMs: sinceMs } = this;
    if (this.process === "starting") return { kind: "starting", systemId, asReplica, sinceMs };
    if (this.silent) {
      const lastRole = asReplica ? "replica" : "primary";
      return { kind: "silent", systemId, lastRole, why: "no answer" };
    }
    return asReplica ? this.#replicaView(senders) : this.#primaryView(senders);
  }

  #primaryView(senders: readonly SenderView[]): PostgresView {
    const { timeline } = this.head.branch;
    const checkpointed = this.controlTimeline === timeline;
    return {
      kind: "primary",
      timeline,
      lsn: this.head.lsn,
      checkpointed,
      ...this.#common(senders),
    };
  }

  #replicaView(senders: readonly SenderView[]): PostgresView {
    const { upstream, setting, head: { needs } } = this;
    const max_connections = { oldValue: String(setting), newValue: String(needs) };
    return {
      kind: "replica",
      timeline: this.head.branch.timeline,
      receivedLsn: this.head.lsn,
      replayedLsn: (this.#pausedAt ?? this.head).lsn,
      replayedAt: null,
      replayPaused: this.replayPaused,
      ...(this.replayPaused ? { tooSmall: { max_connections } } : {}),
      streaming: this.streaming,
      restores: false,
      upstream: upstream === null ? null : { host: upstream, port: 5432, slotName: this.name },
      sourceEndLsn: this.streaming ? this.head.lsn : null,
      ...this.#common(senders),
    };
  }

  #common(senders: readonly SenderView[]): Common {
    const slots = [...this.slots].sort().map((name) => ({
      name,
      kind: "physical" as const,
      active: senders.some((sender) => sender.applicationName === name),
      temporary: false,
      restartLsn: this.head.lsn,
      xmin: false,
      walStatus: "reserved",
    }));
    const startTime = `2026-01-01 00:00:00.${this.startedMs}+00:00`;
    const { systemId } = this;
    return { systemId, serverVersion: 150020, startTime, slots, senders, pendingRestart: {} };
  }

  #control(): ControlData {
    const { systemId, standby, crashed, checkpointLsn } = this;
    const clean = standby ? "shut down in recovery" : "shut down";
    const unclean = standby ? "in archive recovery" : "in production";
    const { lsn, branch } = this.head;
    return {
      systemId,
      state: crashed ? unclean : clean,
      timeline: this.controlTimeline,
      checkpointLsn,
      minRecovery: standby ? { lsn, timeline: branch.timeline } : null,
      rewindable: true,
    };
  }
}

type Common = Pick<
  Extract<PostgresView, { kind: "primary" }>,
  "systemId" | "serverVersion" | "startTime" | "slots" | "senders" | "pendingRestart"
>;
