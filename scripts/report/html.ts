/**
 * The report as one HTML file: no script, nothing loaded, and a policy (CSP) that would stop both. Text of findings was written by
 * attackers: it is escaped, and what would reorder or hide text is shown as `\u{hex}`.
 */
import { createHash } from "node:crypto";
import type { Finding } from "../../collector/api.ts";
import { printable } from "../envoy/printable.ts";
import { ruleText, splitSource, titleOf } from "../policy/rule-texts.ts";
import { STAGE_ORDER, STAGE_WORDS, endpointOf, fieldOf, isOpen } from "./finding.ts";
import type { Report } from "./report.ts";

const STYLE = `
:root { color-scheme: light dark; --text: #1b1f24; --soft: #59636e; --line: #d5dae0; --page: #ffffff; --raised: #f5f7f9;
  --confirmed: #b3161b; --likely: #8a4b00; --attempted: #4a5560; --link: #0a58b8 }
@media (prefers-color-scheme: dark) { :root { --text: #e4e8ec; --soft: #9ba6b2; --line: #333b44; --page: #14181d; --raised: #1c2128;
  --confirmed: #ff8f8a; --likely: #f0b35a; --attempted: #a9b4bf; --link: #7fb6ff } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 64rem; color: var(--text); background: var(--page);
  font: 15px/1.5 system-ui, sans-serif }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.1rem; margin: 2.5rem 0 .5rem } h3 { font-size: 1rem; margin: 0 }
p { margin: .4rem 0 } a { color: var(--link) } .soft { color: var(--soft) }
code, .evidence { font: .87em/1.5 ui-monospace, monospace; overflow-wrap: anywhere }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(12rem, 100%), 1fr)); gap: .5rem 1.5rem; margin: 1.25rem 0; padding: 0; list-style: none }
.figures b { display: block; font-size: 1.75rem; line-height: 1.2; font-variant-numeric: tabular-nums }
.table { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .4rem .9rem .4rem 0; border-bottom: 1px solid var(--line) }
th { color: var(--soft); font-weight: 500; font-size: .87em } td.number, th.number { text-align: right }
.confirmed { color: var(--confirmed); font-weight: 600 } .likely { color: var(--likely); font-weight: 600 }
.attempted { color: var(--attempted) }
article { padding: 1rem 0; border-top: 1px solid var(--line); break-inside: avoid }
dl { display: grid; grid-template-columns: 8rem minmax(0, 1fr); gap: .25rem 1rem; margin: .6rem 0 0 }
dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere } dd ol, dd ul { margin: 0; padding-left: 1.2rem }
.evidence { background: var(--raised); padding: .4rem .6rem; border-radius: 4px; white-space: pre-wrap }
@media (max-width: 36rem) { dl { grid-template-columns: 1fr } dd { margin-bottom: .4rem }
  thead { position: absolute; clip-path: inset(50%) } td { padding: 0; border: 0; overflow-wrap: anywhere }
  tr { display: grid; grid-template-columns: auto 1fr auto; column-gap: .9rem; padding: .5rem 0; border-bottom: 1px solid var(--line) }
  td:nth-child(3), td:nth-child(4) { grid-column: 1 / -1 } td.number { grid-area: 1 / 3 } td.number::after { content: "×" } }
@media print { :root { --text: #000; --soft: #444; --line: #bbb; --page: #fff; --raised: #f3f3f3; --confirmed: #a00; --likely: #740;
  --attempted: #333; --link: #000 } body { padding: 0; max-width: none; font-size: 10.5pt } h2 { break-after: avoid } }
`;

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text as HTML text or the value of a quoted attribute. */
const html = (text: string, most = 1_024): string =>
  printable(text, most).replace(/[&<>"']/g, (mark) => ENTITIES[mark]!);
/** The same where it may be in a script that runs from right to left. */
const foreign = (text: string): string => `<bdi>${html(text)}</bdi>`;
const day = (time: string): string => html(time.slice(0, 16).replace("T", " "));
const link = (address: string): string => `<a href="${html(address)}" rel="noreferrer">${html(address)}</a>`;

const row = (name: string, value: string): string => `<dt>${name}</dt><dd>${value}</dd>`;
const list = (tag: "ol" | "ul", items: readonly string[]): string =>
  `<${tag}>${items.map((item) => `<li>${item}</li>`).join("")}</${tag}>`;

function articleOf(finding: Finding, now: Date): string {
  const { fingerprint, rule, stage, severity, confidence, evidence, hops, note, until, state, outcomes } = finding;
  const text = ruleText(rule);
  const reason = text === null ? null : splitSource(text.reason);
  const decided = isOpen(finding, now)
    ? ""
    : `${html(state)}${state === "muted" && until !== null ? ` until ${day(until)} UTC` : ""}${note === null ? "" : `: ${foreign(note)}`}`;
  const seen = `${finding.count}×, ${day(finding.first_seen)} to ${day(finding.last_seen)} UTC`;
  const answered = Object.entries(outcomes).map(([outcome, count]) => `${html(outcome)} ${count}`);
  return [
    `<article id="${html(fingerprint)}"><h3>${text === null ? foreign(rule) : html(titleOf(text.summary))}</h3>`,
    `<p><span class="${stage}">${stage}</span>, ${severity}, confidence ${confidence} <span class="soft">(${STAGE_WORDS[stage]})</span></p><dl>`,
    row("Where", `${foreign(endpointOf(finding))}, ${foreign(fieldOf(finding))}`),
    row("Evidence", `<div class="evidence">${foreign(evidence)}</div>`),
    hops.length === 0 ? "" : row("Way", list("ol", hops.map(foreign))),
    row("Seen", answered.length === 0 ? seen : `${seen}: ${answered.join(", ")}`),
    finding.request_id === null ? "" : row("Newest request", `<code>${html(finding.request_id)}</code>`),
    row("Rule", `<code>${html(rule)}</code>${finding.cwe.map((cwe) => `, CWE-${cwe}`).join("")}`),
    reason === null
      ? ""
      : row("Why", `${html(reason.sentence)}${reason.source === null ? "" : ` ${link(reason.source)}`}`),
    text === null
      ? ""
      : row(
          "Remedy",
          list("ul", [
            `In code: ${html(text.remedy.code)}`,
            `In configuration: ${html(text.remedy.configuration)}`,
            `At the proxy: ${html(text.remedy.proxy)}`,
          ]),
        ),
    decided === "" ? "" : row("State", decided),
    "</dl></article>",
  ].join("\n");
}

function tableOf(title: string, findings: readonly Finding[]): string {
  const rows = findings.map(
    (finding) =>
      `<tr><td><span class="${finding.stage}">${finding.stage}</span></td><td>${finding.severity}</td>` +
      `<td><a href="#${html(finding.fingerprint)}">${html(finding.rule)}</a></td>` +
      `<td>${foreign(endpointOf(finding))}, ${foreign(fieldOf(finding))}</td><td class="number">${finding.count}</td></tr>`,
  );
  return [
    `<div class="table" tabindex="0" role="region" aria-label="${title}, as a table"><table>`,
    '<thead><tr><th>Stage</th><th>Severity</th><th>Rule</th><th>Where</th><th class="number">Seen</th></tr></thead>',
    `<tbody>${rows.join("\n")}</tbody></table></div>`,
  ].join("\n");
}

/** The report as an HTML document. */
export function reportPage({ findings, collector, now, version }: Report): string {
  const open = findings.filter((finding) => isOpen(finding, now));
  const decided = findings.filter((finding) => !isOpen(finding, now));
  const services = new Set(open.map(({ namespace, service }) => `${namespace ?? ""}/${service}`));
  const hash = createHash("sha256").update(STYLE).digest("base64");
  const figures = STAGE_ORDER.map((stage) => {
    const count = open.filter((finding) => finding.stage === stage).length;
    return `<li><b class="${stage}">${count}</b>${stage} <span class="soft">(${STAGE_WORDS[stage]})</span></li>`;
  });
  const section = (id: string, title: string, shown: readonly Finding[]): string =>
    shown.length === 0
      ? ""
      : `<h2 id="${id}">${title}</h2>\n${tableOf(title, shown)}\n${shown.map((finding) => articleOf(finding, now)).join("\n")}`;
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">',
    `<title>Meshward report, ${day(now.toISOString())} UTC</title><style>${STYLE}</style></head><body>`,
    `<header><h1>Meshward report</h1><p class="soft">${day(now.toISOString())} UTC, from ${html(collector)}, Meshward ${html(version)}</p></header>`,
    `<main><ul class="figures">${figures.join("")}<li><b>${services.size}</b>services</li></ul>`,
    open.length === 0 ? "<p>There are no open findings.</p>" : section("open", "Open findings", open),
    section("decided", "Accepted, muted and false positives", decided),
    "</main></body></html>",
    "",
  ].join("\n");
}
