import { within } from "../base/deadline.ts";
import { PostgresUnreachable, Refused } from "../base/errors.ts";
import type { PrimaryView, ReplicaView } from "../core/node_view.ts";
import type { PostmasterPid } from "../host/processes.ts";
import type { FullControlData } from "./controldata.ts";
import { identifySystem } from "./leader_history.ts";
import type { PostgresOptions } from "./options.ts";
import { tooSmallForWal } from "./parameters.ts";
import type { ControlFault } from "./pg_ctl.ts";
import { localReplicationTarget } from "./postmaster.ts";
import { controlTimeline, runningSettings } from "./probe_sql.ts";
import type { Row } from "./session.ts";
import { withSession } from "./session.ts";

const IDENTIFY_MS = 2000;

/** What the first look at the server gave, and where the rest is found. */
export interface FirstLook {
  readonly options: PostgresOptions;
  readonly row: Row;
  readonly file: PostmasterPid;
  readonly readControl: () => Promise<FullControlData | ControlFault>;
}

/** Adds to the view of a replica what its row does not tell. Throws what is no fault of the server. */
export async function completeView(
  view: PrimaryView | ReplicaView,
  look: FirstLook,
  signal: AbortSignal,
): Promise<PrimaryView | ReplicaView> {
  if (view.kind === "primary") return view;
  const { timeline } = view;
  return {
    ...view,
    ...(view.replayPaused ? await pauseReason(look) : {}),
    timeline: timeline ?? await findTimeline(look, signal),
  };
}

/** A pause that somebody wished looks the same in SQL; the control file tells them apart. */
async function pauseReason(
  { row, readControl }: FirstLook,
): Promise<Pick<ReplicaView, "tooSmall">> {
  const control = await readControl();
  if ("fault" in control) return {};
  const tooSmall = tooSmallForWal(runningSettings(row), control.settings);
  return Object.keys(tooSmall).length === 0 ? {} : { tooSmall };
}

/** A replica without a receiver learns its timeline from a WAL sender of its own, else from its control file. */
async function findTimeline(
  { options, row, file }: FirstLook,
  signal: AbortSignal,
): Promise<number> {
  const target = localReplicationTarget(options, file);
  using deadline = within(IDENTIFY_MS, signal);
  try {
    const { timeline } = await withSession(
      target,
      (session) => identifySystem(session, deadline.signal),
      deadline.signal,
    );
    return timeline;
  } catch (error) {
    if (!(error instanceof PostgresUnreachable) && !(error instanceof Refused)) throw error;
    return controlTimeline(row);
  }
}
