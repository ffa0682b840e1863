/**
 * Endpoints that answer without the credentials that their siblings want.
 *
 * What the counts say of an operation:
 *   open       it answered, with more than a redirect, requests that carried no credential of a user
 *   protected  it answered requests with one, none without, and has refused some or sent them elsewhere
 * A certificate of the mesh (mtls) says which workload asks, not who: it counts for neither.
 */
import type { ServiceInventory, StoredOperation } from "./inventory.ts";
import type { Flaw } from "./judge.ts";
import { grouped } from "./rows.ts";

/** Answers without a credential, from which an endpoint is taken for open. */
const OPEN = 1;
/** Answers with one, from which an endpoint may be taken for protected. */
const CREDENTIALED = 1;
/** Siblings that are protected, from which an open one stands out. */
const SIBLINGS = 2;

/** Methods that change nothing; those of them that frameworks answer by themselves are not judged. */
const READS = new Set(["GET", "HEAD"]);
const WRITES = new Set(["POST", "PUT", "PATCH", "DELETE"]);
/** Answered by servers and CORS layers, before anybody is asked who they are. */
const ANSWERED_BEFORE = new Set(["OPTIONS", "TRACE", "CONNECT"]);

/** Segments of places that are for everybody, or where one gets a credential first. */
const PUBLIC = new RegExp(
  `^(?:${[
    "log-?in|log-?out|log-?on|sign-?in|sign-?up|sign-?out|register|registration|join|auth|oauth2?|oidc|saml|sso|openid",
    "token|tokens|session|sessions|authenticate|authorize|callback|refresh|password|passwords|forgot.*|reset.*|verify.*|confirm.*",
    "activate.*|invite|invites|invitation|invitations|captcha|csrf.*|consent|mfa|otp|webauthn|challenge",
    "health.*|ready.*|live.*|alive|ping|status|version|info|metrics|up",
    "public|static|assets?|css|js|img|images|fonts?|media|favicon.*|robots.txt|sitemap.*|manifest.*|\\.well-known",
    "docs?|swagger.*|openapi.*|redoc|help|about|terms.*|privacy.*|contact|legal|imprint|faq|share|shared|track|tracking",
    "webhooks?|hooks?|callbacks?|notify|ipn|guest|anonymous|avatar|avatars|thumbnails?|pictures?|logo|badge",
  ].join("|")})$`,
  "i",
);
const OPERATIONAL =
  /^(?:health.*|ready.*|live.*|startup.*|ping|metrics|favicon.*|robots\.txt|\.well-known|swagger.*|openapi.*|redoc|docs|api-docs)$/i;
/** A file of a page. */
const FILE = /\.(?:css|js|mjs|map|png|jpe?g|gif|svg|webp|ico|woff2?|ttf|txt|html?|wasm)$/i;
/** Types of what pages are made of. */
const PAGE_TYPE = /^(?:image\/|font\/|text\/css$|(?:text|application)\/javascript$)/;
/** Segments that only say where the API is. */
const PREFIX = /^(?:api|rest|rpc|v\d+(?:\.\d+)?|internal|service|services|app|\{.*\})$/i;

const segmentsOf = (route: string): string[] => route.split("/").filter((segment) => segment !== "");

const answeredBy = ({ statuses }: StoredOperation): number => statuses["1xx"] + statuses["2xx"] + statuses["3xx"];

/** Answers to requests that had a credential of a user; of one with two of them it says two. */
const credentialed = ({ authentication: { basic, bearer, cookie, "api-key": apiKey } }: StoredOperation): number =>
  basic + bearer + cookie + apiKey;

/** Answers below 400, but for redirects, that had surely none: a request without any, or with the mesh's alone. */
export function openAnswers(operation: StoredOperation): number {
  const without = Math.max(operation.authentication.none, answeredBy(operation) - credentialed(operation));
  return without - operation.statuses["3xx"];
}

const isOpen = (operation: StoredOperation): boolean => openAnswers(operation) >= OPEN && !hasOwnCredential(operation);

/** Names of parameters that may hold a credential of another kind: a signed link, a password, a key of the service's own. */
const CREDENTIAL =
  /token|secret|sig(?:nature)?$|signature|api_?key|^key$|auth|hmac|jwt|passw|pwd|otp|^pin$|ticket|session|nonce/i;

export const hasOwnCredential = ({ parameters }: StoredOperation): boolean =>
  parameters.some(({ part, name }) => part !== "cookie" && CREDENTIAL.test(name));

/** Whether credentials were wanted where there were none: refused, or sent to where one signs in. */
const isRefusing = ({ authentication, statuses }: StoredOperation): boolean =>
  authentication.refused > 0 || (authentication.none > 0 && authentication.none <= statuses["3xx"]);

const isProtected = (operation: StoredOperation): boolean =>
  credentialed(operation) >= CREDENTIALED && openAnswers(operation) <= 0;

const isPublic = (operation: StoredOperation): boolean => {
  const segments = segmentsOf(operation.route);
  return segments.length === 0 || segments.some((segment) => PUBLIC.test(segment)) || isPagePart(operation);
};

/** Whether it is what pages are made of, by its name or by what it answers. */
export const isPagePart = ({ route, response_types: types }: StoredOperation): boolean =>
  FILE.test(route) || (types.length > 0 && types.every(({ name }) => PAGE_TYPE.test(name)));

/** Whether it is there for who runs the service: no document has these. */
export const isOperational = (route: string): boolean =>
  route === "/" || segmentsOf(route).some((segment) => OPERATIONAL.test(segment));

/** Whether strangers may well be meant to do this: sign up, order, subscribe, write to somebody. */
const mayBeForStrangers = ({ method, route }: StoredOperation): boolean => method === "POST" && !route.includes("{");

