// Numbers of the Proxy-Wasm ABI 0.2.1, by name. Only those that the module uses.

/** What a host call answers. */
export const enum Status {
  Ok = 0,
  BadArgument = 2,
  CasMismatch = 8,
}

/** What a headers or trailers callback answers. */
export const enum HeadersAction {
  Continue = 0,
  /** Holds the headers. Body callbacks go on only where the plugin has `allow_on_headers_stop_iteration`. */
  StopIteration = 1,
}

/** What a body callback answers. */
export const enum BodyAction {
  Continue = 0,
  /**
   * Holds the body with back-pressure: at Envoy's buffer limit the client is read no further. The ABI's own Pause (1) answers 413
   * there, and a single chunk may be as large as the limit. Envoy passes the number through to its `FilterDataStatus`.
   */
  StopIterationAndWatermark = 2,
}

export const enum HeaderMap {
  HttpRequestHeaders = 0,
  HttpResponseHeaders = 2,
  /** Of the answer to a call of the module's own, in the callback that brings it. */
  HttpCallResponseHeaders = 6,
}

export const enum Buffer {
  HttpRequestBody = 0,
  HttpResponseBody = 1,
  HttpCallResponseBody = 4,
  PluginConfiguration = 7,
}

export const enum StreamType {
  HttpRequest = 0,
}

export const enum LogLevel {
  Trace = 0,
  Info = 2,
  Warn = 3,
  Error = 4,
}

export const enum MetricType {
  Counter = 0,
  Gauge = 1,
  Histogram = 2,
}
