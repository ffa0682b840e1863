/** One HTTP request to a registry or to who gives out tokens for it: bounded in time and size, and its faults in words. */

/** What may be otherwise the next time. */
export class Passing extends Error {
  readonly waitMilliseconds: number;
  constructor(message: string, waitMilliseconds = 0, options?: ErrorOptions) {
    super(message, options);
    this.waitMilliseconds = waitMilliseconds;
  }
}

const MAX_TEXT_BYTES = 1_048_576;
const PASSING_STATUS: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

const FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "the connection was closed",
  UND_ERR_SOCKET: "the connection was closed",
  UND_ERR_CONNECT_TIMEOUT: "no connection in time",
  ENOTFOUND: "the name is not known",
  EAI_AGAIN: "the name is not known",
  EHOSTUNREACH: "no way to the host",
  ENETUNREACH: "no way to the host",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS; --plain-http is for a registry without",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "it does not speak TLS; --plain-http is for a registry without",
};

/** Sends; `who` is named in errors. A redirect is an answer like any other. */
export async function send(
  who: string,
  url: URL,
  { method, headers, body }: { method: string; headers: Record<string, string>; body?: Uint8Array | string },
  milliseconds: number,
): Promise<Response> {
  const signal = AbortSignal.timeout(milliseconds);
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      redirect: "manual",
      signal,
    });
  } catch (error) {
    if (signal.aborted) throw new Passing(`${who}: no answer in ${Math.round(milliseconds / 1000)} s`);
    const { code, message } = faultOf(error);
    const isTls = /^ERR_SSL|CERT|SIGNATURE|^UNABLE_TO/.test(code);
    const line = `${who}: ${FAULTS[code] ?? (isTls ? `its certificate or TLS: ${message}` : message)}`;
    throw isTls || code === "ENOTFOUND" ? new Error(line, { cause: error }) : new Passing(line, 0, { cause: error });
  }
  if (!PASSING_STATUS.has(response.status)) return response;
  await readText(response);
  const seconds = Number(response.headers.get("retry-after") ?? 0);
  throw new Passing(`${who}: answered ${response.status}`, Number.isFinite(seconds) ? seconds * 1000 : 0);
}

/** What lies behind fetch's "fetch failed"; of several addresses, the first one's. */
function faultOf(error: unknown): { code: string; message: string } {
  let { cause = error } = error as Error;
  if (cause instanceof AggregateError && cause.errors.length > 0) cause = cause.errors[0];
  const { code = "", message = "" } = cause as NodeJS.ErrnoException;
  return { code, message: message.split("\n")[0]! };
}

/** The text of an answer; a longer one than anybody needs is an error. */
export async function readText(response: Response): Promise<string> {
  if (response.body === null) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > MAX_TEXT_BYTES) throw new Error("answered more than 1 MiB");
      chunks.push(chunk);
    }
  } catch (error) {
    throw size > MAX_TEXT_BYTES ? error : new Passing("the answer broke off", 0, { cause: error });
  }
  return Buffer.concat(chunks).toString("utf8");
}
