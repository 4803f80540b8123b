import type { PostgresView } from "../core/node_view.ts";
import type { Mark } from "./data_dir.ts";
import type { PostgresOptions } from "./options.ts";

/** What counts for a directory with a marker beside it: none, unless the operator wants to see what a rewind has left. */
export function viewOfHalfMade(
  mark: Mark,
  { keepsHalfRewound }: Pick<PostgresOptions, "keepsHalfRewound">,
): PostgresView {
  if (mark !== "rewind" || keepsHalfRewound !== true) return { kind: "no-data" };
  const why = "a rewind was cut short, and the configuration forbids a copy in its place";
  return { kind: "unreadable", why, unproven: true };
}
