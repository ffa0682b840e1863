/**
 * Answers a registry's challenge (RFC 9110, 11.6.1): Basic, or a token from the realm that it names
 * (https://distribution.github.io/distribution/spec/auth/token/). Credentials go to the registry or that realm, over TLS, or in clear only
 * where the registry itself is spoken to so.
 */
import type { Credentials } from "./credentials.ts";
import type { Reference } from "./reference.ts";
import { readText, send } from "./send.ts";

const TIMEOUT_MILLISECONDS = 30_000;
/** The name by which a realm knows the program. */
const CLIENT = "meshward";

export interface Authorizer {
  /** The value of `Authorization`, once a challenge was answered. */
  header(): string | null;
  authorize(challenges: string): Promise<void>;
  /** What a refusal means. */
  explain(status: 401 | 403): string;
}

interface Place {
  credentials: Credentials | null;
  credentialsPlace: string;
}

export function createAuthorizer(
  base: URL,
  to: Reference,
  isPlain: boolean,
  { credentials, credentialsPlace }: Place,
): Authorizer {
  let header: string | null = null;
  const explain = (status: 401 | 403): string => {
    if (credentials === null) return `it wants credentials, and ${credentialsPlace} has none for ${to.registry}`;
    const what = status === 401 ? "are refused" : "may not push there";
    return `the credentials for ${to.registry} in ${credentialsPlace} ${what}`;
  };

  return {
    header: () => header,
    explain,
    authorize: async (challenges) => {
      const bearer = parametersOf(challenges, "Bearer");
      if (bearer === null) {
        if (parametersOf(challenges, "Basic") === null)
          throw new Error(`${to.registry}: asks for credentials in no known way`);
        header = credentials === null || "identityToken" in credentials ? null : basic(credentials);
        return;
      }
      const { realm, service } = bearer;
      if (realm === undefined || !URL.canParse(realm, base.href))
        throw new Error(`${to.registry}: names no place for tokens`);
      const url = new URL(realm, base);
      if (url.protocol !== "https:" && !(isPlain && url.protocol === "http:")) {
        throw new Error(`${to.registry}: hands out tokens by ${url.protocol}//, not by https`);
      }
      header = `Bearer ${await tokenFrom(url, service)}`;
    },
  };

  async function tokenFrom(url: URL, service: string | undefined): Promise<string> {
    const asked: Record<string, string> = {
      ...(service === undefined ? {} : { service }),
      scope: `repository:${to.repository}:pull,push`,
    };
    let response: Response;
    if (credentials !== null && "identityToken" in credentials) {
      const { identityToken: refresh_token } = credentials;
      const form = new URLSearchParams({ ...asked, grant_type: "refresh_token", refresh_token, client_id: CLIENT });
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      response = await send(url.host, url, { method: "POST", headers, body: form.toString() }, TIMEOUT_MILLISECONDS);
    } else {
      for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
      const headers: Record<string, string> = credentials === null ? {} : { authorization: basic(credentials) };
      response = await send(url.host, url, { method: "GET", headers }, TIMEOUT_MILLISECONDS);
    }
    const { status } = response;
    const text = await readText(response);
    if (status === 401 || status === 403) throw new Error(`${to.registry}/${to.repository}: ${explain(status)}`);
    const token = status === 200 ? tokenIn(text) : null;
    if (token === null) throw new Error(`${url.host}: gives no token for ${to.registry}: answered ${status}`);
    return token;
  }
}

const basic = ({ username, password }: { username: string; password: string }): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;

/** The token in an answer, if it can stand in a header. */
function tokenIn(text: string): string | null {
  try {
    const { token, access_token } = JSON.parse(text) as { token?: unknown; access_token?: unknown };
    const found = token ?? access_token;
    return typeof found === "string" && /^[\x21-\x7e]{1,65536}$/.test(found) ? found : null;
  } catch {
    return null;
  }
}

/** The parameters of a scheme's challenge among those of a header; null where it is not among them. */
function parametersOf(challenges: string, scheme: string): Record<string, string> | null {
  const found = new RegExp(`(?:^|,\\s*)${scheme}(?:\\s+(.*))?$`, "is").exec(challenges);
  if (found === null) return null;
  const parameters: Record<string, string> = {};
  // Up to the next scheme, which is a word without a value.
  const parameter = /\s*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|$)/y;
  const text = found[1] ?? "";
  for (let match = parameter.exec(text); match !== null; match = parameter.exec(text)) {
    parameters[match[1]!.toLowerCase()] = match[2]?.replace(/\\(.)/g, "$1") ?? match[3]!;
  }
  return parameters;
}
