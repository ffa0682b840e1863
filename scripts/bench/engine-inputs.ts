/** What `meshward bench engine` puts through the engine: ordinary values, and values made to cost as much as they can. */
import type { EnginePart } from "./engine.ts";
import { payloadOf, words } from "./payloads.ts";
import { randomFrom } from "./random.ts";

export interface EngineInput {
  name: string;
  bytes: Buffer;
  parts: readonly EnginePart[];
  /** Whether a part found in it what it must. */
  expect: (part: EnginePart, found: number) => boolean;
}

/** Values of about 20 bytes: letters and digits, and what most fields of forms and APIs hold besides. */
const PLAIN = {
  word: "Mozambique2026Harbor",
  words: "green watering cans ",
  name: "Siobhan O'Neill-Hart",
  email: "chloe.oneill@x-y.com",
  date: "2026-11-21T09:30:00Z",
  number: "-12345678901.0246801",
  phone: "+49 30 1234-567 8901",
  path: "/products/1234/photo",
} as const;

const URL_VALUE = "https://shop.example.com/p/482913?ref=mail&lang=en";
const AGENT =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36";

const nothing = (part: EnginePart, found: number): boolean => part === "classification" || found === 0;

/** Sentences with commas, full stops, apostrophes and quotation marks. */
function prose(bytes: number): string {
  const random = randomFrom(bytes);
  let text = "";
  while (text.length < bytes) {
    text += `${words(random, 7)}, ${words(random, 4)}. It's "${words(random, 3)}" (${words(random, 2)}); `;
  }
  return text.slice(0, bytes);
}

export function ordinaryInputs(): EngineInput[] {
  const request = payloadOf("json10k").benign;
  const json = request.subarray(request.indexOf("\r\n\r\n") + 4);
  const members = JSON.stringify(JSON.parse(json.toString())).match(/"[^"]*"(?=:)/g)!.length;
  const value = (name: string, text: string): EngineInput => ({
    name,
    bytes: Buffer.from(text),
    parts: ["value"],
    expect: nothing,
  });
  return [
    {
      name: "prose 10 KiB",
      bytes: Buffer.from(prose(10_240)),
      parts: ["classification", "layers", "value"],
      expect: nothing,
    },
    {
      name: "JSON 10 KiB",
      bytes: json,
      parts: ["classification", "jsonParsed", "jsonJudged"],
      // Each member's name is a value, and each of their values but objects and lists.
      expect: (part, found) => (part === "jsonParsed" ? found > members : nothing(part, found)),
    },
    ...Object.entries(PLAIN).map(([name, text]) => value(`${name}, 20 bytes`, text)),
    value("URL, 50 bytes", URL_VALUE),
    value("user agent", AGENT),
  ];
}

/** Units that are repeated up to each length: openings, breaks and escapes of each language and layer, and mixtures. */
export const HOSTILE: readonly { name: string; unit: string }[] = [
  { name: "sql strings", unit: "' or '" },
  { name: "sql brackets", unit: "((((1)or" },
  { name: "sql comments", unit: "1/**/or/*!1*/" },
  { name: "sql union", unit: " union select 1," },
  { name: "sql quotes", unit: "'\"`" },
  { name: "sql parameters", unit: "a=1&" },
  { name: "tags", unit: "<a b=c>" },
  { name: "tag openings", unit: "<a " },
  { name: "lesser than", unit: "<" },
  { name: "attributes", unit: "' onx=y \"" },
  { name: "handlers", unit: "<img onx=y " },
  { name: "comments", unit: "<!--<b>" },
  { name: "scripts", unit: "';a(1);b=`${c}`//" },
  { name: "styles", unit: "width:expression(" },
  { name: "schemes", unit: "java\tscript:" },
  { name: "braces", unit: "{{a}}${b}" },
  { name: "markdown", unit: "```a`[x](y)" },
  { name: "shell lists", unit: ";a|b&" },
  { name: "shell substitutions", unit: "$(`a`)" },
  { name: "shell quotes", unit: "a'b\"c" },
  { name: "shell escapes", unit: "\\a^b" },
  { name: "shell words", unit: ";cat /etc/x" },
  { name: "shell options", unit: " --exec=a -o" },
  { name: "climbs", unit: "../" },
  { name: "escaped climbs", unit: "%2e%2e%2f" },
  { name: "windows climbs", unit: "..\\c:/" },
  { name: "percent", unit: "%2525" },
  { name: "percent u", unit: "%u0027" },
  { name: "entities", unit: "&lt;&#39;" },
  { name: "escaped entities", unit: "&amp;lt;" },
  { name: "backslash escapes", unit: "\\u0027\\x3c" },
  { name: "mixed layers", unit: "%26lt;\\u0025&#37;+" },
  { name: "overlong", unit: "\xc0\xa7\xe0\x80\xaf" },
  { name: "full width", unit: "\xef\xbc\x9c\xef\xbc\x87" },
  { name: "utf-7", unit: "+ADw-" },
  { name: "line ends", unit: "\r\nA: b" },
  { name: "controls", unit: "\x00\x01\t\n" },
  { name: "dollars", unit: "${a$(b" },
  { name: "equals", unit: "a=b;c(" },
  { name: "addresses", unit: "http://a@1.1/" },
  { name: "JSON in a value", unit: '{"a":"' },
  { name: "XML in a value", unit: "<!DOCTYPE a[<!ENTITY b SYSTEM 'c'>" },
  { name: "filters", unit: ")(|(a=*" },
  { name: "paths of XML", unit: "']|//a[1='" },
  { name: "base64", unit: "JyBvciAn" },
  { name: "hexadecimal", unit: "0x27206f72" },
  { name: "every mark", unit: "'\"`<>(){}[];:|&%$#@!~^*-+=/\\.,?" },
];

/** The same for bodies and the parts of a request: what parsers wait for, open and never close. */
export const BODIES: readonly { name: string; unit: string }[] = [
  { name: "lists", unit: "[" },
  { name: "objects", unit: '{"a":' },
  { name: "numbers", unit: "[1],2\n" },
  { name: "escaped strings", unit: '"\\u0041' },
  { name: "elements", unit: "<a>b&amp;" },
  { name: "end tags", unit: "</a>" },
  { name: "sections", unit: "<![CDATA[]]" },
  { name: "instructions", unit: "<a/><?" },
  { name: "pairs", unit: "&a" },
  { name: "boundaries", unit: "\r\n--B" },
  { name: "parts", unit: "--B\r\nC: d\r\n\r\n\r\n" },
  { name: "halves of boundaries", unit: "\r\n--" },
  { name: "dots", unit: "/./.." },
  { name: "dashes", unit: "-" },
  { name: "letters", unit: "a" },
  { name: "spaces", unit: " " },
  { name: "documents", unit: '{a(b:"c")' },
  { name: "nested names", unit: "a[b]" },
  { name: "objects of PHP", unit: 'O:1:"a":1:{' },
  { name: "code", unit: "<?=$_GET[" },
];
