import type { Case } from "./cases.ts";

/** The cases of group E: rewind and rejoin. In the order of their ids. */
export const REWIND_CASES: readonly Case[] = [
  { id: "E1", what: "a former primary that ended where the leader began is not rewound" },
  { id: "E2", what: "a former primary that crashed with WAL of its own is rewound and streams" },
  { id: "E3", what: "a replica that replayed beyond the fork is rewound" },
  { id: "E4", what: "a timeline that the leader's history lacks has forked" },
  { id: "E5", what: "the same leader on a higher timeline: histories are compared again" },
  { id: "E6", what: "no rewind before the leader's checkpoint after its promotion" },
  {
    id: "E7",
    what: "an unfinished checkpoint of an earlier term is not told as done",
    missing: "each look reads the control file's timeline; nothing is remembered",
  },
  { id: "E8", what: "a segment that was recycled here is restored for the rewind" },
  { id: "E9", what: "the same with a configuration outside of the data directory" },
  { id: "E10", what: "the leader dies in the middle: what that leaves is never started" },
  { id: "E11", what: "rewinds that fail again and again end in a copy" },
  { id: "E12", what: "a missing privilege of the role is named" },
  { id: "E13", what: "segments that only the former primary has are archived first" },
  { id: "E14", what: "an archive_command with && is run by a shell" },
  {
    id: "E15",
    what: "the words of pg_waldump change",
    missing: "forks are judged by positions; pg_waldump only counts what is given up",
  },
  {
    id: "E16",
    what: "a copy from a replica that lags and lacks WAL",
    missing: "pg_basebackup fails there, and after a failed copy the leader is the source",
  },
  { id: "E17", what: "tablespaces and a linked pg_wal" },
  {
    id: "E18",
    what: "a forced copy is not overtaken by a start",
    missing: "one slot runs one job, and the order of a copy is asked before a start is",
  },
  {
    id: "E19",
    what: "a standby cluster whose remote has several hosts",
    missing: "standby clusters are not implemented: such a cluster gets no leader",
  },
  { id: "E20", what: "a replica promoted by hand in maintenance mode is rewound afterwards" },
  { id: "E21", what: "no password on the command line of pg_rewind and pg_basebackup" },
];
