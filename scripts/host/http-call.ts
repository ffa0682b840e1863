import { HeaderMap, type Header } from "./headers.ts";
import type { RootContext } from "./root.ts";

export interface HttpCallResponse {
  headers: readonly Header[];
  body?: string | Uint8Array;
  trailers?: readonly Header[];
}

/** An HTTP request that the module made (`proxy_http_call`), waiting for an answer. */
export class HttpCall {
  readonly root: RootContext;
  readonly token: number;
  readonly cluster: string;
  readonly headers: HeaderMap;
  readonly body: Buffer;
  readonly trailers: HeaderMap;
  /** Milliseconds; 0 is none. */
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

  /** Answers, at once or, where a callback runs, as soon as it has returned. Only the first answer counts. */
  respond(response: HttpCallResponse): void {
    this.#answer(response);
  }

  /** The connection broke or the time was up. */
  fail(): void {
    this.#answer(null);
  }

  #answer(response: HttpCallResponse | null): void {
    if (this.#answered) return;
    this.#answered = true;
    const { vm } = this.root;
    const headers = response && HeaderMap.from(response.headers);
    const trailers = response?.trailers ? HeaderMap.from(response.trailers) : null;
    const bring = (): void => vm.answer(this, response, headers, trailers);
    if (vm.running) vm.defer(bring);
    else bring();
  }
}
