/**
 * The tour's stops: attacks, each with what it gets out of the shop where nothing stands before it, and look-alikes,
 * each with the right answer. `proof` is looked for in the answer itself; what it matches, or what its groups do, is
 * what the table shows.
 */

/** A request as it goes out, byte for byte. */
export interface TourRequest {
  method: "GET" | "POST";
  /** With the query, encoded. */
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface TourCase {
  kind: "attack" | "look-alike";
  /** At most 38 characters. */
  what: string;
  request: TourRequest;
  /** In the body of the shop's answer. */
  proof: RegExp;
  /** Of the shop's answer. Default 200. */
  status?: number;
}

const encode = encodeURIComponent;
const get = (path: string, headers: Record<string, string> = {}): TourRequest => ({ method: "GET", path, headers });
const query = (path: string, name: string, value: string): TourRequest => get(`${path}?${name}=${encode(value)}`);
const form = (path: string, fields: Record<string, string>): TourRequest => ({
  method: "POST",
  path,
  headers: { "content-type": "application/x-www-form-urlencoded" },
  body: new URLSearchParams(fields).toString(),
});
/** `body` as text, for escapes of one's own; an object as JSON writes it. */
const json = (path: string, body: string | Record<string, string>): TourRequest => ({
  method: "POST",
  path,
  headers: { "content-type": "application/json" },
  body: typeof body === "string" ? body : JSON.stringify(body),
});

const UNION = "' UNION SELECT email, password_hash FROM users--";
/** An e-mail with the hash that belongs to it. */
const HASH = /([a-z]+@shop\.example)","[a-z]+":"([0-9a-f]{8})[0-9a-f]{24}"/;
const PLANTED = /root:x:0:0:planted by/;

const ATTACKS: readonly Omit<TourCase, "kind">[] = [
  { what: "SQL in a query: UNION", request: query("/products", "q", UNION), proof: HASH },
  { what: "SQL in a query, encoded twice", request: query("/products", "q", encode(UNION)), proof: HASH },
  {
    what: "SQL in a query: a second statement",
    request: query(
      "/products",
      "q",
      "'; UPDATE products SET price = 0; SELECT name, price::text AS price FROM products--",
    ),
    proof: /"(Brass lamp)","(price)":"(0)"/,
  },
  { what: "SQL in a path", request: get(`/orders/${encode("0 OR 1=1")}`), proof: /1 Engine Way, London/ },
  {
    what: "SQL in a form: login without password",
    request: form("/login", { email: "ada@shop.example'--", password: "?" }),
    proof: /"email":"(ada@shop\.example)"/,
  },
  {
    what: "SQL in JSON, escaped: login",
    request: json("/login", String.raw`{"email":"\u0027 OR \u0027a\u0027=\u0027a\u0027--","password":"?"}`),
    proof: /"email":"(ada@shop\.example)"/,
  },
  {
    what: "SQL in a cookie",
    request: get("/basket", { cookie: `basket=${encode("' OR 'a'='a")}` }),
    proof: /"owner":"(ada@shop\.example)"/,
  },
  {
    what: "SQL in a header",
    request: get("/stock", { "x-store": UNION }),
    proof: HASH,
  },
  {
    what: "Shell in a query: a second command",
    request: query("/delivery", "to", 'Oslo"; cat suppliers.txt; echo "'),
    proof: /we buy lamps at 11/,
  },
  {
    what: "Shell in JSON: a pipe",
    request: json("/delivery", { to: 'Oslo" | ls -la; echo "' }),
    proof: /suppliers\.txt/,
  },
  { what: "Path in a query: climbing", request: get("/download?file=../../../etc/passwd"), proof: PLANTED },
  {
    what: "Path in a path, encoded twice",
    request: get("/manuals/%252e%252e%252f%252e%252e%252f%252e%252e%252fetc%252fpasswd"),
    proof: PLANTED,
  },
  {
    what: "Script in a form: a handler, stored",
    request: form("/comments", { author: "Eve", text: `<img src=x onerror="steal(document)">` }),
    proof: /onerror="steal\(document/,
  },
  {
    what: "Script in JSON, escaped: SVG, stored",
    request: json("/comments", String.raw`{"author":"Eve","text":"\u003csvg onload=steal()\u003e"}`),
    proof: /<svg onload=steal\(\)>/,
  },
  {
    what: "Script in a query, reflected",
    request: query("/comments", "by", "<script>steal()</script>"),
    proof: /<script>steal\(\)<\/script>/,
  },
];

const LOOK_ALIKES: readonly Omit<TourCase, "kind">[] = [
  {
    what: "A search with words of SQL",
    request: query("/products", "q", "union square lamp, select"),
    proof: /Union square lamp, select/,
  },
  {
    what: "A search with marks of a shell",
    request: query("/products", "q", "fish & chips; salt"),
    proof: /Fish & chips; salt/,
  },
  { what: "A search for a drop table", request: query("/products", "q", "drop table, oak"), proof: /Drop table, oak/ },
  { what: "An order by its number", request: get("/orders/2"), proof: /collected in the shop/ },
  {
    what: "A password like a condition",
    request: json("/login", { email: "lin@shop.example", password: "1=1; or-else #union<3" }),
    proof: /"email":"(lin@shop\.example)"/,
  },
  {
    what: "A wrong password, told by the shop",
    request: form("/login", { email: "lin+or-1@shop.example", password: "select" }),
    proof: /wrong e-mail or password/,
    status: 401,
  },
  {
    what: "Cookies with quotes",
    request: get("/basket", { cookie: `theme="dark"; seen=%5B%22O%27Brien%20chair%22%5D; basket=b-1` }),
    proof: /Brass lamp/,
  },
  {
    what: "A header with ; and --",
    request: get("/stock", { "x-store": "Union Street; dock 7 -- east" }),
    proof: /"(pieces)":"(12)"/,
  },
  { what: "A place with an &", request: query("/delivery", "to", "Newcastle & Gateshead"), proof: /zone 2/ },
  { what: "A place with a ;", request: json("/delivery", { to: "Bury St Edmunds; Suffolk" }), proof: /zone 3/ },
  {
    what: "A file name full of dots",
    request: get("/download?file=lamp..shade...v2.txt"),
    proof: /How to put the shade on/,
  },
  {
    what: "A path with etc and password in it",
    request: get("/download?file=guides/etc/password-advice.txt"),
    proof: /How to choose a password/,
  },
  {
    what: "A name with an apostrophe: O'Brien",
    request: query("/comments", "by", "O'Brien"),
    proof: /<i>O'Brien<\/i>/,
  },
  {
    what: "A comment about SQL and tables",
    request: form("/comments", {
      author: "O'Brien",
      text: "Don't drop the table; select one from the union & enjoy -- it's fine",
    }),
    proof: /one from the union & enjoy/,
  },
  {
    what: "A comment in rich text",
    request: json("/comments", {
      author: "Siobhán",
      text: `<p>A <b>lovely</b> lamp, <a href="https://shop.example/lamps">see</a>: 1 < 2</p>`,
    }),
    proof: /<b>lovely<\/b> lamp/,
  },
];

export const CASES: readonly TourCase[] = [
  ...ATTACKS.map((stop) => ({ kind: "attack" as const, ...stop })),
  ...LOOK_ALIKES.map((stop) => ({ kind: "look-alike" as const, ...stop })),
];

/** Curl lines to copy: attacks and a look-alike in forms that a person can read and change. */
export function tryLines(url: string, header: string): string[] {
  const curl = `curl -s -H ${header}`;
  return [
    `${curl} -G ${url}/products --data-urlencode "q=fish & chips; salt"`,
    `${curl} -G ${url}/products --data-urlencode "q=${UNION}"`,
    `${curl} "${url}/download?file=../../../etc/passwd"`,
    `${curl} ${url}/comments --data-urlencode "text=<script>steal()</script>" -d author=Eve`,
    `${curl} ${url}/delivery -H content-type:application/json -d '{"to":"Oslo\\" | ls -la; echo \\""}'`,
  ];
}
