/** Marks a branch that the types exclude; reaching it is a bug, so it throws `TypeError` naming the value. */
export function unreachable(value: never): never {
  throw new TypeError(`Cannot handle ${JSON.stringify(value)}: no branch expects it`);
}
