// What putting the filter into a proxy that runs, and taking it out, does to connections that are kept: docs/turn-off.md tells it. Envoy does
// so at each change of a listener, whatever filter it is about.

import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request, type IncomingMessage } from "node:http";
import { before, describe, it } from "node:test";
import {
  assertServed,
  BLOCK,
  DETECT,
  HARMLESS,
  pushed,
  QUERY,
  START_MILLISECONDS,
  underLoad,
  type Images,
} from "./front.ts";
import { guard, withGateway } from "./gateway.ts";
import { noMesh } from "./mesh.ts";

/** Istio's default is 45 s. */
const DRAIN_SECONDS = 6;
/** How far its end may be off. */
const TOLERANCE_SECONDS = 2;
/** Longer than until the end of the drain, and well within it. */
const LONG = `/items?wait=${(DRAIN_SECONDS + 6) * 1000}`;
const SHORT = `/items?wait=${(DRAIN_SECONDS - 4) * 1000}`;

interface Answered {
  /** 0 where the connection was cut. */
  status: number;
  isToldToClose: boolean;
  /** The client's port, by which connections are told apart. */
  connection: number;
}

/** One connection after the other, each kept as long as Envoy lets it. */
class Client {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  async ask(path: string): Promise<Answered> {
    const sent = request({ host: "127.0.0.1", port: this.#port, path, agent: this.#agent }).end();
    let connection = 0;
    sent.once("socket", (socket) => {
      if (socket.connecting) socket.once("connect", () => (connection = socket.localPort!));
      else connection = socket.localPort!;
    });
    try {
      const [response] = (await once(sent, "response")) as [IncomingMessage];
      const answered = {
        status: response.statusCode!,
        isToldToClose: response.headers.connection === "close",
        connection,
      };
      await once(response.resume(), "end");
      return answered;
    } catch {
      return { status: 0, isToldToClose: false, connection };
    }
  }

  stop(): void {
    this.#agent.destroy();
  }
}

describe("connections that are kept", { skip: noMesh }, () => {
  let images: Images;
  before(async () => (images = await pushed()));

  it("keep the filters that they began with, are told to close, and are cut when the drain ends", async () => {
    const resources = await guard(BLOCK, images.compat);
    const drainDuration = `${DRAIN_SECONDS}s`;
    const work = async ({ istiod, proxy }: Parameters<Parameters<typeof withGateway>[2]>[0]): Promise<void> => {
      for (const [change, old, fresh] of [
        [resources, 200, 403],
        [null, 403, 200],
      ] as const) {
        const [kept, short, long] = [new Client(proxy.port), new Client(proxy.port), new Client(proxy.port)];
        try {
          const clients = [kept, short, long];
          const began = await Promise.all(clients.map((client) => client.ask(HARMLESS)));
          assert.deepEqual(
            began.map(({ status, isToldToClose }) => [status, isToldToClose]),
            clients.map(() => [200, false]),
          );
          // Both are under way when the change comes.
          const [finished, cut] = [short.ask(SHORT), long.ask(LONG)];
          let end = 0;
          const statuses = await underLoad(proxy, async () => {
            const start = Date.now();
            await istiod.apply("module", change);
            await proxy.answers(fresh, QUERY, {}, START_MILLISECONDS);
            // The connection of before has the filters of before, once more.
            const [first, second] = [await kept.ask(QUERY), await kept.ask(QUERY)];
            assert.deepEqual(first, { status: old, isToldToClose: true, connection: began[0]!.connection });
            assert.equal(second.status, fresh);
            assert.notEqual(second.connection, first.connection);
            assert.equal((await finished).status, 200);
            const { status, connection } = await cut;
            assert.deepEqual([status, connection], [0, began[2]!.connection]);
            end = (Date.now() - start) / 1000;
          });
          assert.ok(Math.abs(end - DRAIN_SECONDS) < TOLERANCE_SECONDS, `cut after ${end} s`);
          // Who closes when told to sees none of that.
          assertServed(statuses);
        } finally {
          for (const client of [kept, short, long]) client.stop();
        }
      }
    };
    await withGateway(images.registry, {}, work, { drainDuration });
  });

  it("stay where the policy changes, or the image", async () => {
    const start = { module: await guard(DETECT, images.compat) };
    await withGateway(images.registry, start, async ({ istiod, proxy }) => {
      await proxy.answers(200, QUERY, {}, START_MILLISECONDS);
      const kept = new Client(proxy.port);
      try {
        const { connection } = await kept.ask(QUERY);
        const asks = async (status: number): Promise<void> =>
          assert.deepEqual(await kept.ask(QUERY), { status, isToldToClose: false, connection });
        await asks(200);
        await istiod.apply("module", await guard(BLOCK, images.compat));
        await proxy.answers(403, QUERY);
        await asks(403);
        await istiod.apply("module", await guard(DETECT, images.artifact));
        await proxy.answers(200, QUERY, {}, START_MILLISECONDS);
        await asks(200);
        const fetched = proxy.log().includes(images.artifact.split("@")[1]!);
        assert.ok(fetched, "the other image was not asked for");
      } finally {
        kept.stop();
      }
    });
  });
});
