// Contexts come and go: the VM, its roots (one for each configuration in force) and their streams.

import { LogLevel } from "../abi/enums";
import { readEnvironment } from "../abi/environ";
import { actOn, fillRandom, log, setTick } from "../abi/host";
import { putText } from "../core/text";
import { RANDOM_SEED_SIZE, randomSeed } from "../report/ids";
import { configure, renewDefaults, TICK_MILLISECONDS } from "./configure";
import {
  closeSender,
  flushEvents,
  forgetSender,
  hurryEvents,
  onEventsAnswer,
  reportFindings,
  tickEvents,
} from "./events";
import { endJourney } from "./journey";
import { changeInfo, flushCounters } from "./metrics";
import { endResponse } from "./response";
import { onLog, releaseStreams, tickStreams } from "./request";
import { prepareAnswers, refillLog } from "./respond";
import { closeRoot, firstRoot, openRoot, policyOf, Root, rootOf } from "./root";
import { tickFollowing } from "./shared-notes";
import { closeStream, openStream, streamOf } from "./stream";

/** `proxy_on_vm_start`. */
export function onVmStart(): void {
  fillRandom(randomSeed(), randomSeed() + RANDOM_SEED_SIZE);
  prepareAnswers();
  if (!readEnvironment()) tellEnvironment();
}

const LINE: usize = memory.data(128);

function tellEnvironment(): void {
  log(
    LogLevel.Error,
    LINE,
    putText(LINE, "meshward: the environment of the VM is larger than 8 KiB or 64 variables, ignored"),
  );
}

/** `proxy_on_context_create`. A `rootId` of 0 says that the context is a root itself. */
export function onContextCreate(contextId: u32, rootId: u32): void {
  if (rootId == 0) openRoot(contextId);
  else openStream(contextId, changetype<usize>(rootOf(rootId)));
}

/** `proxy_on_configure`. */
export function onConfigure(rootId: u32, size: u32): bool {
  const root = rootOf(rootId);
  return root !== null && configure(root, size);
}

/**
 * `proxy_on_tick`. The host ticks each root; what is the VM's own (counters, held streams, the log's allowance) is done once a
 * second, with the newest of them.
 */
export function onTick(rootId: u32): void {
  const root = rootOf(rootId);
  if (root === null || root.arena == 0) return;
  if (!root.announced) announce(root, 1);
  if (root.onDefaults) renewDefaults(root);
  if (changetype<usize>(root) != firstConfigured()) return;
  const hurried = rootId == hurriedRoot;
  if (!hurried) {
    flushEvents();
    flushCounters();
    refillLog();
    tickStreams();
    tickFollowing();
    tickEvents();
  }
  const more = releaseStreams();
  if (more == hurried) return;
  hurriedRoot = more ? rootId : 0;
  actOn(rootId);
  setTick(more ? HURRY : TICK_MILLISECONDS);
}

/** The root whose ticks come faster than once a second, since more streams wait to be let go than one tick may; 0 for none. */
let hurriedRoot: u32 = 0;
/** Milliseconds between ticks then. */
const HURRY: u32 = 10;

/** The newest root that has a policy. */
function firstConfigured(): usize {
  let at = firstRoot;
  while (at != 0 && changetype<Root>(at).arena == 0) at = changetype<Root>(at).after;
  return at;
}

/** `proxy_on_log`. */
export function onContextLog(contextId: u32): void {
  const stream = streamOf(contextId);
  if (stream === null) return;
  // A response that broke off is judged as far as it came.
  endResponse(stream);
  onLog(stream);
  endJourney(stream);
  reportFindings(stream);
  hurryEvents();
}

/** `proxy_on_http_call_response`. */
export function onCallAnswer(rootId: u32, token: u32, size: u32): void {
  onEventsAnswer(rootId, token, size);
}

/** `proxy_on_done`: what was counted leaves before the root does, and events where they can. True: there is nothing to wait for. */
export function onDone(contextId: u32): bool {
  const root = rootOf(contextId);
  if (root === null) return true;
  flushEvents();
  flushCounters();
  if (root.announced) announce(root, -1);
  return closeSender(root);
}

/** `proxy_on_delete`. */
export function onDelete(contextId: u32): void {
  const root = rootOf(contextId);
  if (root !== null) {
    forgetSender(root);
    return closeRoot(root);
  }
  const stream = streamOf(contextId);
  if (stream !== null) closeStream(stream);
}

function announce(root: Root, change: i32): void {
  const policy = policyOf(root);
  if (policy === null) return;
  root.announced = change > 0;
  changeInfo(policy, change);
}
