// What an attack on a query has changed, by what the endpoint answers at other times: sequences of exchanges, of which the last counts.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createEnvoyProcess } from "../../scripts/host/index.ts";
import { readModule } from "../../scripts/package.ts";
import { compilePolicy } from "../../scripts/policy/compile.ts";
import { policyFrom } from "../../scripts/policy/load.ts";

interface Exchange {
  method?: string;
  path: string;
  sends?: Record<string, string>;
  posts?: string;
  status?: number;
  headers?: Record<string, string>;
  body?: string;
}

const configuration = JSON.stringify(compilePolicy(policyFrom({ observe: { sample: "100%" } }), { holdHeaders: true }));

const CLASSES = new Set(["sqli", "nosqli", "ssti"]);

/** The stages above "attempted" of attacks that the last exchange has, by their classes. */
async function last(exchanges: Exchange[]): Promise<Record<string, string>> {
  const plugin = await createEnvoyProcess().addPlugin({ name: "meshward", vmId: "meshward", module: readModule() });
  assert.ok(plugin.configure(configuration).accepted);
  const verdicts = exchanges.map(
    ({ method = "GET", path, sends = {}, posts, status = 200, headers = {}, body = "" }) => {
      const request = {
        method,
        path,
        headers: [["host", "shop.example"], ...Object.entries(sends)] as [string, string][],
      };
      const response = { status, headers: Object.entries(headers), body };
      return plugin.exchange(request, { response, ...(posts !== undefined && { body: posts }) }).verdict;
    },
  );
  const { findings = [] } = (verdicts.at(-1) ?? {}) as { findings?: { class: string; stage: string }[] };
  const raised = findings.filter(({ class: name, stage }) => CLASSES.has(name) && stage !== "attempted");
  return Object.fromEntries(raised.map(({ class: name, stage }) => [name, stage]));
}

const form = (posts: string, rest: Partial<Exchange>): Exchange => ({
  method: "POST",
  path: "/login",
  posts,
  ...rest,
  sends: { "content-type": "application/x-www-form-urlencoded", ...rest.sends },
});
const json = (value: object, rest: Partial<Exchange>): Exchange => ({
  method: "POST",
  path: "/login",
  posts: JSON.stringify(value),
  ...rest,
  sends: { "content-type": "application/json", ...rest.sends },
});
const page = { "content-type": "text/html" };
const data = { "content-type": "application/json" };
const session = { ...page, "set-cookie": "sid=8f2c41d07be9a35566; Path=/; HttpOnly" };
const refused = form("user=ada&password=wrong", { status: 401, headers: page, body: "<p>No." });
const plain = form("user=ada&password=wrong", { headers: page, body: "<form>Again." });
const sqli = "user=" + encodeURIComponent("' or 1=1-- ") + "&password=x";

