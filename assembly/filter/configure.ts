// A configuration arrives: it is read, judged, and put in force for its root, or refused.
//
//   reads well                                  in force
//   does not, the plugin had a good one         refused: the last good one stays (the canary's answer)
//   does not, the plugin never had a good one   safe defaults in detect mode, a metric and a log line: never a proxy without plugin
//
// The answer is kept in shared data, so that canary, workers and a VM that was reloaded after a crash agree (policy/judged.ts).

import { Buffer, LogLevel, Status } from "../abi/enums";
import { given, givenCas, givenEnd, log, now, readBuffer, readShared, setTick, writeShared } from "../abi/host";
import { putByte, putBytes, putDecimal } from "../core/bytes";
import { Char } from "../core/char";
import { HASH_SEED, hashBytes } from "../core/hash";
import { putText } from "../core/text";
import { arenaWith, freeArena, openArena } from "../policy/arenas";
import { Answer, invalidChange, judge, openRecord, RECORD_SIZE, renewLease } from "../policy/judged";
import { Direction, Labelled, Policy } from "../policy/layout";
import { clearNode, setLabels, setNamespace, setService } from "../policy/node";
import { openDefaultPolicy, problem, problemEnd, readPolicy } from "../policy/read";
import { countOverflow, Overflow } from "../report/counters";
import { putHex, putJsonStringWithin } from "../report/json";
import { readResource } from "./events";
import { setHopService } from "./journey";
import { changeConfigInvalid } from "./metrics";
import { property, readServiceName } from "./property";
import { policyOf, retireOldPolicies, Root, setArena } from "./root";
import { beginFollowing, openKeys } from "./shared-notes";

/** The tick: counters are flushed and held streams looked after. */
export const TICK_MILLISECONDS: u32 = 1000;
/** How often a lost race for the shared record is run again. */
const ATTEMPTS: u32 = 16;
/** An arena named by this hash holds the safe defaults. */
const DEFAULTS_HASH: u64 = 1;

const LINE: usize = memory.data(512);
/** Bytes that the place of a problem may take in it. */
const PROBLEM_ROOM: usize = 256;
const KEY: usize = memory.data(64);
const RECORD: usize = memory.data(RECORD_SIZE, 8);
const HASH: usize = memory.data(8, 8);

/** Puts the root's configuration of `size` bytes in force; false refuses it. */
export function configure(root: Root, size: u32): bool {
  setTick(TICK_MILLISECONDS);
  root.plugin = pluginHash();
  readNode();
  // A size of 0 is a plugin without configuration: an empty policy. Envoy answers the read with an error then.
  const read = size == 0 || readBuffer(Buffer.PluginConfiguration, 0, size) == Status.Ok;
  const start: usize = size == 0 ? 0 : given;
  const end = read && size != 0 ? givenEnd : start;
  root.configuration = hashBytes(start, end, HASH_SEED);
  const arena = read ? arenaFor(root.configuration, start, end) : 0;
  const answer = answerFor(root, arena != 0);
  if (answer == Answer.Rejected) {
    tell(LogLevel.Error, "the last good configuration stays");
    return false;
  }
  if (answer == Answer.Good) {
    setArena(root, arena);
    if ((policyOf(root) as Policy).eventsCluster != 0) readResource();
    tellUnknownKeys(root);
    tellModeLabel(root);
    openJourneys(root);
  } else {
    setArena(root, defaultsArena());
    root.onDefaults = true;
    tell(LogLevel.Error, "safe defaults hold, in detect mode");
  }
  return root.arena != 0;
}

/** The arena with the policy of that configuration, read now unless it is there already; 0 where it is bad. */
function arenaFor(hash: u64, start: usize, end: usize): usize {
  const known = arenaWith(hash);
  if (known != 0) return known;
  const arena = roomForPolicy();
  if (arena == 0) return 0;
  openArena(arena, hash);
  if (start == end) {
    openDefaultPolicy();
    return arena;
  }
  return readPolicy(start, end) === null ? 0 : arena;
}

function defaultsArena(): usize {
  const known = arenaWith(DEFAULTS_HASH);
  if (known != 0) return known;
  const arena = roomForPolicy();
  if (arena == 0) return 0;
  openArena(arena, DEFAULTS_HASH);
  openDefaultPolicy();
  return arena;
}

function roomForPolicy(): usize {
  const free = freeArena();
  if (free != 0) return free;
  retireOldPolicies();
  return freeArena();
}

