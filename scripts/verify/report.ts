/** The results of `meshward verify` as text for people, JUnit for CI, SARIF 2.1.0 for code scanning, or JSON. */
import type { Result } from "./verify.ts";

export const FORMATS = ["text", "junit", "sarif"] as const;
export type Format = (typeof FORMATS)[number];

export interface Report {
  results: readonly Result[];
  /** The file of the cases, as it was given. */
  file: string;
  version: string;
}

const count = (results: readonly Result[], status: Result["status"]): number =>
  results.filter((result) => result.status === status).length;

/** 0: all passed; 1: some did not; 2: some could not be run, or there are none. */
export function exitCodeOf(results: readonly Result[]): 0 | 1 | 2 {
  if (results.length === 0 || count(results, "error") > 0) return 2;
  return count(results, "failed") > 0 ? 1 : 0;
}

/** `9 passed, 1 failed, 0 could not be run`. */
export function summaryOf(results: readonly Result[]): string {
  const [passed, failed, errors] = (["passed", "failed", "error"] as const).map((status) => count(results, status));
  return `${passed} passed, ${failed} failed, ${errors} could not be run`;
}

function asText({ results, file }: Report): string {
  const lines = results
    .filter(({ status }) => status !== "passed")
    .flatMap(({ status, line, name, message, why }) => [
      `${file}:${line}: ${status} ${name}: ${message}`,
      ...(why === null ? [] : [`    ${why}`]),
    ]);
  return [...lines, summaryOf(results), ""].join("\n");
}

/** Text inside XML 1.0: markup escaped, characters that it cannot hold replaced. */
function xml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd")
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const seconds = (millis: number): string => (millis / 1000).toFixed(3);

function asJunit({ results, file }: Report): string {
  const attributes = [
    `tests="${results.length}"`,
    `failures="${count(results, "failed")}"`,
    `errors="${count(results, "error")}"`,
    `time="${seconds(results.reduce((total, { millis }) => total + millis, 0))}"`,
  ].join(" ");
  const cases = results.map(({ status, name, line, message, why, millis }) => {
    const head = `    <testcase classname="${xml(file)}" name="${xml(name)}" file="${xml(file)}" line="${line}" time="${seconds(millis)}"`;
    if (status === "passed") return `${head}/>`;
    const element = status === "failed" ? "failure" : "error";
    const body = xml(why === null ? message : `${message}\n${why}`);
    return `${head}>\n      <${element} message="${xml(message)}">${body}</${element}>\n    </testcase>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="meshward verify" ${attributes}>`,
    `  <testsuite name="${xml(file)}" ${attributes}>`,
    ...cases,
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

/** The kinds of failure as SARIF rules. */
const SARIF_RULES = {
  missed: "An attack that the policy lets through",
  refused: "A harmless request that the policy refuses",
  rule: "A rule that should have found something",
  status: "An answer with another status",
  error: "A case that could not be run",
} as const;

function asSarif({ results, file, version }: Report): string {
  const ids = Object.keys(SARIF_RULES) as (keyof typeof SARIF_RULES)[];
  const uri = file === "-" ? "stdin" : file.replaceAll("\\", "/").split("/").map(encodeURIComponent).join("/");
  const document = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "meshward verify",
            version,
            rules: ids.map((id) => ({ id, shortDescription: { text: SARIF_RULES[id] } })),
          },
        },
        // A tool that failed must not look like one that found nothing.
        invocations: [{ executionSuccessful: count(results, "error") === 0 && results.length > 0 }],
        results: results.flatMap(({ kind, name, message, why, line }) =>
          kind === null
            ? []
            : [
                {
                  ruleId: kind,
                  ruleIndex: ids.indexOf(kind),
                  level: "error",
                  message: { text: `${name}: ${message}${why === null ? "" : ` (${why})`}` },
                  locations: [{ physicalLocation: { artifactLocation: { uri }, region: { startLine: line } } }],
                },
              ],
        ),
      },
    ],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** The whole report as text. */
export function reportText(report: Report, format: Format): string {
  return { text: asText, junit: asJunit, sarif: asSarif }[format](report);
}