describe("log-ins", () => {
  it("one that is refused at other times, and that an attack passes without a credential", async () => {
    assert.deepEqual(await last([refused, form(sqli, { headers: page, body: "<p>Hello admin" })]), { sqli: "likely" });
    assert.deepEqual(await last([refused, form(sqli, { status: 302, headers: session })]), { sqli: "likely" });
  });
  it("one that answers with a form at other times, and that hands out a session for an attack", async () => {
    assert.deepEqual(await last([plain, form(sqli, { status: 302, headers: session })]), { sqli: "likely" });
  });
  it("one that is refused as others are", async () => {
    assert.deepEqual(await last([refused, form(sqli, { status: 401, headers: page, body: "<p>No." })]), {});
    assert.deepEqual(await last([plain, form(sqli, { headers: page, body: "<form>Again." })]), {});
  });
  it("one that was never seen before", async () => {
    assert.deepEqual(await last([form(sqli, { status: 302, headers: session })]), {});
  });
  it("a cookie that stands for no log-in, and sessions that everybody gets", async () => {
    const other = { ...page, "set-cookie": "theme=dark; Path=/" };
    assert.deepEqual(await last([plain, form(sqli, { headers: other })]), {});
    assert.deepEqual(await last([{ ...plain, headers: session }, form(sqli, { headers: session })]), {});
  });
  it("an attack in a field that says nothing of who comes", async () => {
    const next = "user=ada&password=right&next=" + encodeURIComponent("' or 1=1-- ");
    assert.deepEqual(await last([refused, form(next, { status: 302, headers: session })]), {});
  });
  it("who has a cookie already is not compared with who has none", async () => {
    const cookie = { cookie: "sid=1" };
    assert.deepEqual(await last([plain, form(sqli, { headers: session, sends: cookie })]), {});
    assert.deepEqual(await last([refused, form(sqli, { headers: page, sends: cookie })]), {});
    const known = { ...refused, sends: { ...refused.sends, ...cookie } };
    assert.deepEqual(await last([known, form(sqli, { headers: page, sends: cookie })]), {});
    assert.deepEqual(await last([known, form(sqli, { headers: session, sends: cookie })]), { sqli: "likely" });
  });
  it("an operator in place of a password", async () => {
    const no = json({ user: "ada", password: "wrong" }, { status: 401, headers: data, body: "{}" });
    const attack = { user: "admin", password: { $ne: null } };
    const yes = json(attack, { headers: data, body: '{"token":"x"}' });
    assert.deepEqual(await last([no, yes]), { nosqli: "likely" });
    assert.deepEqual(await last([no, json(attack, { status: 401, headers: data, body: "{}" })]), {});
    assert.deepEqual(await last([no, json(attack, { status: 400, headers: data, body: '{"error":"bad"}' })]), {});
    const named = "user=admin&password[$ne]=x";
    assert.deepEqual(await last([refused, form(named, { status: 302, headers: session })]), { nosqli: "likely" });
  });
  it("an order that is placed is no log-in", async () => {
    const bad = json({ sku: "x" }, { path: "/orders", status: 401, headers: data, body: "{}" });
    const attack = { sku: "' or 1=1-- " };
    assert.deepEqual(await last([bad, json(attack, { path: "/orders", headers: data, body: "{}" })]), {});
  });
});

const records = (count: number): string => JSON.stringify(Array.from({ length: count }, (_, id) => ({ id })));
const list = (query: string, count: number): Exchange => ({
  path: `/items?${query}`,
  headers: data,
  body: records(count),
});
const rows = (query: string, count: number): Exchange => ({
  path: `/items?${query}`,
  headers: page,
  body: `<html><body><table>${"<tr><td>x</td></tr>".repeat(count)}</table></body></html>`,
});
const all = "name=" + encodeURIComponent("' or 1=1-- ");

describe("lists", () => {
  it("that are longer than ever for an attack", async () => {
    assert.deepEqual(await last([list("name=chair", 3), list(all, 40)]), { sqli: "likely" });
    assert.deepEqual(await last([rows("name=chair", 3), rows(all, 40)]), { sqli: "likely" });
    const one = { path: "/items/7", headers: data, body: '{"id":7}' };
    const many = { path: "/items/" + encodeURIComponent("7 or 1=1"), headers: data, body: records(20) };
    assert.deepEqual(await last([one, many]), { sqli: "likely" });
  });
  it("that are as long as others, or shorter, or the first", async () => {
    assert.deepEqual(await last([list("name=chair", 40), list(all, 40)]), {});
    assert.deepEqual(await last([list("name=chair", 3), list(all, 0)]), {});
    assert.deepEqual(await last([list(all, 40)]), {});
    assert.deepEqual(await last([rows("name=chair", 3), rows(all, 4)]), {});
  });
  it("that are not filtered by what is none of a list, nor by an operator in a name", async () => {
    assert.deepEqual(await last([list("category=chairs", 3), list("category=" + all.slice(5), 40)]), {});
    assert.deepEqual(await last([list("name=chair", 1), list("name[$ne]=x", 40)]), {});
  });
  it("that were asked for by other parameters", async () => {
    assert.deepEqual(await last([list("name=chair", 3), list("sort=" + all.slice(5), 40)]), {});
    const two = list("name=chair&sort=price", 3);
    assert.deepEqual(await last([two, list("name=a&sort=" + all.slice(5), 40)]), {});
  });
  it("that fail for an attack", async () => {
    assert.deepEqual(await last([list("name=chair", 3), { ...list(all, 40), status: 500 }]), {});
  });
});

