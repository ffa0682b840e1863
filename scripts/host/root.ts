import type { PropertyTree } from "./property.ts";
import type { Vm } from "./vm.ts";

/** A plugin as a VM sees it. */
export interface PluginIdentity {
  readonly name: string;
  readonly rootId: string;
  readonly vmId: string;
  /** The Envoy node, `{id, cluster, metadata: {…}}`. */
  readonly node: PropertyTree;
  /** Properties that every stream of the plugin has. */
  readonly properties: PropertyTree;
}

/** One configuration of a plugin, in one VM. It lives until its last reference, a worker's or a stream's, is given back. */
export class RootContext {
  readonly id: number;
  readonly vm: Vm;
  readonly plugin: PluginIdentity;
  readonly configuration: Buffer;
  /** Plugin and configuration: the same key in one VM is the same root context. */
  readonly key: string;
  readonly stream = null;
  readonly root: RootContext = this;
  references = 0;
  /** The module's `proxy_on_done` said "not yet"; `proxy_done` ends it. */
  closing = false;
  /** `proxy_on_configure` runs: only then can the configuration be read. */
  configuring = false;

  constructor(vm: Vm, plugin: PluginIdentity, configuration: Buffer, key: string) {
    this.vm = vm;
    this.id = vm.nextContextId();
    this.plugin = plugin;
    this.configuration = configuration;
    this.key = key;
  }

  release(): void {
    this.references -= 1;
    if (this.references === 0) this.vm.shutDown(this);
  }
}
