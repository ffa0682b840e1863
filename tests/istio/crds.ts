/**
 * Holds a resource against the definition of its kind, as an API server does: the structural schema, with unknown fields refused (a server
 * drops them, which is worse), then the rules in CEL (`x-kubernetes-validations`) at each value that has some.
 */
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Environment } from "@marcbachmann/cel-js";
import { Ajv } from "ajv";
import type { ValidateFunction } from "ajv";
import { parse } from "yaml";

export const CRD_FOLDER = join(dirname(fileURLToPath(import.meta.url)), "crds");

interface Rule {
  rule: string;
  message?: string;
}

/** A structural schema of Kubernetes. */
export interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | false;
  items?: Schema;
  "x-kubernetes-validations"?: Rule[];
  "x-kubernetes-preserve-unknown-fields"?: boolean;
  "x-kubernetes-list-map-keys"?: string[];
  "x-kubernetes-int-or-string"?: boolean;
  nullable?: boolean;
  [key: string]: unknown;
}

/** A file of crds/. */
export interface Definition {
  apiVersion: string;
  kind: string;
  scope: string;
  spec: Schema;
}

export interface Resource {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
  spec: unknown;
}

/** Keywords of Kubernetes, which mean nothing to a validator of JSON Schema. */
const isKubernetes = (key: string): boolean => key.startsWith("x-kubernetes-");

/** The same as JSON Schema in which unknown fields are errors. */
function closed(schema: Schema): Record<string, unknown> {
  const { properties, additionalProperties, items, nullable, ...others } = schema;
  const result: Record<string, unknown> = Object.fromEntries(
    Object.entries(others).filter(([key]) => !isKubernetes(key) && key !== "format"),
  );
  if (nullable === true) result.nullable = true;
  if (items !== undefined) result.items = closed(items);
  if (properties !== undefined) {
    result.properties = Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, closed(value)]));
  }
  if (additionalProperties) result.additionalProperties = closed(additionalProperties);
  else if (schema.type === "object" && !schema["x-kubernetes-preserve-unknown-fields"]) {
    result.additionalProperties = false;
  }
  return result;
}

class CelUrl {
  readonly url: URL;
  constructor(url: URL) {
    this.url = url;
  }
}

/** An absolute URI, or a path, as Go's `url.ParseRequestURI` takes it. */
const isUrl = (text: string): boolean => text.startsWith("/") || URL.canParse(text);

/** CEL with those of Kubernetes' functions that the rules use. */
const cel = new Environment({ unlistedVariablesAreDyn: true })
  .registerType("URL", CelUrl)
  .registerFunction("isURL(string): bool", isUrl)
  .registerFunction("url(string): URL", (text: string) => new CelUrl(new URL(text, "none:")))
  .registerFunction("URL.getScheme(): string", ({ url }: CelUrl) =>
    url.protocol === "none:" ? "" : url.protocol.slice(0, -1),
  );

/** A value as CEL has it: whole numbers where the schema says so. */
function celValue(value: unknown, schema: Schema | undefined): unknown {
  if (typeof value === "number" && schema?.type === "integer") return BigInt(value);
  if (Array.isArray(value)) return value.map((entry) => celValue(entry, schema?.items));
  if (typeof value !== "object" || value === null) return value;
  const of = (key: string): Schema | undefined =>
    schema?.properties?.[key] ?? (schema?.additionalProperties || undefined);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, celValue(inner, of(key))]));
}

/** What the rules at `value` and inside it say; each rule's own message, after its place. */
function brokenRules(value: unknown, schema: Schema, at: string): string[] {
  const broken = (schema["x-kubernetes-validations"] ?? []).flatMap(({ rule, message = rule }) =>
    cel.evaluate(rule, { self: celValue(value, schema) }) === true ? [] : [`${at}: ${message}`],
  );
  if (Array.isArray(value) && schema.items !== undefined) {
    const { items } = schema;
    const keys = schema["x-kubernetes-list-map-keys"];
    const names = value.map((entry) => JSON.stringify(keys?.map((key) => (entry as Record<string, unknown>)[key])));
    if (keys !== undefined && new Set(names).size < names.length) broken.push(`${at}: the same ${keys.join()} twice`);
    broken.push(...value.flatMap((entry, index) => brokenRules(entry, items, `${at}/${index}`)));
  } else if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      const found = schema.properties?.[key] ?? schema.additionalProperties;
      if (found) broken.push(...brokenRules(inner, found, `${at}/${key}`));
    }
  }
  return broken;
}

const ajv = new Ajv({
  allErrors: true,
  useDefaults: true,
  strict: true,
  strictTypes: false,
  strictRequired: false,
  validateFormats: false,
});
const known = new Map<string, { definition: Definition; validate: ValidateFunction }>();

function definitionOf({ apiVersion, kind }: Resource) {
  if (known.size === 0) {
    for (const file of readdirSync(CRD_FOLDER)) {
      const definition = parse(readFileSync(join(CRD_FOLDER, file), "utf8")) as Definition;
      const validate = ajv.compile(closed(definition.spec));
      known.set(`${definition.apiVersion} ${definition.kind}`, { definition, validate });
    }
  }
  return known.get(`${apiVersion} ${kind}`);
}

/** All rules of all definitions. */
export function allRules(): string[] {
  definitionOf({ apiVersion: "", kind: "", metadata: { name: "" }, spec: {} });
  const rulesOf = (schema: unknown): string[] =>
    typeof schema !== "object" || schema === null
      ? []
      : Object.entries(schema).flatMap(([key, value]) =>
          key === "x-kubernetes-validations" ? (value as Rule[]).map(({ rule }) => rule) : rulesOf(value),
        );
  return [...new Set([...known.values()].flatMap(({ definition }) => rulesOf(definition.spec)))];
}

/** Whether the rule is one that we can read. */
export const readsRule = (rule: string): boolean => cel.check(rule).valid;

const OUTER_KEYS = ["apiVersion", "kind", "metadata", "spec"];

/** What is wrong with a resource, a line each; none where an API server would take it as it stands. */
export function faults(resource: Resource): string[] {
  const found = definitionOf(resource);
  if (found === undefined) return [`${resource.apiVersion} ${resource.kind}: no such kind`];
  const { definition, validate } = found;
  const outer = Object.keys(resource).filter((key) => !OUTER_KEYS.includes(key));
  const unknown = outer.map((key) => `/${key}: unknown field`);
  if (definition.scope === "Namespaced" && !resource.metadata.namespace) unknown.push("/metadata: no namespace");
  const spec = structuredClone(resource.spec);
  // Puts in the defaults, as a server does before it asks the rules.
  validate(spec);
  const structural = (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `/spec${instancePath}: ${message} ${JSON.stringify(params)}`,
  );
  // Rules hold for what has the right structure.
  return [...unknown, ...structural, ...(structural.length === 0 ? brokenRules(spec, definition.spec, "/spec") : [])];
}
