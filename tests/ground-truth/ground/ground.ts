/** What the three services stand on: a planted disk, a tame shell, a small network and a real database. */
import { join } from "node:path";
import { readInside } from "../../../scripts/demo/fence/files.ts";
import { TameShell } from "../../../scripts/demo/fence/shell.ts";
import { Database } from "./database.ts";
import { plantFiles, removeFiles, SHELL_FOLDER } from "./files.ts";
import { callNeighbour, fetchNamed } from "./network.ts";
import type { Addresses, Answer, Ask } from "./network.ts";
import { Witnesses } from "./witness.ts";

export interface Ground {
  readonly folder: string;
  readonly database: Database;
  readonly witnesses: Witnesses;
  /** The text of a file of the planted disk, whose root is "/"; rejects with a `status` where there is none. */
  readFile(path: string): Promise<string>;
  /** What a command line prints. */
  shell(line: string): Promise<string>;
  stop(): Promise<void>;
}

export async function buildGround(): Promise<Ground> {
  const witnesses = new Witnesses();
  const [folder, database] = await Promise.all([plantFiles(), Database.start(witnesses)]);
  const shell = new TameShell(join(folder, SHELL_FOLDER));
  return {
    folder,
    database,
    witnesses,
    async readFile(path) {
      const text = await readInside(folder, path);
      witnesses.saw("file", path);
      return text;
    },
    shell(line) {
      witnesses.saw("shell", line);
      return shell.run(line);
    },
    async stop() {
      await shell.stop();
      await database.stop();
      await removeFiles(folder);
    },
  };
}

export type ServiceName = "edge" | "catalogue" | "orders";

/** What one service is given: the ground, and the way to its neighbours. */
export interface Place {
  readonly name: ServiceName;
  readonly ground: Ground;
  /** Asks a neighbour by its base URL. */
  call(neighbour: keyof Addresses, path: string, ask?: Ask): Promise<Answer>;
  /** Asks whoever a URL names. */
  fetch(url: string, ask?: Ask): Promise<Answer>;
}

/** What one service asked another, or somebody outside, and what it was told. */
export interface InnerExchange {
  from: ServiceName;
  /** Whoever answered; of those outside, only a name of the URL. */
  to: keyof Addresses | null;
  host: string;
  path: string;
  ask: Ask;
  answer: Answer;
}

/** `addresses` is asked at each call: a proxy may be put in between while the shop runs. */
export const makePlace = (
  name: ServiceName,
  ground: Ground,
  addresses: () => Addresses,
  observe: (exchange: InnerExchange) => void,
): Place => ({
  name,
  ground,
  async call(neighbour, path, ask = {}) {
    const answer = await callNeighbour(addresses(), neighbour, path, ask);
    observe({ from: name, to: neighbour, host: neighbour, path, ask, answer });
    return answer;
  },
  async fetch(url, ask = {}) {
    ground.witnesses.saw("fetch", `${ask.method ?? "GET"} ${url}`);
    const answer = await fetchNamed(addresses(), url, ask);
    const { host, pathname, search } = new URL(url);
    observe({ from: name, to: null, host, path: pathname + search, ask, answer });
    return answer;
  },
});
