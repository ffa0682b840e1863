/**
 * A service's OpenAPI document (3.0, 3.1 or Swagger 2.0; YAML or JSON) → its operations as they can be compared with what was observed.
 * References within the document are followed; what stands elsewhere is not read, and nothing is said of it.
 */
import { parse } from "yaml";

type Json = Record<string, unknown>;

export interface DocumentedOperation {
  /** In capitals. */
  method: string;
  /** As the document has it. */
  path: string;
  /** Names of path parameters whose values have digits: whole numbers and UUIDs. */
  digits: ReadonlySet<string>;
  isDeprecated: boolean;
  /** Whether it wants a credential of everybody, of a kind that sidecars tell apart from none. */
  isSecured: boolean;
  /** Content types of answers below 400, without parameters; null where the document does not say. */
  responseTypes: ReadonlySet<string> | null;
  /** `PART NAME` of query, header and cookie; null where one could not be read. */
  parameters: ReadonlySet<string> | null;
}

export interface ServiceDocument {
  /** Paths that may stand before each of its own, without a slash at the end; "" among them, since gateways cut them off. */
  bases: readonly string[];
  operations: readonly DocumentedOperation[];
}

/** What is wrong with a document, told to the user. */
export class DocumentError extends Error {}

const BYTES = 8 * 1024 * 1024;
const OPERATIONS = 5_000;
const BASES = 8;
const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
/** Header fields that are credentials to sidecars (assembly/inspect/exchange.ts). */
const SEEN_HEADERS = new Set(["authorization", "x-api-key", "api-key", "apikey", "x-auth-token"]);
/** References to references. */
const REFERENCES = 8;
/** Longer addresses of servers, and longer paths, are passed over. */
const URL_LENGTH = 2_048;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const members = (value: unknown): [string, unknown][] => (isObject(value) ? Object.entries(value) : []);
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** Reads a document. Throws `DocumentError`. */
export function readDocument(text: string): ServiceDocument {
  if (text.length > BYTES) throw new DocumentError(`is longer than ${BYTES / 1024 / 1024} MiB`);
  let root: unknown;
  try {
    root = parse(text);
  } catch (error) {
    throw new DocumentError((error as Error).message.split("\n")[0]);
  }
  if (!isObject(root)) throw new DocumentError("is no OpenAPI document");
  const version = typeof root.openapi === "string" ? root.openapi : String(root.swagger);
  const isOld = version === "2.0";
  if (!isOld && !/^3\.[01]\.\d+/.test(version)) throw new DocumentError("is no OpenAPI document of 2.0, 3.0 or 3.1");
  const reader = new Reader(root, isOld);
  const operations: DocumentedOperation[] = [];
  const bases = new Set(reader.basesOf(root));
  for (const [path, given] of members(root.paths)) {
    const item = reader.resolve(given);
    if (!path.startsWith("/") || path.length > URL_LENGTH || item === null) continue;
    for (const base of reader.basesOf(item)) bases.add(base);
    for (const method of METHODS) {
      const operation = item[method];
      if (!isObject(operation)) continue;
      if (operations.length >= OPERATIONS) throw new DocumentError(`has more than ${OPERATIONS} operations`);
      operations.push(reader.operation(method.toUpperCase(), path, operation, item));
    }
  }
  if (operations.length === 0) throw new DocumentError("has no operations");
  return { bases: [...new Set(["", ...bases])].slice(0, BASES), operations };
}

/** Reads parts of one document. */
class Reader {
  readonly #root: Json;
  readonly #isOld: boolean;

  constructor(root: Json, isOld: boolean) {
    this.#root = root;
    this.#isOld = isOld;
  }

  /** An object behind its references; null where it is none, or elsewhere. */
  resolve(value: unknown): Json | null {
    let found = value;
    for (let step = 0; step < REFERENCES; step++) {
      if (!isObject(found)) return null;
      const { $ref: reference } = found;
      if (typeof reference !== "string") return found;
      if (!reference.startsWith("#/")) return null;
      let at: unknown = this.#root;
      for (const part of reference.slice(2).split("/")) {
        const name = part.replace(/~1/g, "/").replace(/~0/g, "~");
        at = isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
      }
      found = at;
    }
    return null;
  }

