/**
 * What the bench sends: ordinary requests of several kinds and sizes, the same every time but for the ids of session, cart and order
 * (`OWN_ID`), and for each an attack of the same shape, by which it is shown that the very configuration that is measured protects.
 */
import { gzipSync } from "node:zlib";
import { randomFrom } from "./random.ts";
import type { Random } from "./random.ts";

export const TEST_NAMES = [
  "get",
  "form1k",
  "json10k",
  "json100k",
  "multipart64k",
  "grpc4k",
  "graphql2k",
  "xml32k",
  "gzip100k",
] as const;
export type TestName = (typeof TEST_NAMES)[number];

export interface Payload {
  name: TestName;
  /** A whole HTTP/1.1 request that is nobody's attack. */
  benign: Buffer;
  /** The like, with an attack in it. */
  attack: Buffer;
  /** The HTTP status of a refusal: gRPC has its own beside it. */
  refusal: 200 | 403;
}

/**
 * Stands where a request has an id of its own; the generator puts another hexadecimal number of this length there in each
 * request that it sends. What is the same in every request is cheaper to judge, and real requests are not the same.
 */
export const OWN_ID = "ownid000";

const KIB = 1024;

/** Twelve headers, the first of them Host. */
const HEADERS = [
  ["host", "shop.example.com"],
  ["user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"],
  ["accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
  ["accept-language", "en-US,en;q=0.5"],
  ["accept-encoding", "gzip, deflate, br"],
  ["referer", `https://shop.example.com/products/${OWN_ID}?page=2`],
  ["cookie", `session=7f3a${OWN_ID}c2d1; theme=dark`],
  ["cache-control", "max-age=0"],
  ["sec-fetch-dest", "document"],
  ["sec-fetch-mode", "navigate"],
  ["sec-fetch-site", "same-origin"],
  ["dnt", "1"],
] as const;

const QUERY = `category=garden&page=3&sort=price&filter=color%3Agreen&q=watering+can&currency=EUR&cart=${OWN_ID}&p=2`;
const SQL = "1 UNION SELECT name, password FROM users";
const WORDS = (
  "garden table lamp green blue large small wooden steel delivery friday customer please leave the parcel with our " +
  "neighbour if nobody is home thank you very much order number returns within thirty days good quality recommended"
).split(" ");
const FIRST = ["Anna", "Ben", "Chloé", "Dmitri", "Eve", "Farid", "Grace", "Hiro"];
const LAST = ["O'Neill", "Schmidt", "García", "Lee", "van Dijk", "Okafor", "Rossi", "Smith-Jones"];

export const words = (random: Random, count: number): string =>
  Array.from({ length: count }, () => random.pick(WORDS)).join(" ");

const GZIP = "content-encoding: gzip\r\n";

function request(method: string, path: string, type: string | null, body: string | Buffer = "", more = ""): Buffer {
  const bytes = Buffer.from(body as string);
  const fields = HEADERS.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const entity = type === null ? "" : `content-type: ${type}\r\n${more}content-length: ${bytes.length}\r\n`;
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${fields}${entity}\r\n`), bytes]);
}

/** Twenty fields of a checkout, filled up with a comment to exactly 1 KiB. */
function form(comment: string): string {
  const fields = new URLSearchParams({
    first_name: "Chloé",
    last_name: "O'Neill",
    company: "Smith & Sons Ltd.",
    email: "chloe.oneill@example.com",
    phone: "+49 (0)30 1234-567",
    street: "12 Rue de l'Église, Apt. #4",
    city: "Saint-Étienne",
    postcode: "42000",
    country: "FR",
    birthday: "1984-07-21",
    card_name: "C. O'Neill",
    amount: "1,249.00",
    currency: "EUR",
    coupon: "SPRING-2026",
    newsletter: "on",
    gift: "no",
    return_url: "https://shop.example.com/checkout/done?step=3",
    csrf: `hQ9xk2VnJ8u0bYt5Zr1sWw7p${OWN_ID}`,
    quantity: "3",
  });
  const plain = `${fields.toString()}&comment=`;
  const encoded = encodeURIComponent(comment).replaceAll("%20", "+");
  const random = randomFrom(7);
  let filler = "";
  while (plain.length + filler.length + encoded.length < KIB) filler += `${random.pick(WORDS)}+`;
  return plain + filler.slice(0, KIB - plain.length - encoded.length) + encoded;
}

/** An order with nested lines, as long as it takes to fill `size` bytes. */
function json(size: number, note: string): string {
  const random = randomFrom(size);
  const line = (index: number): object => ({
    id: `0d9f${index.toString(16).padStart(4, "0")}-5b1e-4c5c-9f1a-2f6f0a1b2c3d`,
    sku: `GRD-${1000 + random.below(9000)}`,
    title: words(random, 5),
    quantity: 1 + random.below(9),
    price: { net: random.below(100_000) / 100, tax: 0.19, currency: "EUR" },
    available: random.below(4) !== 0,
    discount: null,
    tags: [random.pick(WORDS), random.pick(WORDS)],
    customer: {
      name: `${random.pick(FIRST)} ${random.pick(LAST)}`,
      email: `user${random.below(10_000)}@example.com`,
      since: `20${10 + random.below(16)}-0${1 + random.below(9)}-1${random.below(10)}T08:30:00Z`,
    },
    review: `${words(random, 12)}, ${words(random, 8)}.`,
    link: `https://shop.example.com/p/${random.below(1_000_000)}?ref=mail&lang=en`,
  });
  const text = (lines: object[], filler: string): string =>
    JSON.stringify({ order: OWN_ID, note, lines, total: 12_345.6, filler });
  const lines: object[] = [];
  let bytes = Buffer.byteLength(text([], ""));
  for (let index = 0; ; index++) {
    const next = line(index);
    bytes += Buffer.byteLength(JSON.stringify(next)) + 1;
    if (bytes > size) break;
    lines.push(next);
  }
  return text(lines, "x".repeat(Math.max(0, size - Buffer.byteLength(text(lines, "")))));
}

