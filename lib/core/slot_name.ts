const LENGTH_MAX = 63;

/**
 * The replication slot a member uses on its source (Patroni's mapping, so that mixed clusters agree): lower case, `-`
 * and `.` as `_`, any other character outside `[a-z0-9_]` as `u` and its code point in at least four decimal digits,
 * cut at 63 characters.
 */
export function slotNameOf(memberName: string): string {
  let slot = "";
  for (const character of memberName.toLowerCase()) slot += slotCharacter(character);
  return slot.slice(0, LENGTH_MAX);
}

function slotCharacter(character: string): string {
  if (/[a-z0-9_]/.test(character)) return character;
  if (character === "-" || character === ".") return "_";
  return `u${String(character.codePointAt(0)).padStart(4, "0")}`;
}