  /** The paths of servers, with the defaults of their variables. */
  basesOf(place: Json): string[] {
    if (this.#isOld) return typeof place.basePath === "string" ? [trimmed(place.basePath)] : [];
    return list(place.servers).flatMap((server) => {
      if (!isObject(server) || typeof server.url !== "string" || server.url.length > URL_LENGTH) return [];
      const variables = isObject(server.variables) ? server.variables : {};
      const url = server.url.replace(/\{([^}]*)\}/g, (all, name: string) => {
        const variable = Object.hasOwn(variables, name) ? variables[name] : null;
        return isObject(variable) && typeof variable.default === "string" ? variable.default : all;
      });
      try {
        return [trimmed(new URL(url, "http://service").pathname)];
      } catch {
        return [];
      }
    });
  }

  operation(method: string, path: string, operation: Json, item: Json): DocumentedOperation {
    const security = list(operation.security ?? this.#root.security);
    return {
      ...{ method, path },
      digits: this.#digits(operation, item),
      isDeprecated: operation.deprecated === true,
      // An empty alternative: without any is fine.
      isSecured:
        security.length > 0 &&
        security.every((one) => isObject(one) && Object.keys(one).length > 0 && this.#isSeen(Object.keys(one))),
      responseTypes: this.#responseTypes(operation),
      parameters: this.#parameters(operation, item),
    };
  }

  get #schemes(): unknown {
    if (this.#isOld) return this.#root.securityDefinitions;
    return isObject(this.#root.components) ? this.#root.components.securitySchemes : undefined;
  }

  /** Whether sidecars see the credentials of these schemes: all but keys in a query or in a header of the service's own. */
  #isSeen(names: readonly string[]): boolean {
    const schemes = isObject(this.#schemes) ? this.#schemes : {};
    return names.every((name) => {
      const scheme = Object.hasOwn(schemes, name) ? this.resolve(schemes[name]) : null;
      if (scheme === null || scheme.type === "mutualTLS") return false;
      if (scheme.type !== "apiKey" || scheme.in === "cookie") return true;
      return scheme.in === "header" && typeof scheme.name === "string" && SEEN_HEADERS.has(scheme.name.toLowerCase());
    });
  }

  #digits(operation: Json, item: Json): Set<string> {
    const names = new Set<string>();
    for (const given of [...list(item.parameters), ...list(operation.parameters)]) {
      const parameter = this.resolve(given);
      if (parameter?.in !== "path" || typeof parameter.name !== "string") continue;
      const { type, format } = (this.#isOld ? parameter : this.resolve(parameter.schema)) ?? {};
      if (type === "integer" || (type === "string" && format === "uuid")) names.add(parameter.name);
    }
    return names;
  }

  #responseTypes(operation: Json): Set<string> | null {
    const types = new Set<string>();
    for (const [status, given] of members(operation.responses)) {
      if (!/^(?:[123]|default)/.test(status)) continue;
      const response = this.resolve(given);
      if (response === null) return null;
      const names = this.#isOld
        ? list(operation.produces ?? this.#root.produces)
        : members(response.content).map(([name]) => name);
      for (const name of names) if (typeof name === "string") types.add(mediaType(name));
    }
    return types.size === 0 ? null : types;
  }

  #parameters(operation: Json, item: Json): Set<string> | null {
    const names = new Set<string>();
    for (const given of [...list(item.parameters), ...list(operation.parameters)]) {
      const parameter = this.resolve(given);
      if (parameter === null || typeof parameter.name !== "string" || typeof parameter.in !== "string") return null;
      const isHeader = parameter.in === "header";
      names.add(`${parameter.in} ${isHeader ? parameter.name.toLowerCase() : parameter.name}`);
    }
    // Keys and cookies of security schemes are parameters too; which is whose does not matter here.
    for (const [, given] of members(this.#schemes)) {
      const scheme = this.resolve(given);
      if (scheme?.type === "apiKey" && typeof scheme.name === "string" && typeof scheme.in === "string") {
        names.add(`${scheme.in} ${scheme.in === "header" ? scheme.name.toLowerCase() : scheme.name}`);
      }
    }
    return names;
  }
}

const trimmed = (path: string): string => path.replace(/\/+$/, "");
const mediaType = (type: string): string => type.split(";")[0]!.trim().toLowerCase();

/** A route template as it was observed, of a method that a document may have. */
interface Observed {
  method: string;
  route: string;
}

/** A segment of a path of a document: a word, a placeholder, or a word with a placeholder in it. */
interface Segment {
  text: string;
  kind: "word" | "placeholder" | "both";
  /** A word that a template keeps as it is. */
  isPlain: boolean;
  /** Of a placeholder: its values have digits. */
  hasDigits: boolean;
  /** What stands before and behind the placeholder in a word. */
  start: string;
  end: string;
}

/** Operations of a method with the paths that each may be asked by, cut into segments once: routes are observed by the thousand. */
type Paths = ReadonlyMap<string, readonly { operation: DocumentedOperation; segments: readonly Segment[] }[]>;
const pathsOf = new WeakMap<ServiceDocument, Paths>();

function pathsIn(document: ServiceDocument): Paths {
  const known = pathsOf.get(document);
  if (known !== undefined) return known;
  const paths = new Map<string, { operation: DocumentedOperation; segments: readonly Segment[] }[]>();
  for (const operation of document.operations) {
    const same = paths.get(operation.method) ?? [];
    paths.set(operation.method, same);
    for (const base of document.bases) {
      const segments = segmentsOf(base + operation.path).map((text) => segmentOf(text, operation.digits));
      same.push({ operation, segments });
    }
  }
  pathsOf.set(document, paths);
  return paths;
}

/** The operation that documents what was observed: of several the one with the most words in common. Null for none. */
export function documentedAs(document: ServiceDocument, { method, route }: Observed): DocumentedOperation | null {
  const observed = segmentsOf(route);
  let best: DocumentedOperation | null = null;
  let most = -1;
  for (const { operation, segments } of pathsIn(document).get(method) ?? []) {
    const common = matching(segments, observed);
    if (common <= most) continue;
    most = common;
    best = operation;
  }
  return best ?? (method === "HEAD" ? documentedAs(document, { method: "GET", route }) : null);
}

const segmentsOf = (path: string): string[] => path.split("/").filter((segment) => segment !== "");

/** How many segments are the same word; -1 where the paths are not the same. */
function matching(documented: readonly Segment[], observed: readonly string[]): number {
  let common = 0;
  for (let at = 0; at < observed.length; at++) {
    // What was too long for a template: anything may follow.
    if (observed[at] === "{more}" && at === observed.length - 1) return documented.length > at ? common : -1;
    if (at >= documented.length || !isMatching(documented[at]!, observed[at]!)) return -1;
    if (documented[at]!.text === observed[at]) common++;
  }
  return documented.length === observed.length ? common : -1;
}

const PLACEHOLDER = /^\{[a-z]+\}$/;

function segmentOf(text: string, digits: ReadonlySet<string>): Segment {
  const first = text.indexOf("{");
  return {
    text,
    kind: /^\{[^{}]*\}$/.test(text) ? "placeholder" : first < 0 ? "word" : "both",
    // The length first: what is repeated in the expression may be cut in many ways.
    isPlain: text.length <= 32 && /^(?:[A-Za-z.]+[-_]?){1,3}$/.test(text),
    hasDigits: digits.has(text.slice(1, -1)),
    start: text.slice(0, Math.max(first, 0)),
    end: text.slice(text.lastIndexOf("}") + 1),
  };
}

function isMatching({ text, kind, isPlain, hasDigits, start, end }: Segment, observed: string): boolean {
  if (text === observed) return true;
  const isPlaceholder = observed.startsWith("{") && PLACEHOLDER.test(observed);
  if (kind === "placeholder") return isPlaceholder || !hasDigits || /\d/.test(observed);
  if (kind === "word") return isPlaceholder && !isPlain;
  return isPlaceholder || (observed.startsWith(start) && observed.endsWith(end));
}
