/** Where a page of a list ends, as text that a client hands back: the sort keys of its last entry. */

/** A cursor that is none of ours, or of another list. */
export class CursorError extends Error {}

export function encodeCursor(keys: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(keys)).toString("base64url");
}

/** The keys in a cursor; null for none. Throws `CursorError` where they are not of `kinds`. */
export function decodeCursor(
  cursor: string | undefined,
  kinds: readonly ("string" | "number")[],
): (string | number)[] | null {
  if (cursor === undefined) return null;
  try {
    const keys = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")) as unknown;
    if (Array.isArray(keys) && keys.length === kinds.length && keys.every(fits)) return keys as (string | number)[];
  } catch {
    // No JSON: told as any other fault.
  }
  throw new CursorError("the cursor is not one of this list");

  function fits(key: unknown, place: number): boolean {
    if (typeof key !== kinds[place]) return false;
    return typeof key === "number" ? Number.isSafeInteger(key) : !(key as string).includes("\0");
  }
}
