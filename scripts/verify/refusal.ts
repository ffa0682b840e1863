/**
 * Tells Meshward's refusal from a service's own answer, in each of the forms that it has (assembly/report/answer.ts) and
 * in that which a policy gives it.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Denial, Policy } from "../policy/schema.ts";

/** What a client was answered. */
export interface Received {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

const ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const INSTANCE = new RegExp(`\\burn:uuid:${ID}$`);
const PAGE_ID = new RegExp(`request ID:<p><code>${ID}</code>`);

/** The denials that a policy has of its own, for all proxies and for single workloads. */
export function denialsOf(policy: Policy): Denial[] {
  return [policy, ...policy.workloads].flatMap(({ denial }) => (denial === undefined ? [] : [denial]));
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Whether the text of an answer is that of a denial, with some request id in it. */
function isText({ status, body }: Received, denial: Denial): boolean {
  if (status !== denial.status) return false;
  const parts = denial.body.split("{request_id}").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(ID)}$`).test(body);
}

/** Whether Meshward refused the request. `denials`: those of its policy. */
export function isRefusal(received: Received, denials: readonly Denial[] = []): boolean {
  const { status, headers, body } = received;
  if (denials.some((denial) => isText(received, denial))) return true;
  const type = headers["content-type"] ?? "";
  if (/^application\/grpc-web\b/i.test(type)) {
    const text = /^application\/grpc-web-text\b/i.test(type) ? Buffer.from(body, "base64").toString("latin1") : body;
    return new RegExp(`grpc-status:7\r\ngrpc-message:[^\r]* urn:uuid:${ID}\r\n$`).test(text);
  }
  // Meshward's message has nothing that the protocol would escape.
  if (headers["grpc-status"] === "7") return INSTANCE.test(String(headers["grpc-message"] ?? ""));
  if (status !== 403) return false;
  if (/^text\/html\b/i.test(type)) return PAGE_ID.test(body);
  const document = json(body) as { instance?: unknown; errors?: { extensions?: { instance?: unknown } }[] } | null;
  if (/^application\/problem\+json\b/i.test(type)) return INSTANCE.test(String(document?.instance));
  if (/^application\/graphql-response\+json\b/i.test(type))
    return INSTANCE.test(String(document?.errors?.[0]?.extensions?.instance));
  return false;
}
