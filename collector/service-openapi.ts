/**
 * What runs of a service → an OpenAPI 3.1 document of it.
 *
 * It says what was seen and no more: no server (the names by which a service is asked are its clients' to choose), no security that nobody
 * used, and of a value's type what its text looks like. Routes that differ in the form of a placeholder alone are one path, as OpenAPI
 * wants it. Everything in it was written by attackers: names are keys of maps, never of objects that have others.
 */
import type { ParameterSighting, ServiceInventory, Sighting, StoredOperation } from "./inventory.ts";
import type { ParameterType } from "./observation.ts";

type Json = Record<string, unknown>;

/** Methods that OpenAPI 3.1 knows; others are told by an extension. */
const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
/** Headers that OpenAPI says in another way. */
const OTHERWISE = new Set(["accept", "content-type", "authorization", "cookie"]);
/** What may stand in a path as it is; all else is a placeholder. */
const LITERAL = /^[A-Za-z0-9._~-]{1,64}$/;
const PLACEHOLDER = /^\{([a-z]{1,16})\}$/;
const MEDIA_TYPE = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+*-]+$/;

/** What a placeholder's values look like; one that is not named here is any text. */
const PLACEHOLDERS = new Map<string, Json>([
  ["number", { type: "integer" }],
  ["uuid", { type: "string", format: "uuid" }],
  ["date", { type: "string", format: "date" }],
  ["hex", { type: "string", pattern: "^[0-9a-fA-F]+$" }],
]);
const TYPES = new Map<ParameterType, Json>([
  ["integer", { type: "integer" }],
  ["number", { type: "number" }],
  ["boolean", { type: "boolean" }],
  ["uuid", { type: "string", format: "uuid" }],
  ["email", { type: "string", format: "email" }],
  ["url", { type: "string", format: "uri-reference" }],
]);
const SECURITY = {
  basic: { type: "http", scheme: "basic" },
  bearer: { type: "http", scheme: "bearer" },
  cookie: { type: "apiKey", in: "cookie", name: "session", description: "a cookie; its name was not observed" },
  "api-key": { type: "apiKey", in: "header", name: "x-api-key", description: "a key; its header was not observed" },
  mtls: { type: "mutualTLS", description: "the mesh's certificate" },
} as const;
const SECURITIES = Object.keys(SECURITY) as (keyof typeof SECURITY)[];
const STATUSES = {
  "1xx": "informational",
  "2xx": "successful",
  "3xx": "redirected",
  "4xx": "an error of the client",
  "5xx": "an error of the service",
} as const;

/** The document; the same for the same inventory. */
export function serviceDocument({ service, namespace, operations }: ServiceInventory): Json {
  const own = operations.filter(({ direction, route }) => direction === "inbound" && route.startsWith("/"));
  const shapes = new Map<string, StoredOperation[]>();
  for (const operation of own) {
    const shape = `/${segmentsOf(operation.route)
      .map((segment) => (LITERAL.test(segment) ? segment : "{}"))
      .join("/")}`;
    const group = shapes.get(shape);
    if (group === undefined) shapes.set(shape, [operation]);
    else group.push(operation);
  }
  const ids = new Set<string>();
  const paths = [...shapes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([shape, group]): [string, Json] => pathItem(shape, group, ids));
  const used = SECURITIES.filter((kind) => own.some(({ authentication }) => authentication[kind] > 0));
  const newest = Math.max(0, ...own.map(({ last_seen: last }) => last.getTime()));
  return {
    openapi: "3.1.0",
    info: {
      title: namespace === "" ? service : `${namespace}/${service}`,
      version: newest === 0 ? "0" : new Date(newest).toISOString().slice(0, 10),
      description: "What runs, as Meshward has observed it in traffic: what nobody asked for is not here.",
    },
    paths: Object.fromEntries(paths),
    ...(used.length === 0
      ? {}
      : { components: { securitySchemes: Object.fromEntries(used.map((kind) => [kind, SECURITY[kind]])) } }),
  };
}

const segmentsOf = (route: string): string[] => route.slice(1).split("/");

