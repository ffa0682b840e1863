import { HeaderMap, type Header } from "./headers.ts";
import type { RootContext } from "./root.ts";

export interface HttpCallResponse {
  headers: readonly Header[];
  body?: string | Uint8Array;
  trailers?: readonly Header[];
}

/** Why a connection to the cluster ended, in Envoy's words. */
export type Breakage = "connection termination" | "remote connection failure";

/** An HTTP request that the module made (`proxy_http_call`), waiting for an answer. */
export class HttpCall {
  readonly root: RootContext;
  readonly token: number;
  readonly cluster: string;
  readonly headers: HeaderMap;
  readonly body: Buffer;
  readonly trailers: HeaderMap;
  /** Milliseconds until it is answered with 504; 0 is never. */
  readonly timeout: number;
  #answered = false;

  constructor(
    root: RootContext,
    token: number,
    cluster: string,
    headers: HeaderMap,
    body: Buffer,
    trailers: HeaderMap,
    timeout: number,
  ) {
    this.root = root;
    this.token = token;
    this.cluster = cluster;
    this.headers = headers;
    this.body = body;
    this.trailers = trailers;
    this.timeout = timeout;
  }

  /** Whether it waits no more: it was answered, or the root context that made it is gone. */
  get over(): boolean {
    return this.#answered || this.root.vm.failed || !this.root.vm.contexts.has(this.root.id);
  }

  /** Answers, at once or, where a callback runs, as soon as it has returned. Only the first answer counts. */
  respond(response: HttpCallResponse): void {
    this.#answer(response);
  }

  /** The connection broke before an answer: Envoy makes one of its own. */
  break(reason: Breakage): void {
    this.#answerItself("503", `upstream connect error or disconnect/reset before headers. reset reason: ${reason}`);
  }

  /** Its time is up: likewise. */
  timeOut(): void {
    this.#answerItself("504", "upstream request timeout");
  }

  /** Envoy gave up on it without an answer, as with one that outgrows its buffers. */
  fail(): void {
    this.#answer(null);
  }

  #answerItself(status: string, body: string): void {
    this.#answer({
      headers: [
        [":status", status],
        ["content-length", String(body.length)],
        ["content-type", "text/plain"],
      ],
      body,
    });
  }

  #answer(response: HttpCallResponse | null): void {
    if (this.over) return;
    this.#answered = true;
    const { vm } = this.root;
    const headers = response && HeaderMap.from(response.headers);
    const trailers = response?.trailers ? HeaderMap.from(response.trailers) : null;
    const bring = (): void => vm.answer(this, response, headers, trailers);
    if (vm.running) vm.defer(bring);
    else bring();
  }
}
