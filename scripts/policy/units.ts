/**
 * The units a person writes in the policy: sizes ("256KiB"), durations ("1s"), shares ("10%"), dates ("2027-06-01"). Each parser takes
 * what YAML gave and answers the whole number that the module reads, or null where it is not of that form.
 */

const SIZE_UNITS: Record<string, number> = { "": 1, B: 1, KiB: 1024, MiB: 1024 * 1024 };
const DURATION_UNITS: Record<string, number> = { "": 1, ms: 1, s: 1000 };

/** Whole bytes, or a number with B, KiB or MiB. */
export const SIZE_PATTERN = /^(\d{1,9})(B|KiB|MiB)?$/;
/** Whole milliseconds, or a number with ms or s. */
export const DURATION_PATTERN = /^(\d{1,9})(ms|s)?$/;
/** A percentage with at most two decimals. */
export const SHARE_PATTERN = /^(?:100(?:\.0{1,2})?|\d{1,2}(?:\.\d{1,2})?)%$/;
/** A day of the calendar. */
export const DATE_PATTERN = /^(\d{4})-(\d{2})-(\d{2})$/;

function quantity(value: number | string, pattern: RegExp, units: Record<string, number>): number | null {
  if (typeof value === "number") return Number.isSafeInteger(value) && value >= 0 ? value : null;
  const match = pattern.exec(value);
  return match === null ? null : Number(match[1]) * (units[match[2] ?? ""] ?? NaN);
}

/** Bytes of 262144, "262144" or "256KiB". */
export function parseSize(value: number | string): number | null {
  return quantity(value, SIZE_PATTERN, SIZE_UNITS);
}

/** Milliseconds of 1000, "1000ms" or "1s". */
export function parseDuration(value: number | string): number | null {
  return quantity(value, DURATION_PATTERN, DURATION_UNITS);
}

/** Hundredths of a percent of "12.5%", which is of SHARE_PATTERN. */
export function parseShare(value: string): number {
  return Math.round(Number(value.slice(0, -1)) * 100);
}

/** "262144" as "256 KiB": the largest unit that leaves a whole number. */
export function formatSize(bytes: number): string {
  if (bytes >= 1024 * 1024 && bytes % (1024 * 1024) === 0) return `${bytes / 1024 / 1024} MiB`;
  if (bytes >= 1024 && bytes % 1024 === 0) return `${bytes / 1024} KiB`;
  return `${bytes} bytes`;
}

/** The second (Unix time) at which the day written as YYYY-MM-DD is over in UTC; null where there is no such day. */
export function parseExpiry(date: string): number | null {
  const match = DATE_PATTERN.exec(date);
  if (match === null) return null;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const start = new Date(Date.UTC(year, month - 1, day));
  // Date rolls 2027-02-30 over to March; only a day that comes back as written exists.
  if (start.getUTCFullYear() !== year || start.getUTCMonth() !== month - 1 || start.getUTCDate() !== day) return null;
  return start.getTime() / 1000 + 86_400;
}