/** The operations of a path, whose placeholders are `{}` in `shape`. */
function pathItem(shape: string, group: readonly StoredOperation[], ids: Set<string>): [string, Json] {
  const taken = new Set<string>();
  const parameters: Json[] = [];
  const path = segmentsOf(shape).map((segment, place) => {
    if (segment !== "{}") return segment;
    const forms = [
      ...new Set(group.map(({ route }) => PLACEHOLDER.exec(segmentsOf(route)[place] ?? "")?.[1] ?? "text")),
    ].sort();
    const base = forms.length === 1 ? forms[0]! : "id";
    let name = base;
    for (let at = 2; taken.has(name); at++) name = `${base}_${at}`;
    taken.add(name);
    const schemas = forms.map((form) => PLACEHOLDERS.get(form) ?? { type: "string" });
    const isAny = schemas.some((schema) => Object.keys(schema).length === 1 && schema.type === "string");
    const schema = isAny ? { type: "string" } : schemas.length === 1 ? schemas[0]! : { anyOf: schemas };
    parameters.push({ name, in: "path", required: true, schema });
    return `{${name}}`;
  });
  const others: string[] = [];
  const members: [string, Json][] = [];
  const methods = new Map<string, StoredOperation[]>();
  for (const operation of group) methods.set(operation.method, [...(methods.get(operation.method) ?? []), operation]);
  for (const [method, same] of [...methods].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const key = method.toLowerCase();
    // Methods are case sensitive: "get" is not GET.
    if (!METHODS.includes(key) || method !== method.toUpperCase()) {
      others.push(method);
      continue;
    }
    const words = [key, ...segmentsOf(shape)].map((segment) => segment.replace(/[^A-Za-z0-9]+/g, "_") || "_");
    const base = words.join("_").slice(0, 120);
    let id = base;
    for (let at = 2; ids.has(id); at++) id = `${base}_${at}`;
    ids.add(id);
    members.push([key, { operationId: id, ...operationObject(same) }]);
  }
  return [
    `/${path.join("/")}`,
    {
      ...(parameters.length === 0 ? {} : { parameters }),
      ...Object.fromEntries(members),
      ...(others.length === 0 ? {} : { "x-meshward-other-methods": others }),
    },
  ];
}

/** One operation: several routes where their placeholders differ in form. */
function operationObject(same: readonly StoredOperation[]): Json {
  const parameters = byName(same.flatMap((operation) => operation.parameters));
  const named = parameters.flatMap(({ part, name, types }) => {
    const isIgnored = part === "header" && OTHERWISE.has(name.toLowerCase());
    if (!["query", "header", "cookie"].includes(part) || isIgnored) return [];
    return [{ name, in: part, schema: schemaOf(types) }];
  });
  const body = bodyOf(same, parameters);
  const credentials = SECURITIES.filter((kind) => same.some(({ authentication }) => authentication[kind] > 0));
  const security: Json[] = credentials.map((kind) => ({ [kind]: [] }));
  if (same.some(({ authentication }) => authentication.none > 0)) security.push({});
  const times = [...same.map(({ first_seen: first }) => first), ...same.map(({ last_seen: last }) => last)];
  const at = (pick: (...values: number[]) => number): string =>
    new Date(pick(...times.map((time) => time.getTime()))).toISOString();
  return {
    ...(named.length === 0 ? {} : { parameters: named }),
    ...(body === null ? {} : { requestBody: body }),
    responses: responsesOf(same),
    ...(security.length === 0 ? {} : { security }),
    "x-meshward-first-seen": at(Math.min),
    "x-meshward-last-seen": at(Math.max),
  };
}

/** Parameters of one name and part are one, with all types. */
function byName(sightings: readonly ParameterSighting[]): { part: string; name: string; types: ParameterType[] }[] {
  const found = new Map<string, { part: string; name: string; types: ParameterType[] }>();
  for (const { part, name, types } of sightings) {
    // Names of header fields have no case.
    const key = `${part} ${part === "header" ? name.toLowerCase() : name}`;
    const before = found.get(key);
    found.set(key, { part, name, types: [...new Set([...(before?.types ?? []), ...types])] });
  }
  return [...found.values()];
}

