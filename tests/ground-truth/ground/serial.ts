/**
 * Objects as other languages write them down, made and read by hand: the shop has parts that came from PHP, Java,
 * Python, Ruby and .NET, and they still hand each other their own.
 */

export type Plain = string | number | boolean | null | Plain[] | { [name: string]: Plain };

// PHP: s:5:"items";  a:1:{i:0;s:4:"lamp";}  O:4:"Cart":1:{…}

export function toPhp(value: Plain, type?: string): string {
  if (value === null) return "N;";
  if (typeof value === "string") return `s:${Buffer.byteLength(value)}:"${value}";`;
  if (typeof value === "number") return Number.isInteger(value) ? `i:${value};` : `d:${value};`;
  if (typeof value === "boolean") return `b:${value ? 1 : 0};`;
  const members = Object.entries(value).map(
    ([name, member]) => toPhp(Array.isArray(value) ? Number(name) : name) + toPhp(member),
  );
  const body = `${members.length}:{${members.join("")}}`;
  return type === undefined ? `a:${body}` : `O:${Buffer.byteLength(type)}:"${type}":${body}`;
}

/** The class of a PHP object's text, or null where it is none; as `unserialize` would make one of it. */
export const phpType = (text: string): string | null => /^O:\d+:"([\w\\]+)":\d+:\{/.exec(text)?.[1] ?? null;

// Java: magic, TC_OBJECT, TC_CLASSDESC name uid flags fields TC_ENDBLOCKDATA TC_NULL values

const JAVA_MAGIC = Buffer.from([0xac, 0xed, 0x00, 0x05]);
const javaText = (text: string): Buffer => {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
};

/** A Java object with texts for members. */
export function toJava(type: string, members: Record<string, string>): Buffer {
  const names = Object.keys(members);
  const fields = names.map((name, at) =>
    Buffer.concat([
      Buffer.from("L"),
      javaText(name),
      // The type of the first is written out, the others refer to it.
      at === 0
        ? Buffer.concat([Buffer.from([0x74]), javaText("Ljava/lang/String;")])
        : Buffer.from([0x71, 0x00, 0x7e, 0x00, 0x01]),
    ]),
  );
  return Buffer.concat([
    JAVA_MAGIC,
    Buffer.from([0x73, 0x72]),
    javaText(type),
    Buffer.from([0x1f, 0x2e, 0x3d, 0x4c, 0x5b, 0x6a, 0x79, 0x08, 0x02, 0x00, names.length]),
    ...fields,
    Buffer.from([0x78, 0x70]),
    ...Object.values(members).map((value) => Buffer.concat([Buffer.from([0x74]), javaText(value)])),
  ]);
}

/** The class of a Java object's bytes, or null where they are none. */
export function javaType(bytes: Buffer): string | null {
  if (bytes.length < 8 || !bytes.subarray(0, 4).equals(JAVA_MAGIC) || bytes[4] !== 0x73 || bytes[5] !== 0x72)
    return null;
  return bytes.subarray(8, 8 + bytes.readUInt16BE(6)).toString();
}

/** A Python object (pickle, protocol 4) of a class with texts for members. */
export function toPickle(module: string, type: string, members: Record<string, string>): Buffer {
  const text = (value: string): Buffer =>
    Buffer.concat([Buffer.from([0x8c, Buffer.byteLength(value)]), Buffer.from(value), Buffer.from([0x94])]);
  const frame = Buffer.concat([
    text(module),
    text(type),
    Buffer.from([0x93, 0x94, 0x29, 0x81, 0x94, 0x7d, 0x94, 0x28]),
    ...Object.entries(members).flatMap(([name, value]) => [text(name), text(value)]),
    Buffer.from([0x75, 0x62, 0x2e]),
  ]);
  const size = Buffer.alloc(8);
  size.writeUInt32LE(frame.length);
  return Buffer.concat([Buffer.from([0x80, 0x04, 0x95]), size, frame]);
}

/** A Ruby hash (Marshal 4.8) of symbols and texts; at most 100 bytes each. */
export function toMarshal(members: Record<string, string>): Buffer {
  const small = (size: number): number => (size === 0 ? 0 : size + 5);
  const pairs = Object.entries(members).flatMap(([name, value], at) => [
    Buffer.from([0x3a, small(name.length)]),
    Buffer.from(name),
    Buffer.from([0x49, 0x22, small(Buffer.byteLength(value))]),
    Buffer.from(value),
    // The first text says that it is UTF-8 by the symbol E, the others refer to that.
    at === 0 ? Buffer.from([0x06, 0x3a, 0x06, 0x45, 0x54]) : Buffer.from([0x06, 0x3b, 0x06, 0x54]),
  ]);
  return Buffer.concat([Buffer.from([0x04, 0x08, 0x7b, small(Object.keys(members).length)]), ...pairs]);
}

const dotnetText = (text: string): Buffer => Buffer.concat([Buffer.from([Buffer.byteLength(text)]), Buffer.from(text)]);

/** A .NET object (BinaryFormatter) with one text for a member. */
export const toBinaryFormatter = (assembly: string, type: string, member: string, value: string): Buffer =>
  Buffer.concat([
    Buffer.from([0x00, 0x01, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x01, 0, 0, 0, 0, 0, 0, 0]),
    Buffer.from([0x0c, 0x02, 0, 0, 0]),
    dotnetText(`${assembly}, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null`),
    Buffer.from([0x05, 0x01, 0, 0, 0]),
    dotnetText(type),
    Buffer.from([0x01, 0, 0, 0]),
    dotnetText(member),
    Buffer.from([0x01, 0x02, 0, 0, 0, 0x06, 0x03, 0, 0, 0]),
    dotnetText(value),
    Buffer.from([0x0b]),
  ]);

/** An ASP.NET view state of one text, in base64, with nothing that would tell whether it was changed. */
export const toViewState = (text: string): string =>
  Buffer.concat([Buffer.from([0xff, 0x01, 0x0f, 0x0f, 0x05]), dotnetText(text), Buffer.from([0x64, 0x64])]).toString(
    "base64",
  );