/** What is to be answered about the root's configuration, agreed upon with the other VMs of the process. */
function answerFor(root: Root, good: bool): Answer {
  const keyEnd = recordKey(root.plugin);
  const seconds = now() / 1000000000;
  for (let attempt: u32 = 0; attempt < ATTEMPTS; attempt++) {
    const cas = loadRecord(keyEnd);
    const answer = judge(RECORD, root.configuration, good, seconds);
    const change = invalidChange;
    const status = writeShared(KEY, keyEnd, RECORD, RECORD + RECORD_SIZE, cas);
    if (status == Status.CasMismatch) continue;
    if (change != 0) changeConfigInvalid(change);
    return answer;
  }
  // Nobody to agree with: rather on defaults than without a plugin.
  return good ? Answer.Good : Answer.Defaults;
}

/** Says each second that this VM lives on safe defaults, so that a reloaded VM may do so too. */
export function renewDefaults(root: Root): void {
  const keyEnd = recordKey(root.plugin);
  const cas = loadRecord(keyEnd);
  renewLease(RECORD, root.configuration, now() / 1000000000);
  // A lost race is a renewal by another VM, or the next tick's to run again.
  writeShared(KEY, keyEnd, RECORD, RECORD + RECORD_SIZE, cas);
}

/** Copies the plugin's shared record to `RECORD`, an empty one where there is none; yields its version. */
function loadRecord(keyEnd: usize): u32 {
  if (readShared(KEY, keyEnd) == Status.Ok) {
    putBytes(RECORD, given, min(givenEnd, given + RECORD_SIZE));
    openRecord(RECORD, givenEnd - given);
  } else {
    openRecord(RECORD, 0);
  }
  return givenCas;
}

function recordKey(plugin: u64): usize {
  store<u64>(HASH, plugin);
  return putHex(putText(KEY, "meshward.config."), HASH, HASH + 8);
}

/** A plugin is known by its name and root id: they stay over all its configurations. */
function pluginHash(): u64 {
  let hash = HASH_SEED;
  if (property("plugin_name")) hash = hashBytes(given, givenEnd, hash);
  // A NUL between the two, so that neither can borrow from the other.
  store<u64>(HASH, 0);
  hash = hashBytes(HASH, HASH + 1, hash);
  if (property("plugin_root_id")) hash = hashBytes(given, givenEnd, hash);
  return hash;
}

/** Learns which workload this is. The spans stay in the inbox until the configuration was read. */
function readNode(): void {
  clearNode();
  if (property("xds\0node\0metadata\0NAMESPACE")) setNamespace(given, givenEnd);
  if (readServiceName()) setService(given, givenEnd);
  if (property("xds\0node\0metadata\0LABELS")) setLabels(given, givenEnd);
}

function tell(level: LogLevel, consequence: string): void {
  let end = putText(LINE, "meshward: the configuration is not valid");
  if (problem != problemEnd) {
    // Escaped as in JSON, for the configuration may be anything; without the quotes.
    const quote = putText(end, " at");
    end = putJsonStringWithin(quote, problem, problemEnd, PROBLEM_ROOM) - 1;
    putByte(quote, Char.Space);
  }
  log(level, LINE, putText(putText(end, ": "), consequence));
}

/** Makes ready to follow values, and says so where that is not what the policy asks for. */
function openJourneys(root: Root): void {
  const policy = policyOf(root) as Policy;
  if (policy.sample == 0) return;
  openKeys(policy.hops != policy.hopsEnd);
  if (readServiceName()) setHopService(given, givenEnd);
  if (policy.direction == Direction.Outbound) beginFollowing();
}

function tellUnknownKeys(root: Root): void {
  const policy = policyOf(root) as Policy;
  if (policy.unknownKeys == 0) return;
  let end = putText(LINE, "meshward: keys of the configuration that this version does not know, ignored: ");
  log(LogLevel.Warn, LINE, putDecimal(end, policy.unknownKeys));
  for (let i: u32 = 0; i < min<u32>(policy.unknownKeys, 1000); i++) countOverflow(Overflow.ConfigKey);
}

/** Says where the pod's label does not do what whoever wrote it expects. */
function tellModeLabel(root: Root): void {
  const labelled = (policyOf(root) as Policy).labelled;
  if (labelled == Labelled.Obeyed) return;
  const end = putText(LINE, "meshward: the pod's label meshward.dev/mode ");
  const refused = "asks for less than the policy, ignored: modeLabel of the policy allows to raise the mode only";
  const unknown = "is none of off, detect and block, ignored";
  log(LogLevel.Warn, LINE, putText(end, labelled == Labelled.Refused ? refused : unknown));
}