/** An upload: two fields and a file of 64 KiB that is no text. */
function multipart(): Buffer {
  const random = randomFrom(64);
  const file = Buffer.from(Array.from({ length: 64 * KIB }, () => random.below(256)));
  const field = (name: string, value: string): string =>
    `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const head =
    `${field("album", "holidays 2026")}${field("caption", "Anna & Ben at the lake")}--${BOUNDARY}\r\n` +
    `content-disposition: form-data; name="photo"; filename="IMG_2041 (1).jpg"\r\ncontent-type: image/jpeg\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), file, Buffer.from(`\r\n--${BOUNDARY}--\r\n`)]);
}
const BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW1";

/** A field of protobuf: a text or a message. */
function field(number: number, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  const length: number[] = [];
  for (let left = bytes.length; ; left >>= 7) {
    length.push((left & 127) | (left > 127 ? 128 : 0));
    if (left <= 127) break;
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
}

/** One gRPC message of 4 KiB: an order's lines, each with three texts, a price and a nested customer. */
function grpc(note: string): Buffer {
  const random = randomFrom(4);
  const lines: Buffer[] = [];
  let size = 0;
  while (size < 4 * KIB - 200) {
    const customer = field(1, `${random.pick(FIRST)} ${random.pick(LAST)}`);
    const parts = [field(1, `GRD-${1000 + random.below(9000)}`), field(2, words(random, 5)), field(4, customer)];
    const line = field(2, Buffer.concat([...parts, Buffer.from([0x18, 1 + random.below(9)])]));
    lines.push(line);
    size += line.length;
  }
  const message = Buffer.concat([field(1, note), ...lines]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** A query of GraphQL with variables, 2 KiB. */
function graphql(note: string): string {
  const fields = "id sku title quantity price { net tax currency } available tags customer { name email since }";
  const query = `query Orders($first: Int!, $after: String, $note: String) {\n  orders(first: $first, after: $after, note: $note) {\n    edges {\n      node { ${fields} }\n    }\n    pageInfo { hasNextPage endCursor }\n  }\n}\n`;
  const text = (filler: string): string =>
    JSON.stringify({ operationName: "Orders", query, variables: { first: 20, after: "Y3Vyc29yOjE5", note, filler } });
  const random = randomFrom(2);
  let filler = "";
  while (Buffer.byteLength(text(filler)) < 2 * KIB) filler += `${random.pick(WORDS)} `;
  return text(filler.trimEnd());
}

/** A SOAP message of 32 KiB. */
function xml(note: string): string {
  const random = randomFrom(32);
  const lines: string[] = [];
  let size = 0;
  while (size < 32 * KIB - 400) {
    const name = `${random.pick(FIRST)} ${random.pick(LAST)}`.replaceAll("'", "&apos;");
    const line =
      `<o:line id="${1000 + random.below(9000)}"><o:title>${words(random, 5)}</o:title>` +
      `<o:price currency="EUR">${random.below(100_000) / 100}</o:price><o:customer>${name}</o:customer></o:line>\n`;
    lines.push(line);
    size += Buffer.byteLength(line);
  }
  return (
    `<?xml version="1.0" encoding="utf-8"?>\n<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope" ` +
    `xmlns:o="https://shop.example.com/orders"><soap:Body><o:order><o:note>${note}</o:note>\n${lines.join("")}` +
    `</o:order></soap:Body></soap:Envelope>`
  );
}

const PATH = "/api/v1/products/search";

const makers: Record<TestName, () => Pick<Payload, "benign" | "attack">> = {
  get: () => ({
    benign: request("GET", `${PATH}?${QUERY}`, null),
    attack: request("GET", `${PATH}?${QUERY.replace("watering+can", encodeURIComponent(SQL))}`, null),
  }),
  form1k: () => ({
    benign: request("POST", "/checkout", "application/x-www-form-urlencoded", form("")),
    attack: request("POST", "/checkout", "application/x-www-form-urlencoded", form("<script>alert(1)</script>")),
  }),
  json10k: () => ({
    benign: request("POST", "/orders", "application/json", json(10 * KIB, "please ring twice")),
    attack: request("POST", "/orders", "application/json", json(10 * KIB, SQL)),
  }),
  json100k: () => ({
    benign: request("POST", "/orders", "application/json", json(100 * KIB, "please ring twice")),
    attack: request("POST", "/orders", "application/json", json(100 * KIB, SQL)),
  }),
  multipart64k: () => ({
    benign: request("POST", "/albums?page=2", `multipart/form-data; boundary=${BOUNDARY}`, multipart()),
    // The file is bytes without a meaning: the attack is in the query, so that both have the same body.
    attack: request(
      "POST",
      `/albums?page=${encodeURIComponent(SQL)}`,
      `multipart/form-data; boundary=${BOUNDARY}`,
      multipart(),
    ),
  }),
  grpc4k: () => ({
    benign: request("POST", "/shop.Orders/Add", "application/grpc", grpc("please ring twice")),
    attack: request("POST", "/shop.Orders/Add", "application/grpc", grpc(SQL)),
  }),
  graphql2k: () => ({
    benign: request("POST", "/api/graphql", "application/json", graphql("please ring twice")),
    attack: request("POST", "/api/graphql", "application/json", graphql(SQL)),
  }),
  xml32k: () => ({
    benign: request("POST", "/soap", "application/soap+xml; charset=utf-8", xml("please ring twice")),
    attack: request("POST", "/soap", "application/soap+xml; charset=utf-8", xml(SQL)),
  }),
  gzip100k: () => ({
    benign: request("POST", "/orders", "application/json", gzipSync(json(100 * KIB, "please ring twice")), GZIP),
    attack: request("POST", "/orders", "application/json", gzipSync(json(100 * KIB, SQL)), GZIP),
  }),
};

export const payloadOf = (name: TestName): Payload => ({
  name,
  ...makers[name](),
  refusal: name === "grpc4k" ? 200 : 403,
});
