/** What the local file chooses and rules look at; absent: it says nothing. */
export interface LocalChoices {
  /** A `pre_promote` program is configured. */
  readonly hasPrePromote?: boolean;
  /** There is content for one role only. */
  readonly hasRoleContent?: boolean;
  /** `postgresql.use_pg_rewind`; absent: the cluster's settings count. */
  readonly usePgRewind?: boolean;
  /** A copy may replace what a failed rewind has left, though `mayReclone` forbids one of diverged data. */
  readonly mayRecloneAfterRewind?: boolean;
}
