/** The filter: the module with its policy, in the chain or as ECDS hands it out. */
import { API, below, typed } from "./json.ts";
import type { JsonObject } from "./json.ts";
import { ECDS_FILE, ECDS_FOLDER, FILTER_NAME, MODULE_FILE, OUTBOUND_FILE, OUTBOUND_NAME, SECRETS } from "./names.ts";
import type { CompiledPolicy, Direction } from "./options.ts";

/** What differs between the places that the filter is put into. */
export interface WasmFilterOptions {
  /** The plugin's name in Envoy's statistics and logs. */
  name: string;
  /** What the module is given: JSON. */
  configuration: string;
  /** Envoy's `AsyncDataSource` of the module. */
  code: JsonObject;
  failurePolicy: "FAIL_RELOAD" | "FAIL_OPEN" | "FAIL_CLOSED";
}

/** The Wasm filter, as standalone Envoy and the sidecars of a mesh (istio/envoy-filter.ts) have it. */
export function wasmFilterWith({ name, configuration, code, failurePolicy }: WasmFilterOptions): JsonObject {
  return typed("extensions.filters.http.wasm.v3.Wasm", {
    config: {
      name,
      root_id: FILTER_NAME,
      failure_policy: failurePolicy,
      ...(failurePolicy === "FAIL_RELOAD"
        ? { reload_config: { backoff: { base_interval: "0.1s", max_interval: "5s" } } }
        : {}),
      // Lets the module hold the headers until the body is judged; goes together with the policy's `holdHeaders`.
      allow_on_headers_stop_iteration: true,
      configuration: { "@type": "type.googleapis.com/google.protobuf.StringValue", value: configuration },
      vm_config: {
        // A VM of its own: an empty id would share the VM, and its shared data, with other plugins.
        vm_id: FILTER_NAME,
        runtime: "envoy.wasm.runtime.v8",
        code,
        // Secrets never stand in a file of configuration; those that Envoy was not given are left out.
        environment_variables: { host_env_keys: [...SECRETS] },
      },
    },
  });
}

/**
 * The Wasm filter with its policy: the ECDS resource's content. Its direction is said, since the module would have to ask Envoy about
 * each request otherwise.
 */
export function wasmFilter(compiled: CompiledPolicy, root: string, direction: Direction = "inbound"): JsonObject {
  return wasmFilterWith({
    name: FILTER_NAME,
    configuration: JSON.stringify({ ...compiled, direction }),
    code: { local: { filename: below(root, MODULE_FILE) } },
    // A crash costs the streams in flight, then the VM is made anew; FAIL_OPEN would let everything through for ever.
    failurePolicy: "FAIL_RELOAD",
  });
}

/** What ECDS calls the filter of a direction, and the file that it reads it from. */
const resourceName = (direction: Direction): string => (direction === "inbound" ? FILTER_NAME : OUTBOUND_NAME);

const resourceFile = (direction: Direction): string => (direction === "inbound" ? ECDS_FILE : OUTBOUND_FILE);

/** The file that ECDS reads: a policy for the running filter. */
export function ecdsResponse(compiled: CompiledPolicy, root: string, direction: Direction = "inbound"): JsonObject {
  return {
    version_info: compiled.policy,
    resources: [
      typed("config.core.v3.TypedExtensionConfig", {
        name: resourceName(direction),
        typed_config: wasmFilter(compiled, root, direction),
      }),
    ],
  };
}

/** The filter that ECDS fills, with the policy of today for the case that its file is missing or refused at start. */
export function discoveredFilter(compiled: CompiledPolicy, root: string, direction: Direction): JsonObject {
  return {
    name: resourceName(direction),
    config_discovery: {
      config_source: {
        resource_api_version: "V3",
        initial_fetch_timeout: "5s",
        path_config_source: {
          path: below(root, resourceFile(direction)),
          watched_directory: { path: below(root, ECDS_FOLDER) },
        },
      },
      type_urls: [`${API}.extensions.filters.http.wasm.v3.Wasm`],
      default_config: wasmFilter(compiled, root, direction),
    },
  };
}
