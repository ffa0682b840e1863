/** What runs against what a service's OpenAPI document says: endpoints that it lacks, that it calls deprecated, that answer otherwise. */
import { hasOwnCredential, isOperational, isPagePart, openAnswers } from "./access.ts";
import type { Drift } from "./api.ts";
import { documentedAs, type DocumentedOperation, type ServiceDocument } from "./document.ts";
import type { Documented } from "./endpoints.ts";
import { told } from "./findings.ts";
import type { ServiceInventory, StoredOperation } from "./inventory.ts";
import type { Check, Flaw } from "./judge.ts";

/** Documents by `service`, or `namespace/service`, which counts more. */
export type Documents = ReadonlyMap<string, ServiceDocument>;

type Named = Pick<ServiceInventory, "service" | "namespace">;

/** Flaws of one kind at a service that are told: where there are more, it is another service's document. */
const TOLD = 100;
/** Answers without a credential, from which it is no accident. */
const OPEN = 2;
/** Errors in a form of their own, and what servers say beside a redirect. */
const ANYWHERE = new Set(["application/problem+json", "application/problem+xml"]);
const BESIDE_REDIRECTS = new Set(["text/html", "text/plain"]);

const documentOf = (documents: Documents, { service, namespace }: Named): ServiceDocument | undefined =>
  documents.get(`${namespace}/${service}`) ?? documents.get(service);

/** Whether a document would have it: not what servers and frameworks answer beside. */
const isOfDocument = (operation: Pick<StoredOperation, "direction" | "method" | "route">): boolean =>
  operation.direction === "inbound" && operation.route.startsWith("/") && operation.method !== "OPTIONS";

const isAnswering = ({ statuses }: StoredOperation): boolean => statuses["2xx"] > 0;

export const documentedBy =
  (documents: Documents): Documented =>
  (service, operation) => {
    const document = documentOf(documents, service);
    if (document === undefined || !isOfDocument({ direction: "inbound", ...operation })) return null;
    const found = documentedAs(document, operation);
    return found === null ? "undocumented" : found.isDeprecated ? "deprecated" : "documented";
  };

/** The check of services that have a document. */
export const driftFlaws =
  (documents: Documents): Check =>
  (inventory) => {
    const document = documentOf(documents, inventory);
    if (document === undefined) return [];
    const counts = new Map<string, number>();
    return inventory.operations
      .filter((operation) => isOfDocument(operation) && isAnswering(operation))
      .flatMap((operation) => {
        const documented = documentedAs(document, operation);
        return documented === null ? shadow(operation) : against(operation, documented);
      })
      .filter(({ rule }) => {
        const count = (counts.get(rule) ?? 0) + 1;
        counts.set(rule, count);
        return count <= TOLD;
      });
  };

const flaw = (
  rule: string,
  operation: StoredOperation,
  confidence: number,
  evidence: string,
  parameter = "",
): Flaw => ({
  ...{ rule, stage: "likely", confidence, evidence, parameter, part: "openapi", host: "" },
  ...{ method: operation.method, route: operation.route },
});

const day = (time: Date): string => time.toISOString().slice(0, 10);

function shadow(operation: StoredOperation): Flaw[] {
  if (isPagePart(operation) || isOperational(operation.route)) return [];
  const evidence = `answered ${operation.statuses["2xx"]} times since ${day(operation.first_seen)}; not in the document`;
  return [flaw("inventory-shadow", operation, 70, evidence)];
}

function against(operation: StoredOperation, documented: DocumentedOperation): Flaw[] {
  const { method, path, isDeprecated, isSecured } = documented;
  const named = `${method} ${path}`;
  const found: Flaw[] = [];
  if (isDeprecated) {
    const callers = operation.callers.map(({ name }) => name);
    const by = callers.length === 0 ? "" : `, asked by ${callers.slice(0, 5).join(", ")}`;
    const evidence = `${named} is deprecated, and answered ${operation.statuses["2xx"]} times${by}`;
    found.push(flaw("inventory-zombie", operation, 80, evidence));
  }
  const open = openAnswers(operation);
  // With a certificate of the mesh the document may mean just that.
  if (isSecured && operation.authentication.mtls === 0 && open >= OPEN && !hasOwnCredential(operation)) {
    const evidence = `${named} wants a credential, and answered ${open} times without`;
    found.push(flaw("auth-documented-authentication", operation, 85, evidence));
  }
  for (const type of undocumentedTypes(operation, documented)) {
    const evidence = `${named} answers ${[...documented.responseTypes!].join(", ")}; it answered ${type}`;
    found.push(flaw("inventory-undocumented-type", operation, 70, evidence, type));
  }
  return found;
}

function undocumentedTypes(operation: StoredOperation, { responseTypes }: DocumentedOperation): string[] {
  if (responseTypes === null) return [];
  return operation.response_types
    .map(({ name }) => name)
    .filter((type) => {
      if (ANYWHERE.has(type) || (operation.statuses["3xx"] > 0 && BESIDE_REDIRECTS.has(type))) return false;
      const ranges = [type, `${type.split("/")[0]!}/*`, "*/*"];
      return !ranges.some((range) => responseTypes.has(range));
    });
}

/** All that differs, also where nothing is wrong with it. */
export function driftOf(documents: Documents, inventory: ServiceInventory): Drift | null {
  const document = documentOf(documents, inventory);
  if (document === undefined) return null;
  const seen = new Set<DocumentedOperation>();
  const undocumented: Drift["undocumented"] = [];
  const deprecated: Drift["deprecated"] = [];
  const differing: Drift["differing"] = [];
  for (const operation of inventory.operations.filter((one) => isOfDocument(one))) {
    const { method, route } = operation;
    const times = { first_seen: operation.first_seen.toISOString(), last_seen: operation.last_seen.toISOString() };
    const documented = documentedAs(document, operation);
    if (documented === null) {
      undocumented.push({ method, route, ...times });
      continue;
    }
    seen.add(documented);
    if (documented.isDeprecated) deprecated.push({ method, route, ...times });
    const names = documented.parameters;
    const parameters = operation.parameters
      .filter(({ part, name }) => {
        if (names === null || !["query", "header", "cookie"].includes(part)) return false;
        return !names.has(`${part} ${part === "header" ? name.toLowerCase() : name}`);
      })
      .map(({ part, name }) => ({ part, name }));
    const types = undocumentedTypes(operation, documented);
    if (parameters.length + types.length > 0) differing.push({ method, route, parameters, types });
  }
  return {
    service: inventory.service,
    namespace: told(inventory.namespace),
    documented: document.operations.length,
    ...{ undocumented, deprecated, differing },
    unseen: document.operations
      .filter((operation) => !seen.has(operation))
      .map(({ method, path }) => ({ method, path: path.slice(0, 512) })),
  };
}