/** An answer to `?kind=` of these records. */
const kinds = (value: string, records: readonly object[], wrap?: string): Exchange => ({
  path: "/materials?kind=" + encodeURIComponent(value),
  headers: data,
  body: JSON.stringify(wrap === undefined ? records : { [wrap]: records, total: records.length }),
});
const lamp = { id: 1001, name: "Brass lamp" };
const goods = [lamp, { id: 1002, name: "Oak table" }, { id: 1003, name: "Linen" }];

describe("two attacks that begin alike, by whatever name", () => {
  const ordinary = [kinds("lamp", [lamp]), kinds("stool", [])];
  const never = (records: readonly object[]): Exchange => kinds("lamp' AND '1'='2", records);
  const always = (records: readonly object[]): Exchange => kinds("lamp' OR '1'='1", records);
  it("the one that is never true has less, the one that is always true has more", async () => {
    assert.deepEqual(await last([...ordinary, never([]), always(goods)]), { sqli: "likely" });
    assert.deepEqual(await last([...ordinary, always(goods), never([])]), { sqli: "likely" });
    const wrapped = [kinds("lamp", [lamp], "data"), kinds("lamp' AND '1'='2", [], "data")];
    assert.deepEqual(await last([...wrapped, kinds("lamp' OR '1'='1", goods, "data")]), { sqli: "likely" });
  });
  it("much more", async () => {
    const many = Array.from({ length: 20 }, () => lamp);
    assert.deepEqual(await last([...ordinary, never([]), always(many)]), { sqli: "likely" });
    assert.deepEqual(await last([...ordinary, always(many)]), {}, "which may be a filter that is dropped");
  });
  it("of numbers", async () => {
    const ordinaryOnes = [kinds("7", [lamp]), kinds("7 AND 1=2", [])];
    assert.deepEqual(await last([...ordinaryOnes, kinds("7 OR 1=1", goods)]), { sqli: "likely" });
  });
  it("a search by words finds the same for both, or nothing", async () => {
    assert.deepEqual(await last([...ordinary, never([lamp]), always(goods)]), {});
    assert.deepEqual(await last([...ordinary, never([]), always([])]), {});
    assert.deepEqual(await last([...ordinary, never([]), always([lamp])]), {});
  });
  it("a filter that is dropped where it cannot be read lists all for both", async () => {
    assert.deepEqual(await last([...ordinary, never(goods), always(goods)]), {});
    assert.deepEqual(await last([...ordinary, always(goods), never(goods)]), {});
  });
  it("values that begin in another way are no two of that kind", async () => {
    assert.deepEqual(await last([...ordinary, kinds("stool' AND '1'='2", []), always(goods)]), {});
    assert.deepEqual(await last([...ordinary, kinds("' AND '1'='2", []), kinds("' OR '1'='1", goods)]), {});
  });
  it("lists that are as long at other times, or of which nothing is known", async () => {
    assert.deepEqual(await last([...ordinary, kinds("all", goods), never([]), always(goods)]), {});
    assert.deepEqual(await last([never([]), always(goods)]), {});
    // Nobody has found anything there: what is left out by the one is not known.
    assert.deepEqual(await last([kinds("stool", []), never([]), always(goods)]), {});
  });
});

