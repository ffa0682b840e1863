/**
 * What was acknowledged stays, whatever happens to the process, and what was not is whole or absent. $MESHWARD_TEST_KILLS says how often
 * it is killed.
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Finding, Findings } from "../../collector/api.ts";
import { lockFolder, LockedError } from "../../collector/lock.ts";
import { noPostgres, postgres, startPostgres, temporaryFolder } from "./databases.ts";
import { send, startCommand, storedByName } from "./running.ts";

const KILLS = Number(process.env.MESHWARD_TEST_KILLS ?? 4);
/** Events of a request: all of them are stored, or none. */
const EVENTS = 7;

async function killed(database: string): Promise<void> {
  const acknowledged = new Set<string>();
  let sent = 0;
  for (let round = 0; round <= KILLS; round++) {
    const running = await startCommand(database);
    const stored = await storedByName(running);
    for (const name of acknowledged) assert.equal(stored.get(name), EVENTS, `${name} is lost after ${round} kills`);
    for (const [name, count] of stored) assert.equal(count, EVENTS, `${name} is not whole`);
    if (stored.size > 0) {
      const { findings } = await running.get<Findings>("/api/v1/findings");
      const counted = findings.reduce((sum: number, { count }: Finding) => sum + count, 0);
      assert.equal(counted, stored.size * EVENTS, "findings and events differ");
    }
    if (round === KILLS) {
      console.log(`${KILLS} kills, ${sent} requests sent, ${acknowledged.size} acknowledged, ${stored.size} stored`);
      // A proper end is one, too.
      assert.equal(await running.end("SIGTERM"), 0);
      break;
    }
    // At any moment behind the first answer.
    const before = acknowledged.size;
    const kill = (async (): Promise<unknown> => {
      while (acknowledged.size === before) await sleep(5);
      await sleep(Math.random() * 1_000);
      return running.end("SIGKILL");
    })();
    const sender = async (): Promise<void> => {
      while (running.child.exitCode === null && running.child.signalCode === null) {
        const name = `n${sent++}`;
        if ((await send(running.url, name, EVENTS, `p${sent % 5}`)) === 200) acknowledged.add(name);
        else return;
      }
    };
    await Promise.all([kill, sender(), sender(), sender()]);
  }
  assert.ok(acknowledged.size >= KILLS, `${acknowledged.size} requests were acknowledged`);
}

test("kill -9 in the middle of a stream of events loses nothing that was acknowledged (PGlite)", async () => {
  await killed(join(temporaryFolder("kill"), "new", "data"));
});

test(
  "kill -9 in the middle of a stream of events loses nothing that was acknowledged (PostgreSQL)",
  { skip: noPostgres },
  async () => {
    await killed(await (await postgres()).newUrl());
  },
);

test("a disk without room is told to the sender, and all goes on when there is room again", async () => {
  const folder = temporaryFolder("full");
  const preload = join(import.meta.dirname, "full-disk.mjs");
  const rooms = [0, 20_000, 300_000];
  const acknowledged: string[] = [];
  const full = join(temporaryFolder("flag"), "full");
  process.env.MESHWARD_TEST_FULL = full;
  const running = await startCommand(folder, preload);
  assert.equal(await send(running.url, "first", EVENTS), 200);
  acknowledged.push("first");
  for (const room of rooms) {
    writeFileSync(full, String(room));
    let refused = 0;
    for (let at = 0; at < 200 && refused < 3; at++) {
      const name = `r${room}-${at}`;
      const status = await send(running.url, name, EVENTS * 40, `p${at}`);
      if (status === 200) acknowledged.push(name);
      else {
        assert.equal(status, 503, running.errors());
        refused++;
      }
    }
    assert.equal(refused, 3, `with room for ${room} bytes nothing was refused`);
    assert.equal((await fetch(`${running.url}/openapi.json`)).status, 200);
    rmSync(full);
    const deadline = Date.now() + 60_000;
    while ((await send(running.url, `again${room}`, EVENTS)) !== 200) {
      assert.ok(Date.now() < deadline, `it did not go on: ${running.errors()}`);
      await sleep(200);
    }
    acknowledged.push(`again${room}`);
    const stored = await storedByName(running);
    for (const name of acknowledged) assert.ok((stored.get(name) ?? 0) >= EVENTS, `${name} is lost with room ${room}`);
  }
  assert.equal(await running.end("SIGTERM"), 0);
});

test("two collectors cannot have one folder open; a lock that a dead one left is taken over", async () => {
  const folder = temporaryFolder("lock");
  const running = await startCommand(folder);
  await assert.rejects(startCommand(folder), /is in use by another collector \(process \d+\)/);
  await running.end("SIGKILL");
  const lock = join(folder, "meshward.lock");
  assert.match(readFileSync(lock, "utf8"), /"pid":\d+/);
  const unlock = await lockFolder(folder);
  await assert.rejects(lockFolder(folder), LockedError);
  await unlock();
  // Many at once over a dead one's lock: one gets it.
  for (const text of [JSON.stringify({ place: "elsewhere", pid: 1, started: "", id: "x" }), "{", ""]) {
    const many = temporaryFolder("locks");
    writeFileSync(join(many, "meshward.lock"), text);
    const isLive = text.length > 1;
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(many)));
    const got = results.filter(({ status }) => status === "fulfilled");
    // What another machine renewed just now is alive.
    assert.equal(got.length, isLive ? 0 : 1, text);
    for (const result of got) await (result as PromiseFulfilledResult<() => Promise<void>>).value();
  }
});

test("PostgreSQL that ends and comes back is told to the sender, and all goes on", { skip: noPostgres }, async () => {
  const server = await startPostgres();
  const running = await startCommand(await server.newUrl());
  assert.equal(await send(running.url, "before", EVENTS), 200);
  await server.stop("SIGQUIT");
  assert.equal(await send(running.url, "down", EVENTS), 503);
  assert.equal((await fetch(`${running.url}/healthz`)).status, 503);
  await server.start();
  const deadline = Date.now() + 30_000;
  while ((await send(running.url, "after", EVENTS)) !== 200) {
    assert.ok(Date.now() < deadline, running.errors());
    await sleep(100);
  }
  assert.equal((await fetch(`${running.url}/healthz`)).status, 200);
  const stored = await storedByName(running);
  assert.deepEqual([stored.get("before"), stored.get("after")], [EVENTS, EVENTS]);
  assert.equal(await running.end("SIGINT"), 0);
});

test("what cannot be opened is told in a line", async () => {
  const folder = temporaryFolder("wrong");
  mkdirSync(join(folder, "data"));
  writeFileSync(join(folder, "data", "PG_VERSION"), "9.6\n");
  await assert.rejects(startCommand(folder), (error: Error) => {
    assert.match(error.message, /\(2\): (?:.*\n)*meshward collector: .*cannot be opened/);
    return true;
  });
  const nowhere = "postgres://nobody@127.0.0.1:1/none";
  await assert.rejects(startCommand(nowhere), /\(2\): (?:.*\n)*meshward collector: PostgreSQL: .*ECONNREFUSED/);
});
