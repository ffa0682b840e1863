import { HeaderMap, type Header } from "./headers.ts";

export interface RequestInit {
  /** Default GET. */
  method?: string;
  /** Path with query, as bytes or as text meaning its UTF-8 bytes. Default "/". */
  path?: string | Uint8Array;
  /** In any case and order, repeats kept. The first `host` becomes `:authority`; pseudo headers may stand here as well. */
  headers?: readonly Header[];
  /** Default "http". */
  scheme?: string;
  /** Default "HTTP/1.1". */
  protocol?: string;
}

/** The header map that Envoy's codec would make: pseudo headers first, then the rest as it came. */
export function requestHeaders({ method = "GET", path = "/", headers = [], scheme = "http" }: RequestInit): HeaderMap {
  const map = new HeaderMap();
  let host = headers.findIndex(([name]) => name.toLowerCase() === ":authority");
  if (host < 0) host = headers.findIndex(([name]) => name.toLowerCase() === "host");
  map.add(":authority", headers[host]?.[1] ?? "localhost");
  map.add(":path", path);
  map.add(":method", method);
  map.add(":scheme", scheme);
  headers.forEach(([name, value], i) => {
    if (i !== host) map.add(name, value);
  });
  return map;
}