describe("a second SELECT", () => {
  const union = "none' UNION SELECT email, password FROM users-- -";
  const people = [
    { id: "ada@shop.example", name: "x" },
    { id: "lin@shop.example", name: "y" },
  ];
  const ordinary = [kinds("lamp", goods), kinds("chair", [lamp]), kinds("none", [])];
  it("that brings along addresses of people, where there were none", async () => {
    assert.deepEqual(await last([...ordinary, kinds(union, people)]), { sqli: "likely" });
    const table = (value: string, body: string): Exchange => ({ ...kinds(value, []), headers: page, body });
    const listed = [table("lamp", "<td>Brass lamp</td>"), table("chair", "<td>Chair</td>")];
    const shown = "<td>ada@shop.example</td><td>lin@shop.example</td>";
    assert.deepEqual(await last([...listed, table(union, shown)]), { sqli: "likely" });
  });
  it("where addresses are shown at other times, or one alone, as of somebody who helps", async () => {
    assert.deepEqual(await last([...ordinary, kinds("staff", people), kinds(union, people)]), {});
    const help = [{ id: "help@shop.example", name: "write to help@shop.example" }];
    assert.deepEqual(await last([...ordinary, kinds(union, help)]), {});
  });
  it("that is bound, that comes to a filter that is dropped, or to an endpoint that nobody knows", async () => {
    assert.deepEqual(await last([...ordinary, kinds(union, [])]), {});
    assert.deepEqual(await last([...ordinary, kinds(union, goods)]), {});
    assert.deepEqual(await last([kinds(union, people)]), {});
    assert.deepEqual(await last([kinds("lamp", goods), kinds(union, people)]), {});
  });
  it("in a value that selects nothing", async () => {
    assert.deepEqual(await last([...ordinary, kinds("none' OR '1'='1", people)]), {});
  });
});

describe("small results of templates", () => {
  const hello = (name: string, body: string): Exchange => ({
    path: "/hello?name=" + encodeURIComponent(name),
    headers: page,
    body: `<html><body>${body}</body></html>`,
  });
  it("a text of their own, where the endpoint has shown none such", async () => {
    assert.deepEqual(await last([hello("ada", "<p>ada</p>"), hello("<%= 7*7 %>", "<p>49</p>")]), { ssti: "likely" });
  });
  it("a number that the endpoint shows to others", async () => {
    const shop = "<p>Size 49</p><p>49</p>";
    assert.deepEqual(await last([hello("ada", shop), hello("<%= 7*7 %>", shop)]), {});
    assert.deepEqual(await last([hello("ada", "<p>Size 49</p>"), hello("<%= 7*7 %>", "<p>Hello 49</p>")]), {});
    assert.deepEqual(await last([hello("<%= 7*7 %>", "<p>49</p>")]), {});
  });
  const preview = (subject: string, body: string): Exchange =>
    form("subject=" + encodeURIComponent(subject), { path: "/mails/preview", headers: page, body });
  const filled = preview("Hello <%= name %>", "<main class=mail><h1>Hello Ada</h1></main>");
  it("that stand where the text of the parameter stands at other times", async () => {
    const result = preview("<%= 7*49 %>", "<main class=mail><h1>343</h1></main>");
    assert.deepEqual(await last([filled, result]), { ssti: "confirmed" });
    const mail = (line: string, text: string): Exchange => ({
      ...json({ line }, { path: "/preview", headers: data, body: JSON.stringify({ kind: "mail", line: text }) }),
    });
    const lines = [mail("Dear {{ user }},", "Dear Ada,"), mail("{{ 7*49 }}", "343")];
    assert.deepEqual(await last(lines.slice(1)), { ssti: "confirmed" }, "the member's own name says so, too");
    const cards = lines.map((one) => ({ ...one, body: one.body?.replace('"line"', '"text"') }));
    assert.deepEqual(await last(cards), { ssti: "confirmed" });
  });
  it("elsewhere, or of which it is not known, or of two digits", async () => {
    const elsewhere = preview("<%= 7*49 %>", "<main class=mail><h1>Hello</h1><p>343</p></main>");
    assert.deepEqual(await last([filled, elsewhere]), { ssti: "likely" });
    const untouched = preview("Hello <%= name %>", "<main class=mail><h1>Hello &lt;%= name %&gt;</h1></main>");
    const result = preview("<%= 7*49 %>", "<main class=mail><h1>343</h1></main>");
    assert.deepEqual(await last([untouched, result]), { ssti: "likely" });
    const small = preview("<%= 7*7 %>", "<main class=mail><h1>49</h1></main>");
    assert.deepEqual(await last([filled, small]), { ssti: "likely" });
    const own = preview("<%= 7*49 %>", "<main class=mail><h1>&lt;%= 7*49 %&gt;</h1><p>343</p></main>");
    assert.deepEqual(await last([filled, own]), {});
  });
});
