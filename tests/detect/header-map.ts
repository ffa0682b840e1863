/** A header map as the host writes it (assembly/core/pairs.ts); each character is a byte. */
export function headerMap(headers: readonly (readonly string[])[]): Buffer {
  const head = Buffer.alloc(4 + headers.length * 8);
  head.writeUInt32LE(headers.length, 0);
  const texts = headers.map(([name = "", value = ""], index) => {
    head.writeUInt32LE(name.length, 4 + index * 8);
    head.writeUInt32LE(value.length, 8 + index * 8);
    return Buffer.from(`${name}\0${value}\0`, "latin1");
  });
  return Buffer.concat([head, ...texts]);
}
