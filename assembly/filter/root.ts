// Root contexts: one for each plugin configuration that is alive in this VM. All state hangs on the root, since two plugins with
// the same bytes share a VM, and a push leaves the old root alive until its last stream has ended.

import { addressOf, forgetAddress, rememberAddress } from "../core/idmap";
import { claimBlock, POOL_HEAD, releaseBlock } from "../core/pool";
import { addArenaUser, arenaPolicy, removeArenaUser } from "../policy/arenas";
import { Policy } from "../policy/layout";

// @ts-ignore: decorator
@unmanaged
export class Root {
  contextId: u32;
  /** The arena of its policy, 0 before it was configured. */
  arena: usize;
  /** Hash of its configuration, and of the plugin's name with its root id. */
  configuration: u64;
  plugin: u64;
  /** Runs on safe defaults, because its configuration is bad and the plugin never had a good one. */
  onDefaults: bool;
  /** Counted in `meshward_info`. */
  announced: bool;
  /** It is about to go: it sends no more events. */
  closing: bool;
  /** Of filter/instance.ts: its streams, and the tick until which each of them is looked at. */
  asked: u32;
  shadowed: u32;
  /** Neighbours in the list of roots. */
  before: usize;
  after: usize;
}

/** Root contexts that can be alive at once in one VM: pushes whose old streams are still open. */
const ROOTS: u32 = 4096;
const POOL: usize = memory.data(POOL_HEAD + 64 * 4096, 16);

/** The first of the roots, newest first, linked by `after`; 0 for none. */
export let firstRoot: usize = 0;

/** Tells the address of a root from that of a stream in the map of contexts. */
const ROOT_TAG: usize = 1;

/** The root of that context; null where there is none, or where it is a stream's. */
export function rootOf(contextId: u32): Root | null {
  const address = addressOf(contextId);
  return changetype<Root | null>((address & ROOT_TAG) != 0 ? address - ROOT_TAG : <usize>0);
}

/** Opens a root; null where all are in use. */
export function openRoot(contextId: u32): Root | null {
  if (isDefined(CHECKED)) assert(offsetof<Root>() <= 64); // the pool fits its buffer
  const block = claimBlock(POOL, 64, ROOTS);
  if (block == 0) return null;
  memory.fill(block, 0, offsetof<Root>());
  const root = changetype<Root>(block);
  root.contextId = contextId;
  root.after = firstRoot;
  if (firstRoot != 0) changetype<Root>(firstRoot).before = block;
  firstRoot = block;
  rememberAddress(contextId, block | ROOT_TAG);
  return root;
}

/** Gives back a root and, if it was the last user, its policy. Its streams are gone: Envoy deletes them first. */
export function closeRoot(root: Root): void {
  setArena(root, 0);
  if (root.before != 0) changetype<Root>(root.before).after = root.after;
  else firstRoot = root.after;
  if (root.after != 0) changetype<Root>(root.after).before = root.before;
  forgetAddress(root.contextId);
  releaseBlock(POOL, changetype<usize>(root));
}

/** Puts the policy of `arena` (0 for none) in force for a root. */
export function setArena(root: Root, arena: usize): void {
  if (root.arena != 0) removeArenaUser(root.arena);
  root.arena = arena;
  if (arena != 0) addArenaUser(arena);
}

/** The policy of a root; null before it was configured. */
export function policyOf(root: Root): Policy | null {
  return root.arena == 0 ? null : changetype<Policy>(arenaPolicy(root.arena));
}

/** The newest configured root of a plugin; null where it has none. */
export function newestRoot(plugin: u64): Root | null {
  for (let at = firstRoot; at != 0;) {
    const root = changetype<Root>(at);
    if (root.plugin == plugin && root.arena != 0) return root;
    at = root.after;
  }
  return null;
}

/**
 * Frees arenas: each root that only old streams keep alive goes over to its plugin's newest policy. Called when none is free, so
 * that any number of pushes with open streams needs no more memory.
 */
export function retireOldPolicies(): void {
  for (let at = firstRoot; at != 0;) {
    const root = changetype<Root>(at);
    const newest = newestRoot(root.plugin);
    if (root.arena != 0 && newest !== null && newest.arena != root.arena) setArena(root, newest.arena);
    at = root.after;
  }
}
