/** Deep equality of plain data; faster than an assertion, for millions of calls. */
export function sameValue(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object") {
    return Number.isNaN(one) && Number.isNaN(other);
  }
  if (one === null || other === null) return false;
  const entries = Object.entries(one);
  if (entries.length !== Object.keys(other).length) return false;
  return entries.every(([key, value]) => sameValue(value, Reflect.get(other, key)));
}
