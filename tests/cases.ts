/**
 * The test cases of groups A to D: what a cluster must do, each by its id. A test that shows one has the id in front of
 * its title; a case without a test says why. `deno task cases` compares both.
 */
export interface Case {
  readonly id: string;
  readonly what: string;
  /** Why no test shows it. */
  readonly missing?: string;
}

const NO_SYNC = "synchronous mode is not implemented: a cluster that asks for it gets no leader";
const NO_SINGLE =
  "the server is never started in single-user mode: crash recovery runs under the lock, a start as a standby recovers a fork before a rewind";

/** In the order of their ids. */
export const CASES: readonly Case[] = [
  { id: "A1", what: "reads work and writes fail: the primary demotes before its lease ends" },
  { id: "A2", what: "maintenance mode and failing writes: the primary goes on and says so" },
  {
    id: "A3",
    what: "an answer from an older term of the store is discarded, another endpoint asked",
  },
  { id: "A4", what: "a watch that is cancelled over an open socket is opened again" },
  { id: "A5", what: "all endpoints down while a watch lives: a look fails, nothing old is used" },
  {
    id: "A6",
    what: "a failed compare refreshes what was cached",
    missing: "nothing is cached: each look is a linearizable read of the whole tree",
  },
  { id: "A7", what: "the store lost our lease: a new one takes the key by compare, never blindly" },
  { id: "A8", what: "another leads since we were cut off: we demote and leave it undisturbed" },
  { id: "A9", what: "one endpoint hangs: the next one within the budget, no demotion" },
  {
    id: "A10",
    what: "all endpoints have moved: the configured ones are tried again",
    missing: "only configured endpoints are used: there is no discovery that could forget them",
  },
  {
    id: "A11",
    what: "no leader, server stopped, garbage, 502: unreachable, never somebody else's lock",
  },
  { id: "A12", what: "an expired token is renewed once and the call repeated" },
  { id: "A13", what: "one endpoint for the login is down: the next; only a refusal ends it" },
  {
    id: "A14",
    what: "answers of 9 s at ttl 30: stays leader, and never believes longer than the store",
  },
  { id: "A15", what: "ttl, loop_wait and retry_timeout that do not fit: adjusted, with a warning" },
  { id: "A16", what: "the wall clock jumps by an hour: no lease ends or grows" },
  { id: "A17", what: "the host was suspended for a minute: the lease is over at the first look" },
  { id: "A18", what: "the agent of the primary is stopped: nobody writes there after the lease" },
  { id: "A19", what: "a long job runs: the lease is renewed all the same" },
  { id: "A20", what: "ttl changes at run time: a lease of the new length without a gap" },
  { id: "A21", what: "the key tree is deleted: the leader restores it and goes on" },
  { id: "A22", what: "the key tree is deleted: a replica writes its member key and nothing else" },
  { id: "A23", what: "the key tree is deleted in synchronous mode", missing: NO_SYNC },
  { id: "A24", what: "the store is lost during a slow stop: one demotion, not two" },
  { id: "A25", what: "the store stays lost: the stopped server comes back read-only" },
  { id: "A26", what: "the members of the store restart one after another: nobody demotes" },
  { id: "A27", what: "member key and lock expire together: the former leader's slot is kept" },
  { id: "B1", what: "a primary cut from the store still answers: nobody promotes while it does" },
  { id: "B2", what: "a former leader ahead of the synchronous standby", missing: NO_SYNC },
  {
    id: "B3",
    what: "a primary wakes up behind the cluster's timeline: it demotes, the lock stays",
  },
  { id: "B4", what: "a second agent of one name: refused while the first answers HTTP" },
  {
    id: "B5",
    what:
      "the data of another cluster: not touched, unless this agent has led with it; the agent says so and stays",
  },
  { id: "B6", what: "a running replica and an empty store: no lock, the server is left as it is" },
  { id: "B7", what: "a replica on an old timeline is no candidate" },
  { id: "B8", what: "equal positions: the higher priority wins" },
  { id: "B9", what: "more WAL beats a higher priority" },
  { id: "B10", what: "the former leader's priority does not count" },
  { id: "B11", what: "nofailover false beside a priority of 0: it takes part" },
  {
    id: "B12",
    what: "a document with positions counts whatever the status, one without is silence",
  },
  { id: "B13", what: "a peer takes the connection and never answers: decided in time" },
  {
    id: "B14",
    what: "a member that never leads is ahead: the others do not wait, it follows later",
  },
  { id: "B15", what: "a new leader still promotes: others judge no fork before it has" },
  { id: "B16", what: "the lock is lost while pre_promote runs: the promotion is cancelled" },
  {
    id: "B17",
    what: "pre_promote refuses: the lock is released, the member stays out for a lease",
  },
  { id: "B18", what: "the compare of sync fails after the lock was won", missing: NO_SYNC },
  { id: "B19", what: "a silent primary and a failed renewal: demoted by the role last seen" },
  { id: "B20", what: "a silent primary whose renewals work: not demoted" },
  { id: "B21", what: "GET /primary fails as soon as the lease is over" },
  { id: "B22", what: "the lock is deleted by hand: one member has it next, never two writers" },
  { id: "B23", what: "a primary cut off from all: read-only in time, another leads, it rejoins" },
  { id: "B24", what: "a member cannot reach the living leader: no election" },
  {
    id: "C1",
    what: "the store dies, hangs or fails in failsafe mode: the primary stays",
  },
  { id: "C2", what: "the same while one member is away: the primary demotes" },
  {
    id: "C3",
    what: "the store returns after the lease: members that heard the primary do not race",
  },
  {
    id: "C4",
    what: "a switchover after a failsafe time: the former leader counts no more",
  },
  { id: "C5", what: "a new member that is not listed may not win" },
  { id: "C6", what: "a cluster of one stays primary without the store" },
  { id: "C7", what: "a primary refuses the failsafe call of another one" },
  { id: "C8", what: "slots go on moving in a long failsafe time" },
  { id: "C9", what: "the failsafe call passes the list of member addresses" },
  {
    id: "C10",
    what: "the lease ends at the very moment at which failsafe begins: no failover",
  },
  { id: "C11", what: "failsafe mode is shown on primary and replicas" },
  { id: "D1", what: "the postmaster is killed under the lock: started again on its timeline" },
  { id: "D2", what: "primary_start_timeout 0 and a healthy replica: failover at once" },
  { id: "D3", what: "primary_start_timeout 0 and no healthy replica: started at once" },
  { id: "D4", what: "recovery takes too long: failover if somebody can, else patience" },
  { id: "D5", what: "a server that cannot start: one try, the lock is given up" },
  { id: "D6", what: "the data directory is deleted under a primary: lock and server are given up" },
  { id: "D7", what: "the data directory cannot be read: the loop goes on, the lock is given up" },
  { id: "D8", what: "a pid file with the number of another process: the server starts" },
  { id: "D9", what: "pg_controldata fails or says more than usual: no wrong decision" },
  { id: "D10", what: "binaries that do not fit the data: the server's own words are told" },
  { id: "D11", what: "recovery in single-user mode fails", missing: NO_SINGLE },
  { id: "D12", what: "no single-user run over a backup", missing: NO_SINGLE },
  {
    id: "D13",
    what: "the lease is lost while a postmaster starts: it is killed before its pid file is there",
  },
  {
    id: "D14",
    what: "the archiver is blocked: the lock goes once a member has the shutdown checkpoint",
  },
  { id: "D15", what: "the position of the shutdown checkpoint decides and is published" },
  { id: "D16", what: "the watchdog stays on until the server is gone" },
  {
    id: "D17",
    what: "a background worker that looks like a client does not hold up a stop",
    missing:
      "a stop waits for the postmaster alone and turns harsher by the clock, it counts no clients",
  },
  { id: "D18", what: "the agent ends during a copy: its children and the half-made directory go" },
  { id: "D19", what: "a service manager stops the unit: only the agent signals the server" },
  { id: "D20", what: "a reload right after the start does not end the agent" },
  { id: "D21", what: "a slow disk: the directory is not listed at every look" },
  { id: "D22", what: "the log's disk blocks: the loop keeps its pace" },
  { id: "D23", what: "a replica replays for an hour: reported as starting, not restarted" },
  { id: "D24", what: "a server stopped by hand in maintenance mode stays stopped" },
];
