/** An explanation as a person reads it in a terminal: safe to print, whatever the request holds. */
import { printable } from "../envoy/printable.ts";
import type { ExplainedField, ExplainedFinding, Explanation } from "./explain.ts";
import type { Said } from "./settings.ts";

/** Characters of a value and tokens of a run that are shown. */
const MAX_TEXT = 200;
const MAX_TOKENS = 40;
/** Runs of automata shown for a layer: a language is tried in each context that a value could land in. */
const MAX_RUNS = 8;

const label = (word: string, text: string): string => `${word.padEnd(10)}${text}`;
const placeOf = (part: string, name: string | null): string =>
  name === null ? part : `${part} ${printable(name, 128)}`;

/** `meshward.yaml:3:1 sensitivity`, or that nothing was said. */
function from(said: Said | null, file: string): string {
  return said === null ? "default" : `${file}:${said.line}:${said.column} ${said.path}`;
}

function* fieldLines({ part, name, layers }: ExplainedField): Generator<string> {
  yield placeOf(part, name);
  for (const [index, { text, runs }] of layers.entries()) {
    // Names of parameters are judged as values of their own.
    const first = part !== "path" && text === name ? "name" : "value";
    yield `  ${label(index === 0 ? first : `layer ${index}`, printable(text, MAX_TEXT))}`;
    const shown = [...new Set(runs.map(({ class: language, tokens }) => `${language.padEnd(10)}${cut(tokens)}`))];
    for (const run of shown.slice(0, MAX_RUNS)) yield `    ${run}`;
    if (shown.length > MAX_RUNS) yield `    and ${shown.length - MAX_RUNS} runs more`;
  }
}

function cut(tokens: readonly string[]): string {
  const rest = tokens.length - MAX_TOKENS;
  return `${tokens.slice(0, MAX_TOKENS).join(" ")}${rest > 0 ? ` … (${rest} more)` : ""}`;
}

function* findingLines(finding: ExplainedFinding, file: string): Generator<string> {
  const { rule, confidence, threshold, where, cap, exception } = finding;
  yield `${rule}, confidence ${confidence}, in ${placeOf(where.part, where.name)}`;
  if (finding.ruleFrom !== null) yield `  a rule of the policy (${from(finding.ruleFrom, file)})`;
  yield `  ${label("evidence", printable(finding.evidence, MAX_TEXT))}`;
  if (exception !== undefined) {
    yield `  does not count: exception ${exception} (${from(finding.exceptionFrom, file)})`;
    return;
  }
  if (finding.fieldFrom !== null) yield `  stands in a declared field (${from(finding.fieldFrom, file)})`;
  if (threshold > 100) {
    yield "  decides nothing in a field of that kind";
    return;
  }
  const compared = confidence >= threshold ? "reaches" : "is below";
  yield `  ${compared} the threshold of ${threshold} (${from(finding.thresholdFrom, file)})`;
  if (cap !== "block") yield `  decides nothing: it is in ${cap} mode (${from(finding.capFrom, file)})`;
}

function decision({ verdict, mode, modeFrom, rule, score }: Explanation, file: string): string {
  const why = `mode ${mode} (${from(modeFrom, file)})`;
  if (verdict === "allow") return `allow: no finding decides; ${why}`;
  const what = rule === null ? "a limit of the policy was met" : `${rule} with ${score}`;
  if (mode === "block") return `deny: ${what}; ${why}`;
  return `deny in block mode: ${what}; here it passes: ${why}`;
}

/** The explanation; `file` is the policy's name. */
export function explanationText(explanation: Explanation, file: string): string {
  const { request, service, route, fields, findings } = explanation;
  const lines = [label("request", printable(`${request.method} ${request.path}`, MAX_TEXT))];
  if (service.from !== null) lines.push(label("workload", from(service.from, file)));
  lines.push(label("route", route.from === null ? "none" : from(route.from, file)));
  if (route.decodedFrom !== null) {
    lines.push(
      label("", `its decoded path is of ${from(route.decodedFrom, file)}; the stricter holds, point by point`),
    );
  }
  lines.push(label("mode", `${explanation.mode} (${from(explanation.modeFrom, file)})`));
  lines.push("", ...fields.flatMap((field) => [...fieldLines(field)]));
  lines.push("", ...findings.flatMap((finding) => [...findingLines(finding, file)]));
  if (findings.length === 0) lines.push("no findings");
  lines.push("", decision(explanation, file));
  return lines.join("\n");
}
