/** The module, or whoever drives the host, broke the Proxy-Wasm ABI; the message says which call and what was wrong. */
export class HostError extends Error {
  override readonly name = "HostError";
}