/** Flaws of access at a service. */
export function accessFlaws({ operations }: ServiceInventory): Flaw[] {
  const own = operations.filter(({ direction, route, method }) => {
    return direction === "inbound" && route.startsWith("/") && !ANSWERED_BEFORE.has(method);
  });
  const tampered = grouped(own, ({ route }) => route).flatMap(verbFlaws);
  const told = new Set(tampered.map(({ route }) => route));
  return [...tampered, ...siblingFlaws(own).filter(({ route }) => !told.has(route))];
}

const words = (operation: StoredOperation): string => {
  const { authentication } = operation;
  const kinds = (["basic", "bearer", "cookie", "api-key"] as const).filter((kind) => authentication[kind] > 0);
  return kinds.map((kind) => `${authentication[kind]} with ${kind}`).join(", ");
};

const flaw = (rule: string, operation: StoredOperation, confidence: number, evidence: string): Flaw => ({
  ...{ rule, stage: "likely", confidence, evidence, parameter: "", part: "authentication", host: "" },
  ...{ method: operation.method, route: operation.route },
});

/** One route: what a method refuses to strangers, another method does for them. */
function verbFlaws(group: readonly StoredOperation[]): Flaw[] {
  const strict = group.filter((operation) => isProtected(operation) && isRefusing(operation));
  return group.flatMap((operation) => {
    const { method } = operation;
    if (method === "GET" || !isOpen(operation) || isPublic(operation) || mayBeForStrangers(operation)) return [];
    // Many may write what few may read; a method that nobody defined is handled by whatever handles any.
    const isKnown = READS.has(method) || WRITES.has(method);
    const other = strict.find((one) => one.method === "GET") ?? (isKnown ? undefined : strict[0]);
    if (other === undefined) return [];
    const evidence =
      `${method} was answered ${openAnswers(operation)} times without a credential; ${other.method} was answered ` +
      `${words(other)}, never without, and refused ${other.authentication.refused} times`;
    return [flaw("auth-verb-tampering", operation, WRITES.has(method) ? 60 : 80, evidence)];
  });
}

/** An operation that may be a sibling, and its route in segments. */
interface Sibling {
  operation: StoredOperation;
  segments: readonly string[];
}

/** Open endpoints among protected ones. */
function siblingFlaws(operations: readonly StoredOperation[]): Flaw[] {
  const candidates = operations
    .filter((operation) => !isPublic(operation))
    .map((operation): Sibling => ({ operation, segments: segmentsOf(operation.route) }));
  return candidates.flatMap((one) => {
    const { operation } = one;
    if (!isOpen(operation) || mayBeForStrangers(operation)) return [];
    const found = siblingsOf(one, candidates);
    if (found === null) return [];
    const { prefix } = found;
    const siblings = withoutStrangersOwn(operation, found.siblings, prefix);
    if (!siblings.every(isProtected) || !siblings.some(isRefusing)) return [];
    const evidence =
      `answered ${openAnswers(operation)} times without a credential; the ${siblings.length} others of ${prefix} ` +
      `were never, and refused ${siblings.reduce((sum, { authentication }) => sum + authentication.refused, 0)} times: ` +
      siblings
        .slice(0, 5)
        .map(({ method, route }) => `${method} ${route}`)
        .join(", ");
    return [flaw("auth-missing-authentication", operation, 65, evidence)];
  });
}

/** Below these everything is of whoever asks. */
const OWN = /\/(?:my|me|mine|account|profile)(?:\/|$)/i;
/** Siblings that have refused, from which those for strangers are put aside. */
const REFUSING = 3;

/**
 * The siblings without those that strangers alone ask for, such as a form for anybody. They are put aside where the place is by its
 * name one's own, and the operation answers users, too: elsewhere an open page beside an open one is nothing strange.
 */
function withoutStrangersOwn(
  operation: StoredOperation,
  siblings: StoredOperation[],
  prefix: string,
): StoredOperation[] {
  if (!OWN.test(prefix) || credentialed(operation) < CREDENTIALED) return siblings;
  if (siblings.filter((one) => isProtected(one) && isRefusing(one)).length < REFUSING) return siblings;
  return siblings.filter((one) => !isOpen(one) || credentialed(one) >= CREDENTIALED);
}

/** How many segments two routes begin with alike. */
function commonOf(one: readonly string[], other: readonly string[]): number {
  let common = 0;
  while (common < one.length && one[common] === other[common]) common++;
  return common;
}

/**
 * The other routes below the longest common beginning that has enough of them: for a read the other reads, since many that anybody may
 * read few may write; for a write all. Null where nothing but the API's own prefix is common. One look at each other: whoever asks for
 * long paths makes long routes.
 */
function siblingsOf(
  { operation: { route, method }, segments }: Sibling,
  candidates: readonly Sibling[],
): { siblings: StoredOperation[]; prefix: string } | null {
  const isRead = READS.has(method);
  const near = candidates.flatMap(({ operation, segments: others }) => {
    if (operation.route === route || (isRead && !READS.has(operation.method))) return [];
    const common = commonOf(segments, others);
    // What stands below an open page may well be closed.
    return common === segments.length ? [] : [{ operation, common }];
  });
  const length = near.map(({ common }) => common).sort((a, b) => b - a)[SIBLINGS - 1] ?? 0;
  const prefix = segments.slice(0, length);
  if (prefix.every((segment) => PREFIX.test(segment))) return null;
  const siblings = near.filter(({ common }) => common >= length).map(({ operation }) => operation);
  return { siblings, prefix: `/${prefix.join("/")}` };
}
