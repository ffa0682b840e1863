// Fixed texts: names to compare with and fragments to write. A string literal is static data (UTF-16, no allocation, no
// collector), so ASCII literals stand in the code where they are used; nothing here makes a new string.

/** Whether `start..end` holds exactly the ASCII `literal`. */
export function textIs(start: usize, end: usize, literal: string): bool {
  return end - start == <usize>literal.length && textStarts(start, end, literal);
}

/** Whether `start..end` begins with the ASCII `literal`. */
export function textStarts(start: usize, end: usize, literal: string): bool {
  const length = <usize>literal.length;
  if (end - start < length) return false;
  const characters = changetype<usize>(literal);
  for (let i: usize = 0; i < length; i++) {
    if (load<u8>(start + i) != <u8>load<u16>(characters + (i << 1))) return false;
  }
  return true;
}

/** `textIs` without regard to ASCII case; `literal` is in lower case. */
export function textIsNoCase(start: usize, end: usize, literal: string): bool {
  return end - start == <usize>literal.length && textStartsNoCase(start, end, literal);
}

/** `textStarts` without regard to ASCII case; `literal` is in lower case. */
export function textStartsNoCase(start: usize, end: usize, literal: string): bool {
  const length = <usize>literal.length;
  if (end - start < length) return false;
  const characters = changetype<usize>(literal);
  for (let i: usize = 0; i < length; i++) {
    const byte = load<u8>(start + i);
    const lower = byte - 0x41 < 26 ? byte | 0x20 : byte;
    if (lower != <u8>load<u16>(characters + (i << 1))) return false;
  }
  return true;
}

/** Writes the ASCII `literal` at `out` and returns the next cursor. */
export function putText(out: usize, literal: string): usize {
  const length = <usize>literal.length;
  const characters = changetype<usize>(literal);
  for (let i: usize = 0; i < length; i++) store<u8>(out + i, <u8>load<u16>(characters + (i << 1)));
  return out + length;
}
