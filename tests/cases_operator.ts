import type { Case } from "./cases.ts";

const NO_SYNC = "synchronous mode is not implemented: a cluster that asks for it gets no leader";

/** The cases of group F: switchover, failover and schedules. In the order of their ids. */
export const OPERATOR_CASES: readonly Case[] = [
  { id: "F1", what: "the candidate lags at the shutdown: the lock is not given up for it" },
  {
    id: "F2",
    what: "synchronous mode: a switchover to an asynchronous member is refused",
    missing: NO_SYNC,
  },
  {
    id: "F3",
    what: "synchronous mode, no candidate: only synchronous members race",
    missing: NO_SYNC,
  },
  { id: "F4", what: "quorum mode: a named candidate needs no quorum", missing: NO_SYNC },
  {
    id: "F5",
    what: "quorum mode: too few healthy voters, refused before the stop",
    missing: NO_SYNC,
  },
  { id: "F6", what: "the leader dies before it acts on a request: honoured or cleared" },
  { id: "F7", what: "a schedule that was missed by more than one and a half loops is dropped" },
  { id: "F8", what: "a schedule without zone is 400, one in the past 422" },
  { id: "F9", what: "a lock that is free is no new leader: no success is told" },
  { id: "F10", what: "a slow shutdown is told as running, with its progress, not as failed" },
  {
    id: "F11",
    what: "a leader renamed in maintenance mode: the sync key follows its name",
    missing: NO_SYNC,
  },
  { id: "F12", what: "maintenance mode: the first primary takes the lock, another runs on" },
  { id: "F13", what: "a failover with a leader in its body is a switchover" },
  { id: "F14", what: "two switchovers at once: one wins, the other gets a clear answer" },
  { id: "F15", what: "a checkpoint before the stop of a switchover keeps the outage short" },
];
