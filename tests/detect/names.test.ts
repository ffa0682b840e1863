/**
 * Classes whose attacks stand in names as well as in values (NoSQL, LDAP, XPath, GraphQL, prototype pollution): families of what is
 * found and of what passes, sent as requests to the whole module, bodies also cut.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { parse } from "yaml";
import { buildProbe } from "../probe/build.ts";
import type { Case } from "../filter/case.ts";
import { runOnHost, type OnHost } from "../filter/on-host.ts";

const SENDS = ["name", "form", "value", "json", "graphql", "body"] as const;

interface Family {
  send: (typeof SENDS)[number];
  why: string;
  /** Of the field that what is found stands in; "q" otherwise, and for what passes. */
  name?: string;
  found: string[];
  passes: string[];
}

/** Cuts of a body: its first bytes one by one, then the middle. */
const CUTS = 24;

/** A text as a client encodes it: every byte that has a meaning is escaped. */
const escaped = (text: string): string => encodeURIComponent(text).replace(/['()*!~]/g, percent);
const percent = (mark: string): string => `%${mark.charCodeAt(0).toString(16).padStart(2, "0")}`;

function pair(text: string): string {
  const [name = "", ...value] = text.split("=");
  return `${escaped(name)}=${escaped(value.join("="))}`;
}

/** The requests that carry a text. */
function requestsOf(send: Family["send"], name: string, text: string): Case["request"][] {
  const post = (type: string, body: string): Case["request"] => ({
    method: "POST",
    headers: [["content-type", type]],
    body,
  });
  switch (send) {
    case "name":
      return [{ path: `/list?a=1&${pair(text)}` }];
    case "form":
      return [post("application/x-www-form-urlencoded", `a=1&${pair(text)}`)];
    case "value":
      return [
        { path: `/list?${escaped(name)}=${escaped(text)}` },
        post("application/json", JSON.stringify({ [name]: text })),
      ];
    case "json":
      return [post("application/json", text)];
    case "graphql":
      return [post("application/json", JSON.stringify({ query: text }))];
    case "body":
      return [post("application/graphql", text)];
  }
}

/** The answer, and the rule that refused. */
const shown = ({ decision }: OnHost): string =>
  `${String(decision.answer?.status ?? "none")} ${decision.answer?.status === 403 ? (decision.verdict?.rule ?? "") : ""}`;

async function outcomes(send: Family["send"], name: string, text: string): Promise<string[]> {
  const all = [];
  for (const request of requestsOf(send, name, text)) {
    const given: Case = { id: text, why: "", policy: "block", request, expect: { outcome: "allowed" } };
    all.push(shown(await runOnHost(given)));
    const body = typeof request.body === "string" ? Buffer.byteLength(request.body) : 0;
    for (let cut = 1; cut < body; cut += cut < CUTS ? 1 : Math.max(1, body >> 3)) {
      assert.equal(shown(await runOnHost(given, [cut])), all.at(-1), `cut at ${String(cut)}: ${text}`);
    }
  }
  return all;
}

const probe = await buildProbe("names");
const DETECTORS = ["nosqli", "ldapi", "xpath", "graphql", "prototype"];
/** Bytes of the longest value. */
const LONGEST = 16_384;

await suite("any input", () => {
  const heads = ["", "'", "{", "query{", "'}) MATCH (n) ", "1 or ", "*)("];
  const pieces = [
    "a",
    "$",
    "$ne",
    "[$ne]",
    "a[$ne]=",
    "{$ne:",
    "{a:{$ne:",
    '"$ne":',
    "'",
    "||",
    "(",
    "(cn=*",
    "*)(",
    ")",
  ];
  const more = [
    "{",
    "{a",
    "{ a ",
    "a,",
    "#\n",
    "...a ",
    "@a",
    "__",
    "constructor.",
    "/*",
    "name(",
    "\n",
    "\nset a 1 1 1",
  ];
  for (const [index, name] of DETECTORS.entries()) {
    test(`${name} reads sixteen KiB of anything in a few milliseconds`, () => {
      const field = probe.write("user");
      for (const text of heads.flatMap((head) => [...pieces, ...more].map((piece) => head + piece.repeat(LONGEST)))) {
        const span = probe.write(text.slice(0, LONGEST));
        let best = Infinity;
        for (let round = 0; round < 3; round++) {
          const begin = performance.now();
          probe.exports.run?.(index + 1, 0, ...field, ...span, 1);
          best = Math.min(best, performance.now() - begin);
        }
        assert.ok(best < 20, `${text.slice(0, 40)}: ${best.toFixed(1)} ms`);
      }
    });
  }
});

for (const file of DETECTORS) {
  const { families } = parse(readFileSync(new URL(`../vectors/detect/${file}.yaml`, import.meta.url), "utf8")) as {
    families: Family[];
  };
  await suite(`${file} families`, () => {
    for (const { send, why, name = "q", found, passes } of families) {
      test(`${why}: found`, async () => {
        assert.ok(SENDS.includes(send));
        for (const text of found) {
          for (const outcome of await outcomes(send, name, text)) assert.match(outcome, /^403 /, text);
        }
      });
      test(`${why}: passes`, async () => {
        for (const text of passes) {
          for (const outcome of await outcomes(send, "q", text)) assert.equal(outcome, "200 ", text);
        }
      });
    }
  });
}
