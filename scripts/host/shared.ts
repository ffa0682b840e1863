// What the VMs of one process share: data with compare-and-swap, and queues (shared_data.cc, shared_queue.cc). Both are kept by
// vm_id and never deleted, as in Envoy.

export interface SharedValue {
  value: Buffer;
  /** Changes with every write and is never 0. */
  cas: number;
}

/** Shared data by vm_id and key. */
export class SharedData {
  readonly #values = new Map<string, Map<string, SharedValue>>();
  #cas = 0;

  get(vmId: string, key: string): SharedValue | undefined {
    return this.#values.get(vmId)?.get(key);
  }

  /** Writes a copy; false where `cas` is not 0 and not the current one of an existing key. */
  set(vmId: string, key: string, value: Buffer, cas: number): boolean {
    let values = this.#values.get(vmId);
    if (values === undefined) this.#values.set(vmId, (values = new Map()));
    const present = values.get(key);
    if (present !== undefined && cas !== 0 && cas !== present.cas) return false;
    values.set(key, { value: Buffer.from(value), cas: ++this.#cas });
    return true;
  }

  /** Keys of one vm_id, for tests that bound them. */
  keys(vmId: string): string[] {
    return [...(this.#values.get(vmId)?.keys() ?? [])];
  }
}

export interface SharedQueue {
  token: number;
  items: Buffer[];
  /** Tells the queue's owner, the root context that registered last, that something waits. */
  ready: () => void;
}

/** Queues by vm_id and name; a token names one for the whole process. */
export class SharedQueues {
  readonly #byName = new Map<string, SharedQueue>();
  readonly #byToken = new Map<number, SharedQueue>();

  /** Registers or takes over a queue; what waits in it stays. */
  register(vmId: string, name: string, ready: () => void): number {
    const present = this.#byName.get(`${vmId}\0${name}`);
    if (present !== undefined) {
      present.ready = ready;
      return present.token;
    }
    const queue = { token: this.#byToken.size + 1, items: [], ready };
    this.#byName.set(`${vmId}\0${name}`, queue);
    this.#byToken.set(queue.token, queue);
    return queue.token;
  }

  resolve(vmId: string, name: string): number | undefined {
    return this.#byName.get(`${vmId}\0${name}`)?.token;
  }

  byToken(token: number): SharedQueue | undefined {
    return this.#byToken.get(token);
  }
}
