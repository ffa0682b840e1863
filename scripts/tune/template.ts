/** A path as a route: what names one thing among many becomes `*`. */

/** Numbers, UUIDs, hexadecimal names and other long names with digits in them. */
const ONE_OF_MANY = /^(?:\d+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{8,}|(?=.*\d)[A-Za-z0-9_-]{20,})$/i;
/** What a literal segment of a policy's template may hold (scripts/policy/schema.ts). */
const LITERAL = /^(?:[!-$&-)+-.0-\[\]-z|~]|%(?!2f|5c|00)[0-9a-f]{2})+$/i;
const MAX_SEGMENTS = 16;

/** The template of the path in a request target; a deep path ends in `**`. */
export function templateOf(target: string): string {
  const path = target.replace(/[?#].*$/s, "");
  const segments = path.split("/").slice(1);
  const shown = segments.slice(0, MAX_SEGMENTS).map((segment, index) => {
    if (segment === "") return index === segments.length - 1 ? "" : "*";
    return ONE_OF_MANY.test(segment) || !LITERAL.test(segment) || /^\.\.?$/.test(segment) || segment.length > 64
      ? "*"
      : segment;
  });
  return `/${[...shown, ...(segments.length > MAX_SEGMENTS ? ["**"] : [])].join("/")}`;
}
