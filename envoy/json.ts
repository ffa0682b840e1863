/** How pieces of Envoy's configuration are written. */
import type { Address } from "./options.ts";

/** JSON as Envoy reads it from YAML. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export type JsonObject = { [key: string]: Json };

export const API = "type.googleapis.com/envoy";

export const typed = (name: string, fields: JsonObject = {}): JsonObject => ({ "@type": `${API}.${name}`, ...fields });

export const socketAddress = ({ host, port }: Address): JsonObject => ({
  socket_address: { address: host, port_value: port },
});

/** `root/file`, or the file alone where Envoy is started inside. */
export const below = (root: string, file: string): string =>
  root === "." ? file : `${root.replace(/\/+$/, "")}/${file}`;
