/**
 * The ground truth's shop: three services with planted flaws, a partner and a cloud's metadata service, all on the
 * loopback. Run by itself it prints the addresses and stays up:
 *
 *     node --import tsx tests/ground-truth/shop.ts
 *
 * A neighbour's address is asked for at each call, so proxies may be put between the services before or after the start.
 */
import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { argv } from "node:process";
import { pathToFileURL } from "node:url";
import { catalogueService } from "./catalogue/service.ts";
import { edgeService } from "./edge/service.ts";
import { buildGround, makePlace } from "./ground/ground.ts";
import type { InnerExchange, ServiceName } from "./ground/ground.ts";
import type { Addresses } from "./ground/network.ts";
import type { Witness } from "./ground/witness.ts";
import { ordersService } from "./orders/service.ts";
import { createMetadata } from "./outside/metadata.ts";
import { createPartner } from "./outside/partner.ts";

export interface ShopOptions {
  /** Where all services find a neighbour; default: the neighbour itself. */
  edgeUrl?: string;
  catalogueUrl?: string;
  ordersUrl?: string;
  metadataUrl?: string;
  partnerUrl?: string;
  /** Where one service finds its neighbours, when each has a proxy of its own. Wins over the others. */
  from?: Partial<Record<ServiceName, Partial<Addresses>>>;
  /** Told of each exchange between the services, and with those outside. */
  observe?: (exchange: InnerExchange) => void;
  /** Ports to listen on; default: free ones. */
  ports?: Partial<Record<keyof Addresses, number>>;
}

export interface Shop {
  /** Where each service itself listens. */
  readonly addresses: Readonly<Addresses>;
  /** Puts other addresses in the neighbours' place, as in the options of the start. */
  connect(options: Omit<ShopOptions, "ports" | "observe">): void;
  /** What really happened since the last call; see `ground/witness.ts`. */
  witnesses(): Witness[];
  /** Ends everything and removes the planted files. */
  stop(): Promise<void>;
}

const defined = (addresses: Partial<Record<keyof Addresses, string | undefined>>): Partial<Addresses> =>
  Object.fromEntries(Object.entries(addresses).filter(([, url]) => url !== undefined));

async function listen(server: Server, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port }, resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Starts the shop; about two seconds, most of them the database's. */
export async function startShop(options: ShopOptions = {}): Promise<Shop> {
  const ground = await buildGround();
  const own: Addresses = { edge: "", catalogue: "", orders: "", metadata: "", partner: "" };
  let given = options;
  const addressesFor = (name: ServiceName) => (): Addresses => ({
    ...own,
    ...defined({
      edge: given.edgeUrl,
      catalogue: given.catalogueUrl,
      orders: given.ordersUrl,
      metadata: given.metadataUrl,
      partner: given.partnerUrl,
    }),
    ...given.from?.[name],
  });
  const place = (name: ServiceName) => makePlace(name, ground, addressesFor(name), options.observe ?? (() => {}));
  const serve = (listener: RequestListener): Server => createServer(listener);
  const servers: Record<keyof Addresses, Server> = {
    edge: serve(edgeService(place("edge"))),
    catalogue: serve(catalogueService(place("catalogue"))),
    orders: serve(ordersService(place("orders"))),
    metadata: createMetadata(),
    partner: createPartner(),
  };
  const stop = async (): Promise<void> => {
    await Promise.all(
      Object.values(servers).map((server) => {
        const closed = new Promise((resolve) => server.close(resolve));
        server.closeAllConnections();
        return closed;
      }),
    );
    await ground.stop();
  };
  try {
    for (const name of Object.keys(own) as (keyof Addresses)[])
      own[name] = await listen(servers[name], options.ports?.[name] ?? 0);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    addresses: own,
    connect: (next) => void (given = { ...given, ...next }),
    witnesses: () => ground.witnesses.take(),
    stop,
  };
}

if (import.meta.url === pathToFileURL(argv[1] ?? "").href) {
  const shop = await startShop();
  for (const [name, url] of Object.entries(shop.addresses)) console.log(`${name.padEnd(9)} ${url}`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void shop.stop());
}