/** The schema of values that looked like these; `{}` where nothing is known. */
function schemaOf(types: readonly ParameterType[]): Json {
  const told = types.filter((type) => type !== "empty");
  if (told.length === 0) return types.length === 0 ? {} : { type: "string" };
  // Text may be anything, dates may have a time.
  if (told.some((type) => !TYPES.has(type))) return { type: "string" };
  if (told.includes("number") && told.every((type) => type === "number" || type === "integer"))
    return { type: "number" };
  const schemas = told.map((type) => TYPES.get(type)!);
  return schemas.length === 1 ? schemas[0]! : { anyOf: schemas };
}

const typesIn = (sightings: readonly Sighting[]): string[] =>
  [...new Set(sightings.map(({ name }) => name))].filter((name) => MEDIA_TYPE.test(name)).sort();

function bodyOf(same: readonly StoredOperation[], parameters: ReturnType<typeof byName>): Json | null {
  const types = typesIn(same.flatMap((operation) => operation.request_types));
  const fields = (part: string): ReturnType<typeof byName> => parameters.filter((one) => one.part === part);
  if (types.length === 0) {
    if (fields("json").length > 0) types.push("application/json");
    if (fields("form").length > 0) types.push("application/x-www-form-urlencoded");
    if (fields("multipart").length > 0) types.push("multipart/form-data");
  }
  if (types.length === 0) return null;
  const contentOf = (type: string): Json => {
    const isJson = type === "application/json" || type.endsWith("+json");
    if (isJson && fields("json").length > 0) return { schema: treeOf(fields("json")) };
    const part = type === "multipart/form-data" ? "multipart" : type.endsWith("form-urlencoded") ? "form" : null;
    if (part === null || fields(part).length === 0) return {};
    const properties = fields(part).map(({ name, types: seen }) => [name, schemaOf(seen)]);
    return { schema: { type: "object", properties: Object.fromEntries(properties) as Json } };
  };
  return { content: Object.fromEntries(types.map((type) => [type, contentOf(type)])) };
}

interface Tree {
  members: Map<string, Tree>;
  types: ParameterType[] | null;
}

/** The schema of a JSON value whose members are named by pointers, with `*` for the places of a list. */
function treeOf(fields: ReturnType<typeof byName>): Json {
  const root: Tree = { members: new Map(), types: null };
  for (const { name, types } of fields) {
    let at = root;
    const steps = name.startsWith("/") ? name.slice(1).split("/") : [name];
    for (const step of steps.slice(0, 16)) {
      const next = at.members.get(step) ?? { members: new Map<string, Tree>(), types: null };
      at.members.set(step, next);
      at = next;
    }
    at.types = types;
  }
  return jsonSchema(root);
}

/** At most 16 deep, as treeOf makes it. */
function jsonSchema({ members, types }: Tree): Json {
  if (members.size === 0) return schemaOf(types ?? []);
  const items = members.get("*");
  const list: Json | null = items === undefined ? null : { type: "array", items: jsonSchema(items) };
  if (list !== null && members.size === 1) return list;
  const properties = [...members]
    .filter(([name]) => name !== "*")
    .map(([name, tree]) => [name.replace(/~1/g, "/").replace(/~0/g, "~"), jsonSchema(tree)]);
  const object = { type: "object", properties: Object.fromEntries(properties) as Json };
  return list === null ? object : { anyOf: [list, object] };
}

function responsesOf(same: readonly StoredOperation[]): Json {
  const classes = (Object.keys(STATUSES) as (keyof typeof STATUSES)[]).filter((name) =>
    same.some(({ statuses }) => statuses[name] > 0),
  );
  const types = typesIn(same.flatMap((operation) => operation.response_types));
  // Types are those of answers below 400.
  const content = types.length === 0 ? {} : { content: Object.fromEntries(types.map((type) => [type, {}])) };
  const responses = classes.map((name) => [
    name.toUpperCase(),
    { description: STATUSES[name], ...(name === "2xx" ? content : {}) },
  ]);
  return responses.length === 0 ? { default: { description: "not told" } } : (Object.fromEntries(responses) as Json);
}
