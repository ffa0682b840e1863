/** The collector's page in a real Chromium, before a real collector. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import axe from "axe-core";
import type { AxeResults } from "axe-core";
import type { Browser, Locator, Page } from "playwright-core";
import { startCollector } from "../../collector/collector.ts";
import type { Collector } from "../../collector/collector.ts";
import { findChromium, startChromium } from "./chromium.ts";
import { sendEvents, sendObservations, shopEvents, shopObservations } from "./records.ts";
import type { Said } from "./records.ts";

const TOKEN = "a-token-for-reading";
const VIEWS = ["overview", "findings", "requests", "services", "endpoints", "audit"] as const;
const REQUEST = "0f8fad5b-d9cb-469f-a165-708677200003";
/** A poll of the page and its answer, on a busy machine. */
const PATIENCE_MS = 15_000;

/** Text that runs, loads, reorders or breaks out wherever it is not text. */
const hostile = (where: string): string =>
  `${where}"'><img src=//evil.example/${where} onerror="window.ran='${where}'"><script>window.ran='${where}'</script>\${ran} javascript:ran \u202e</bdi>`;

const program = findChromium();
const skip = program === null ? "no Chromium: set CHROMIUM_BIN, or install the package chromium" : false;

describe("the collector's page", () => {
  let browser: Browser;
  let folder: string;
  const collectors: Collector[] = [];
  let shop: Collector;
  let attacked: Collector;
  let empty: Collector;

  async function collect(name: string, events: readonly Said[]): Promise<Collector> {
    const collector = await startCollector({
      ...{ host: "127.0.0.1", port: 0, database: join(folder, name), retentionSeconds: 2_592_000, hosts: [] },
      ...{ ingestTokens: [], readTokens: [{ name: "ada", value: TOKEN }], log: () => {} },
    });
    collectors.push(collector);
    if (events.length > 0) await sendEvents(collector.url, events);
    return collector;
  }

  before(async () => {
    if (program === null) return;
    folder = await mkdtemp(join(tmpdir(), "meshward-page-"));
    browser = await startChromium(program);
    shop = await collect("shop", shopEvents());
    await sendObservations(shop.url, shopObservations());
    // Filled by the last test.
    empty = await collect("empty", []);
    attacked = await collect("attacked", [
      {
        ...{
          rule: hostile("rule"),
          class: hostile("class"),
          service: hostile("service"),
          namespace: hostile("namespace"),
        },
        ...{
          instance: hostile("instance"),
          version: hostile("version"),
          policy: hostile("policy"),
          part: hostile("part"),
        },
        ...{ method: hostile("method"), route: hostile("route"), parameter: hostile("parameter") },
        ...{ evidence: hostile("evidence"), mode: hostile("mode"), request: hostile("request"), host: hostile("host") },
        ...{
          principal: hostile("principal"),
          scheme: hostile("scheme"),
          hops: [hostile("hop"), `a b c d ${hostile("name")}`],
        },
        stage: "confirmed",
      },
      { route: hostile("path"), parameter: hostile("name"), exception: hostile("exception"), request: REQUEST },
    ]);
    const where = { service: hostile("service"), namespace: hostile("namespace") };
    await sendObservations(attacked.url, [
      {
        ...{ ...where, method: hostile("verb").slice(0, 60), route: hostile("template"), host: hostile("asked") },
        ...{ parameters: [`json text ${hostile("field")}`], types: [hostile("type")], callers: [hostile("caller")] },
      },
      { ...where, direction: "outbound", host: hostile("called"), route: hostile("template") },
    ]);
  });
  after(async () => {
    await browser?.close();
    for (const collector of collectors) await collector.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  interface Opened {
    page: Page;
    /** What must not have happened: errors, violations of the page's policy, requests to elsewhere, dialogs. */
    wrong: string[];
  }

  /** Opens the page in a browser of its own, signed in, runs `work`, and sees that nothing went wrong. */
  async function visit(
    { url }: Collector,
    hash: string,
    work: (opened: Opened) => Promise<void>,
    options: { width?: number; height?: number; scheme?: "light" | "dark"; token?: string | null } = {},
  ): Promise<void> {
    const { width = 1280, height = 800, scheme = "light", token = TOKEN } = options;
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme: scheme,
      reducedMotion: "reduce",
    });
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    const wrong: string[] = [];
    page.on("pageerror", (error) => void wrong.push(error.message));
    page.on("dialog", (dialog) => void (wrong.push(dialog.message()), void dialog.dismiss()));
    page.on("console", (message) => {
      if (/content security policy|trusted/i.test(message.text())) wrong.push(message.text());
    });
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== url) wrong.push(request.url());
    });
    await page.addInitScript(
      "addEventListener('securitypolicyviolation', (event) => console.log(`Content Security Policy: ${event.violatedDirective} ${event.sample}`))",
    );
    try {
      if (token !== null) {
        await page.goto(`${url}/#token=${token}`);
        await page.getByRole("navigation").waitFor();
        await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
      } else await page.goto(`${url}/${hash}`);
      await work({ page, wrong });
      assert.equal(await page.evaluate("window.ran"), undefined);
      assert.deepEqual(wrong, []);
    } finally {
      await context.close();
    }
  }

  /** Goes on to another view of the same page. */
  async function goOn(page: Page, hash: string): Promise<void> {
    await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
    // Until the page has heard of it, what there was still stands.
    await page.waitForTimeout(50);
    await settled(page);
  }

  /** Waits until the view has its data: nothing says that it is loading. */
  async function settled(page: Page): Promise<void> {
    await page.locator("h1").first().waitFor({ state: "attached" });
    await page.locator(".loading").first().waitFor({ state: "detached" });
  }
  const focused = (page: Page): Promise<string> =>
    page.evaluate(
      "(document.activeElement?.textContent || document.activeElement?.getAttribute('placeholder') || document.activeElement?.tagName).trim()",
    );
  const isFocused = (locator: Locator): Promise<boolean> =>
    locator.evaluate((element: unknown) => {
      const node = element as { ownerDocument: { activeElement: unknown } };
      return node.ownerDocument.activeElement === node;
    });
  /** Waits until the browser's answer is true. */
  const until = async (what: string, answer: () => Promise<boolean>): Promise<void> => {
    for (const end = Date.now() + PATIENCE_MS; ; await new Promise((done) => setTimeout(done, 50))) {
      if (await answer()) return;
      if (Date.now() > end) assert.fail(what);
    }
  };
  const rows = (page: Page): Locator => page.locator("[data-rows] .row");
  const hashes = (collector: Collector): Promise<string[]> =>
    fetch(`${collector.url}/api/v1/findings`, { headers: { authorization: `Bearer ${TOKEN}` } })
      .then((response) => response.json() as Promise<{ findings: { fingerprint: string }[] }>)
      .then(({ findings }) => [
        "#/overview",
        "#/findings?state=all",
        ...findings.map(({ fingerprint }) => `#/findings/${fingerprint}`),
        `#/requests/${REQUEST}`,
        `#/requests/${encodeURIComponent(hostile("request").toLowerCase().slice(0, 64))}`,
        "#/requests",
        "#/services",
        "#/endpoints",
        "#/audit",
      ]);

  it("shows what is going on", { skip }, () =>
    visit(shop, "#/overview", async ({ page }) => {
      await settled(page);
      assert.deepEqual(await page.locator(".figure-number").allInnerTexts(), ["3", "3", "20"]);
      assert.equal(await page.locator(".event").count(), 15);
      assert.match(
        (await page.getByRole("img", { name: /^Events over time/ }).getAttribute("aria-label")) ?? "",
        /246 events, 80 refused/,
      );
      await page.getByRole("button", { name: "7d" }).click();
      await page.getByText("As a table").click();
      const table = page.getByRole("region", { name: "Events over time, as a table" });
      assert.notEqual(await table.getByRole("row").count(), 1);
      assert.equal(await page.locator(".gravest li").count(), 6);
      assert.equal(await page.title(), "Overview – Meshward");
    }),
  );

  it("filters findings", { skip }, () =>
    visit(shop, "#/findings", async ({ page }) => {
      await rows(page).first().waitFor();
      const total = page.locator(".list-head p");
      assert.equal(await total.innerText(), "26 findings");
      await page.getByText("likely", { exact: true }).first().click();
      await until("only likely ones", async () => (await total.innerText()) === "3 findings");
      await page.getByRole("searchbox", { name: /Part of a rule/ }).fill("ssrf");
      await until("only one", async () => (await total.innerText()) === "1 finding");
      assert.match(page.url(), /stage=likely&text=ssrf$/);
      await page.getByRole("searchbox", { name: /Part of a rule/ }).fill("nothing like it");
      await page.getByText("No finding is like that.").waitFor();
      await page.getByText("Show all open findings").click();
      await until("all again", async () => (await total.innerText()) === "26 findings");
    }),
  );

  it("says all of a finding: evidence, hops, rule, remedy, exception", { skip }, () =>
    visit(shop, "#/findings?stage=confirmed", async ({ page }) => {
      await rows(page).filter({ hasText: "orders" }).click();
      const detail = page.locator(".detail");
      await detail.getByText("Remedy").waitFor();
      await settled(page);
      assert.match(await detail.innerText(), /9\{1\}' UNION SELECT a\{4\}/);
      assert.deepEqual(await detail.locator(".hops li").allInnerTexts(), [
        "came in edge GET /search query term",
        "passed catalogue GET /items/{id} query q",
        "showed orders POST /lookup json /sql",
      ]);
      assert.match(
        await detail.locator(".yaml pre").innerText(),
        /^exceptions:\n {2}- id: [\s\S]* rules:\n {6}- sqli-union-select\n {4}path: \/lookup\n/,
      );
      assert.match(await detail.locator(".remedy").innerText(), /prepared statement/);
      for (const link of await detail.locator('a[target="_blank"]').all()) {
        assert.match((await link.getAttribute("rel")) ?? "", /noreferrer noopener/);
      }
    }),
  );

  it("takes decisions and tells who made them", { skip }, () =>
    visit(shop, "#/findings?stage=confirmed&state=all", async ({ page }) => {
      await rows(page).filter({ hasText: "traversal" }).click();
      const detail = page.locator(".detail");
      const decide = async (button: string, note: string): Promise<void> => {
        await detail.getByRole("button", { name: button }).click();
        await detail.getByRole("textbox", { name: /^Why/ }).fill(note);
        await detail.getByRole("button", { name: "Save" }).click();
      };
      await decide("Accept", "known");
      await detail.getByText("Saved: accepted.").waitFor();
      assert.equal(await detail.locator(".state-line").innerText(), "accepted: known");
      await decide("False positive", `harmless ${hostile("note")}`);
      await detail.getByText("Saved: false positive.").waitFor();
      await detail.getByText("Add this to the policy, with your reason in it").waitFor();
      assert.match(await detail.locator(".yaml pre").innerText(), /- traversal-climb/);
      await detail.getByRole("button", { name: "Mute until" }).click();
      await detail.getByLabel("Muted to the end of").fill("2035-01-31");
      await detail.getByRole("button", { name: "Save" }).click();
      await detail.getByText("Saved: muted.").waitFor();
      assert.match(await detail.locator(".state-line").innerText(), /^muted until 31 Jan/);
      await until("three changes", async () => (await detail.locator(".audit li").count()) === 3);
      await detail.getByRole("button", { name: "Open again" }).click();
      await detail.getByRole("button", { name: "Save" }).click();
      await detail.getByText("Saved: open.").waitFor();
      await page.getByRole("link", { name: "Audit" }).click();
      await until("the audit", async () => (await page.locator(".audit li").count()) > 4);
      assert.match(await page.locator(".audit").innerText(), /ada\s+changed a finding [\s\S]*harmless note"'><img/);
    }),
  );

  it("finds a request by the id of its block page", { skip }, () =>
    visit(shop, "#/overview", async ({ page }) => {
      await page.keyboard.press("/");
      await page.keyboard.type(` URN:UUID:${REQUEST.toUpperCase()}`);
      await page.keyboard.press("Enter");
      const found = page.locator(".found");
      await found.locator(".yaml pre").waitFor();
      assert.match(
        await found.innerText(),
        /Decided by\s+refused: mode block for the route \/\S+, policy d0f132d4addf/,
      );
      assert.match(await page.locator(".facts.wide").innerText(), /Answer\s+refused 403/);
      await page.evaluate("location.hash = '#/requests/ffffffff-0000-4000-8000-000000000000'");
      await page.getByText("No event has this id.").waitFor();
    }),
  );

  it("lists services", { skip }, () =>
    visit(shop, "#/services", async ({ page }) => {
      await page.locator(".services tbody tr").first().waitFor();
      const text = await page.locator(".services").innerText();
      for (const name of ["shop/catalogue", "payments/ledger", "platform/mail"])
        assert.equal(text.includes(name), true, name);
      await page.locator(".services").getByRole("link", { name: "payments/ledger" }).click();
      await rows(page).first().waitFor();
      await page.getByRole("button", { name: "service payments/ledger" }).click();
      await until("the filter is gone", async () => (await page.locator(".list-head p").innerText()).startsWith("2"));
    }),
  );

  it("lists endpoints, what is new of them, and what was seen", { skip }, () =>
    visit(shop, "#/endpoints", async ({ page }) => {
      await rows(page).first().waitFor();
      const total = page.locator(".list-head p");
      assert.equal(await total.innerText(), "9 endpoints");
      await page.getByLabel("New or changed in").selectOption("24h");
      await until("only new ones", async () => (await total.innerText()) === "2 endpoints");
      assert.match(page.url(), /since=24h$/);
      assert.deepEqual(await page.locator(".tag.new").allInnerTexts(), ["changed", "new"]);
      await rows(page).first().focus();
      await page.keyboard.press("Enter");
      const detail = page.locator(".observed");
      await detail.waitFor();
      assert.match(await detail.innerText(), /Parameters\s+query debug text\s*new\s/);
      assert.match(await detail.innerText(), /Callers\s+spiffe:\/\/mesh\/ns\/shop\/sa\/edge/);
      await page.getByRole("searchbox", { name: /Part of a method/ }).fill("EXPORT");
      await until("only one", async () => (await total.innerText()) === "1 endpoint");
      assert.match(await rows(page).first().innerText(), /shop\/orders GET \/orders\/export[\s\S]*open/);
      await goOn(page, "#/endpoints?service=orders&namespace=shop&direction=outbound");
      await until("its calls", async () => (await total.innerText()) === "1 endpoint");
      assert.match(await rows(page).first().innerText(), /calls api\.pay\.example POST \/charges/);
      const waiting = page.waitForEvent("download");
      await page.getByRole("link", { name: "OpenAPI document" }).click();
      assert.equal((await waiting).suggestedFilename(), "openapi.json");
    }),
  );

  it("draws who calls whom, for eyes, keys and ears", { skip }, () =>
    visit(shop, "#/services", async ({ page }) => {
      const map = page.getByRole("region", { name: "Service map" });
      await map.waitFor();
      const names = await map.locator(".node-name").allTextContents();
      assert.deepEqual([...names].sort(), ["api.pay.example", "catalogue", "edge", "orders"]);
      const left = async (name: string): Promise<number> =>
        (await map.locator(".node", { hasText: name }).first().boundingBox())!.x;
      const columns = [await left("edge"), await left("catalogue"), await left("orders"), await left("api.pay")];
      assert.deepEqual(
        [...columns].sort((a, b) => a - b),
        columns,
      );
      assert.equal(await map.locator(".edge").count(), 4);
      assert.equal(await map.locator(".edge.clear").count(), 1);
      await page.getByText("As a table").click();
      const table = page.getByRole("region", { name: "Calls, as a table" });
      assert.equal(await table.getByRole("row").count(), 5);
      await map.getByRole("link", { name: /orders/ }).focus();
      await page.keyboard.press("Enter");
      await page.getByRole("button", { name: "service shop/orders" }).waitFor();
      await until("its endpoints", async () => (await rows(page).count()) === 3);
    }),
  );

  it("runs nothing of what attackers wrote, in any field of any view", { skip }, async () => {
    const seen = new Set<string>();
    const others = [
      `#/${hostile("hash")}`,
      `#/findings?text=${encodeURIComponent(hostile("text"))}&service=${encodeURIComponent(hostile("service"))}&class=%00`,
      "#/requests/%E0%A4%A",
    ];
    await visit(attacked, "#/overview", async ({ page }) => {
      for (const hash of [...(await hashes(attacked)), ...others]) {
        await goOn(page, hash);
        if (/^#\/(?:services|endpoints)$/.test(hash)) {
          for (const summary of await page.locator("summary").all()) await summary.click();
        }
        const text = await page.evaluate<string>("document.body.innerText");
        for (const [, where] of text.matchAll(/(\w+)"'><(?:img|IMG)/g)) seen.add(where!);
        const strangers =
          "#page :is(img, script, iframe, object, embed, base, meta, style, [onerror], [href^='javascript:'])";
        assert.equal(await page.locator(strangers).count(), 0, hash);
        assert.equal(text.includes("\u202e"), false, hash);
      }
    });
    const planted =
      "rule class service namespace instance version policy part method route parameter evidence mode request host principal scheme hop name path exception template asked field type caller called".split(
        " ",
      );
    assert.deepEqual(
      planted.filter((where) => !seen.has(where)),
      [],
    );
  });

  it("fits 360 pixels, in every view and with any text", { skip }, async () => {
    const narrow = { width: 360, height: 740 };
    const hashesOf = [
      [attacked, await hashes(attacked)],
      [shop, (await hashes(shop)).slice(0, 4)],
      [empty, VIEWS.map((view) => `#/${view}`)],
    ] as const;
    for (const [collector, wanted] of hashesOf) {
      await visit(
        collector,
        "#/overview",
        async ({ page }) => {
          for (const hash of wanted) {
            await goOn(page, hash);
            assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 360, hash);
          }
        },
        narrow,
      );
    }
  });

  it("hinders nobody: axe finds nothing, in light and dark", { skip }, async () => {
    const violations = new Map<string, string>();
    const [finding] = (await hashes(shop)).slice(2);
    const look = async (page: Page, where: string): Promise<void> => {
      await page.evaluate(axe.source);
      const found = await page.evaluate<AxeResults>("axe.run()");
      for (const { id, nodes } of found.violations) violations.set(`${id} ${nodes[0]!.html}`, where);
    };
    for (const scheme of ["light", "dark"] as const) {
      const full = [...VIEWS.map((view) => `#/${view}`), finding!, `#/requests/${REQUEST}`];
      await visit(
        shop,
        "#/overview",
        async ({ page }) => {
          for (const hash of full) {
            await goOn(page, hash);
            if (hash === finding) await page.getByRole("button", { name: "Mute until" }).click();
            await look(page, `${scheme} ${hash}`);
          }
          await page.keyboard.press("?");
          await look(page, `${scheme} keys`);
        },
        { scheme },
      );
    }
    await visit(empty, "#/overview", async ({ page }) => {
      for (const view of VIEWS) {
        await goOn(page, `#/${view}`);
        await look(page, `nothing ${view}`);
      }
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByRole("button", { name: "Sign in" }).waitFor();
      await look(page, "signing in");
    });
    assert.deepEqual([...violations], []);
  });

  it("can be walked with the keyboard alone", { skip }, () =>
    visit(shop, "#/overview", async ({ page }) => {
      await settled(page);
      await page.keyboard.press("Tab");
      assert.equal(await focused(page), "Skip to the content");
      const order = [];
      for (let step = 0; step < 13; step++) {
        await page.keyboard.press("Tab");
        order.push(await focused(page));
      }
      assert.deepEqual(order.slice(0, 8), [
        "Meshward",
        "Overview",
        "Findings",
        "Requests",
        "Services",
        "Endpoints",
        "Audit",
        "Request id",
      ]);
      assert.match(order.join(), /confirmed/);

      await page.keyboard.press("2");
      await rows(page).first().waitFor();
      assert.equal(await focused(page), "Findings");
      await page.keyboard.press("j");
      await page.keyboard.press("j");
      assert.equal(await isFocused(rows(page).nth(1)), true, "focus");
      await page.keyboard.press("Enter");
      await page.locator(".detail .facts").waitFor();
      await until("the finding's title has the focus", () => isFocused(page.locator("#detail-title")));
      await page.keyboard.press("Escape");
      await until("the row has the focus again", () => isFocused(rows(page).nth(1)));

      await page.keyboard.press("f");
      await page.keyboard.type("j2?");
      assert.equal(await page.getByRole("searchbox", { name: /Part of a rule/ }).inputValue(), "j2?");
      await page.keyboard.press("Escape");
      await page.keyboard.press("?");
      const dialog = page.getByRole("dialog", { name: "Keys" });
      await dialog.waitFor();
      await dialog.getByRole("checkbox").uncheck();
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "hidden" });
      await page.keyboard.press("1");
      assert.match(page.url(), /#\/findings/);
    }),
  );

  it("says what is wrong where there is no answer, and goes on by itself", { skip }, () =>
    visit(shop, "#/overview", async ({ page }) => {
      await settled(page);
      await page.context().setOffline(true);
      await page.getByText(/^No connection since \d\d:\d\d; trying again$/).waitFor();
      assert.deepEqual(await page.locator(".figure-number").allInnerTexts(), ["3", "3", "20"]);
      await page.getByRole("link", { name: "Services" }).click();
      await page.getByText("The collector cannot be reached.").waitFor();
      await page.context().setOffline(false);
      await page.getByRole("button", { name: "Try again" }).click();
      await page.locator(".services tbody tr").first().waitFor();
      await page.getByText("Live", { exact: true }).waitFor();
      await page.evaluate("location.hash = '#/findings/00000000000000000000000000000000'");
      await page.getByText("there is no such finding").waitFor();
    }),
  );

  it("says what it means that there is nothing", { skip }, () =>
    visit(empty, "#/overview", async ({ page }) => {
      await page.getByText("Nothing has come in yet.").waitFor();
      assert.deepEqual(await page.locator(".scale span").allTextContents(), ["4", "2", "0"]);
      await page.getByRole("link", { name: "Findings", exact: true }).click();
      await page.getByText("There are no open findings.").waitFor();
      await page.getByRole("link", { name: "Services" }).click();
      await page.getByText("No service has sent anything yet.").waitFor();
    }),
  );

  it("lets in who has the token, by form or by link, and keeps it nowhere", { skip }, () =>
    visit(
      empty,
      "#/services",
      async ({ page }) => {
        const field = page.getByLabel("Token for reading");
        await field.fill("another-token-of-mine");
        await page.keyboard.press("Enter");
        await page.getByText("That is not the token for reading.").waitFor();
        await field.fill(TOKEN);
        await page.keyboard.press("Enter");
        await page.getByRole("heading", { name: "Services" }).waitFor();
        assert.equal(await page.evaluate("document.cookie + Object.entries(localStorage)"), "");
        await page.reload();
        await page.getByRole("heading", { name: "Services" }).waitFor();
        await page.getByRole("button", { name: "Sign out" }).click();
        await field.waitFor();
        await page.reload();
        await field.waitFor();
        await page.goto("about:blank");
        await page.goto(`${empty.url}/#token=${TOKEN}`);
        await page.getByRole("navigation").waitFor();
        assert.equal(page.url().includes(TOKEN), false, "the address");
        assert.equal((await page.content()).includes(TOKEN), false, "the document");
      },
      { token: null },
    ),
  );

  it("keeps the theme that somebody has chosen", { skip }, () =>
    visit(empty, "#/overview", async ({ page }) => {
      const ground = (): Promise<string> => page.evaluate("getComputedStyle(document.documentElement).backgroundColor");
      const light = await ground();
      await page.keyboard.press("t");
      await page.keyboard.press("t");
      await page.getByRole("button", { name: "Theme: dark" }).waitFor();
      const dark = await ground();
      assert.notEqual(dark, light);
      await page.reload();
      await page.getByRole("navigation").waitFor();
      assert.equal(await ground(), dark);
    }),
  );

  it("is live without taking the focus, the place or the order away", { skip }, async () => {
    await sendEvents(empty.url, shopEvents());
    await visit(empty, "#/overview", async ({ page }) => {
      await settled(page);
      const link = page.locator(".gravest a").nth(1);
      await link.focus();
      await page.evaluate("scrollTo(0, 120)");
      const before = await page.evaluate("scrollY");
      await sendEvents(empty.url, [{ rule: "xss-script-url", class: "xss", service: "newcomer" }]);
      await page.locator(".event", { hasText: "newcomer" }).waitFor();
      assert.equal(await isFocused(link), true, "focus");
      assert.equal(await page.evaluate("scrollY"), before);
      await page.getByRole("button", { name: "Pause" }).click();
      await sendEvents(empty.url, [{ rule: "xss-script-url", class: "xss", service: "latecomer" }]);
      await page.waitForTimeout(4_000);
      assert.equal(await page.locator(".event", { hasText: "latecomer" }).count(), 0);
      await page.getByRole("button", { name: "Go on" }).click();
      await page.locator(".event", { hasText: "latecomer" }).waitFor();

      await page.getByRole("link", { name: "Findings", exact: true }).click();
      await rows(page).first().waitFor();
      const first = await rows(page).first().getAttribute("href");
      await rows(page).nth(3).focus();
      await sendEvents(empty.url, [{ rule: "aaa", class: "sqli", stage: "confirmed", service: "gravest" }]);
      const offer = page.getByRole("button", { name: "The list has changed: show it" });
      await offer.waitFor();
      assert.equal(await rows(page).first().getAttribute("href"), first);
      assert.equal(await isFocused(rows(page).nth(3)), true, "focus");
      await offer.click();
      await until(
        "the new one is there",
        async () => (await page.locator("[data-rows] .row", { hasText: "gravest" }).count()) === 1,
      );
    });
  });
});
