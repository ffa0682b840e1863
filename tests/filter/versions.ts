// Configurations as another release would write or read them: what the module makes of them must not depend on it.

import type { PluginConfiguration } from "../../scripts/policy/compile.ts";
import type { PolicySource } from "../../scripts/policy/schema.ts";
import { compile, distort } from "./push.ts";

const POLICY: PolicySource = {
  mode: "block",
  limits: { holdMillis: 5 },
  detectors: { sqli: {} },
  routes: [{ match: { path: "/never" }, mode: "off" }],
  exceptions: [{ id: "elsewhere", class: "sqli", path: "/never", expires: "2099-01-01", why: "test" }],
  workloads: [{ match: { service: "nobody" }, mode: "off" }],
};

/** A number as JSON can also write it. */
const AS_DOUBLES: ((value: number) => string)[] = [
  (value) => `${value}.0`,
  (value) => `${value}e+00`,
  (value) => value.toExponential().replace("e+", "E+0"),
];

function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [key, shuffled(inner)] as const)
      .reverse(),
  );
}

type Nested = Record<string, Record<string, unknown>>;
const first = (configuration: Record<string, unknown>, list: string): Record<string, unknown> =>
  (configuration[list] as Record<string, unknown>[])[0]!;

/** Texts of configurations that must refuse the attacks, by what is different in them. */
export function otherVersions(): Map<string, string> {
  const plain = compile(POLICY);
  const texts = new Map<string, string>();
  const add = (name: string, change: (configuration: Record<string, unknown>) => void): void =>
    void texts.set(name, JSON.stringify(distort(change, POLICY)));
  add("schema 2", (c) => (c.schema = 2));
  add("schema absent", (c) => delete c.schema);
  add("unknown key", (c) => (c.gateway = { sample: 0.1, of: [1, { a: null }, "x"] }));
  add("unknown key in observe", (c) => ((c as Nested).observe!.learn = true));
  add("unknown key in limits", (c) => ((c as Nested).limits!.holdTrailers = true));
  add("unknown limit as a word", (c) => ((c as Nested).limits!.onTime = "deny"));
  add("unknown key in identity", (c) => ((c as Nested).identity!.header = "x-user"));
  add("unknown class", (c) => ((c as Nested).detectors!.later = { mode: "off", depth: 3 }));
  add("unknown key of a class", (c) => ((c as Nested).detectors!.sqli = { dialect: ["mysql"] }));
  add("unknown key in a route", (c) => (first(c, "routes").fields = [{ part: "json", name: "text" }]));
  add("unknown key in an exception", (c) => (first(c, "exceptions").query = "a"));
  add("unknown part in an exception", (c) => Object.assign(first(c, "exceptions"), { path: undefined, part: "later" }));
  add("unknown class in an exception", (c) =>
    Object.assign(first(c, "exceptions"), { path: undefined, class: "later" }),
  );
  add("unknown rule in an exception", (c) =>
    Object.assign(first(c, "exceptions"), { path: undefined, rules: ["later-*"] }),
  );
  add("unknown condition before the end of an exception", (c) => {
    c.exceptions = ["sqli", "xss", "cmdi", "traversal"].map((name) => ({
      id: "x",
      class: name,
      header: "x-no",
      expires: 4070908800,
    }));
  });
  add("unknown selector of a workload", (c) => (c.workloads = [{ cluster: "elsewhere", mode: "off" }]));
  for (const key of Object.keys(plain)) {
    // Without the mode there is no word that says to block.
    if (key !== "mode") add(`without ${key}`, (c) => delete c[key]);
  }
  for (const [i, form] of AS_DOUBLES.entries()) {
    texts.set(
      `numbers in form ${i}`,
      JSON.stringify(plain).replace(/:(\d+)(?=[,}])/g, (_, digits: string) => `:${form(Number(digits))}`),
    );
  }
  texts.set("keys in another order", JSON.stringify(shuffled(plain)));
  texts.set("blanks", JSON.stringify(plain, null, "\t").replaceAll("\n", "\r\n"));
  texts.set("escaped", JSON.stringify(plain).replace('"block"', '"\\u0062lock"'));
  return texts;
}

/** The policy as the newest tool writes it. */
export const plainVersion = (): PluginConfiguration => compile(POLICY);

/** Texts that a module must not take for a policy. */
export const BAD: Readonly<Record<string, string>> = {
  "no JSON": "mode: block",
  "no object": '["block"]',
  "cut off": '{"schema":1,"mode":"block"',
  "unknown mode": '{"schema":1,"mode":"sideways"}',
  "mode as a number": '{"schema":1,"mode":1}',
  "text for a number": '{"schema":1,"mode":"block","limits":{"depth":"deep"}}',
  fraction: '{"schema":1,"mode":"block","limits":{"depth":5.5}}',
  negative: '{"schema":1,"mode":"block","limits":{"depth":-5}}',
  "too large": '{"schema":1,"mode":"block","limits":{"holdBytes":4294967296}}',
  "unknown direction": '{"schema":1,"mode":"block","onError":"maybe"}',
  "routes that are none": '{"schema":1,"mode":"block","routes":{}}',
  "more behind it": '{"schema":1,"mode":"block"} x',
};
