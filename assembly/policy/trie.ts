// Routes, exceptions, rules and fields of a policy, filed so that those that may speak of a request are found without asking the
// others: a trie over its host, the segments of its path and, for exceptions, the pieces of the field's name between slashes; over those
// alone for fields.
//
//   root ── host, or any ──► ── literal segment ──────► node ── piece of a name ──► node
//                            ── `*` or `{name}` ──────► node
//                            ── `**` ─────────────────► node, which takes each further segment as well
//
//   no path: filed as `/**`        a name that ends in `*`: under its whole pieces, `/items/a*` under "", "items"
//
// A text is known by 32 bits of its hash, so what is found *may* match: whoever asks compares host, methods, path and name as they
// stand (policy/match.ts). The trie may say maybe too often, never a false no.
//
// A walk takes one step for each segment and each way that the templates leave open there (a literal, `*`, `**`), however many entries
// there are, and ends where no template goes on. It allocates nothing: a policy that leaves no room for its trie is a bad one.

import { byteAt, findByte, lowerCase, withoutPort } from "../core/bytes";
import { Char } from "../core/char";
import { HASH_SEED, hashBytes } from "../core/hash";
import { allocate, ARENA_SIZE } from "./arenas";
import { Entry, Match } from "./layout";
import { segmentEnd, segmentKind, SegmentKind } from "./match";
import { requestHost, requestHostEnd, requestPath, requestPathEnd, requestTurn } from "./request";

/** One list of the policy. */
// @ts-ignore: decorator
@unmanaged
export class Trie {
  /** The request that `reached` belongs to (policy/request.ts). */
  turn: u64;
  /** Chains of nodes by the hash of text and parent; their number is a power of two, less one. */
  table: usize;
  mask: u32;
  nodes: u32;
  /** Addresses of the entries, in the order of the policy, and their number. */
  entries: usize;
  count: u32;
  /** Addresses of the nodes where the last walk ended, and their number. */
  reached: usize;
  reachedCount: u32;
  root: usize;
}

/** Where templates, and names, go on from what they have in common. */
// @ts-ignore: decorator
@unmanaged
export class TrieNode {
  /** The next in the chain of the table. */
  chain: usize;
  parent: usize;
  hash: u32;
  /** The node behind `*`, that behind `**`. */
  one: usize;
  many: usize;
  /** The entries that end here, in the order of the policy. */
  entries: usize;
  /** A template goes on from here by a segment. */
  goesOn: bool;
  /** A template ends here. */
  ends: bool;
  /** A node behind `**` that the walk has come to. */
  entered: bool;
}

// @ts-ignore: decorator
@inline
const NODE_SIZE: u32 = 32;
/** No trie has more nodes than an arena holds. */
const MOST: usize = ARENA_SIZE / NODE_SIZE;
/** The nodes from which a walk goes on: for this segment, for the next, and those behind `**`, for all that come. */
const HERE: usize = memory.data(131072, 8);
const NEXT: usize = memory.data(131072, 8);
const LASTING: usize = memory.data(131072, 8);

/** Hashes of names begin otherwise than those of segments, so that no path leads to a name. */
const NAME_SEED: u64 = HASH_SEED ^ 0xff;

/** Steps and comparisons since the module began; only the checked build counts. */
export let trieSteps: u32 = 0;

// @ts-ignore: decorator
@inline
export function countTrieStep(): void {
  if (isDefined(CHECKED)) trieSteps++;
}

// --- building -----------------------------------------------------------------------------------------------------------

/** Begins the trie of the entries of a chain, and numbers them; null where the arena is full. */
export function openTrie(chain: usize): Trie | null {
  if (isDefined(CHECKED)) assert(MOST * 4 == 131072 && offsetof<TrieNode>() <= NODE_SIZE); // buffers and nodes fit
  let count: u32 = 0;
  for (let at = chain; at != 0; at = changetype<Entry>(at).next) changetype<Entry>(at).position = count++;
  let slots: u32 = 8;
  while (slots < 2 * count) slots <<= 1;
  const trie = changetype<Trie>(allocate(offsetof<Trie>()));
  if (changetype<usize>(trie) == 0) return null;
  trie.table = allocate(slots << 2);
  trie.mask = slots - 1;
  trie.count = count;
  trie.entries = allocate(count << 2);
  trie.root = newNode(trie);
  if (trie.table == 0 || trie.entries == 0 || trie.root == 0) return null;
  for (let at = chain; at != 0; at = changetype<Entry>(at).next) {
    store<u32>(trie.entries + (changetype<Entry>(at).position << 2), <u32>at);
  }
  return trie;
}

/** The entry at that place of the policy, from 0. */
// @ts-ignore: decorator
@inline
export function trieEntry(trie: Trie, position: u32): usize {
  return load<u32>(trie.entries + (position << 2));
}

/** The node behind host and path of an entry; 0 where the arena is full. */
export function placeOf(trie: Trie, match: Match): usize {
  let node: usize =
    match.host == match.hostEnd
      ? oneBehind(trie, trie.root)
      : textBehind(trie, trie.root, hostHash(match.host, withoutPort(match.host, match.hostEnd)));
  if (match.path == match.pathEnd && node != 0) node = manyBehind(trie, node);
  for (let at = match.path; at < match.pathEnd && node != 0;) {
    const end = segmentEnd(at, match.pathEnd);
    const kind = segmentKind(at + 1, end);
    if (kind == SegmentKind.Many) node = manyBehind(trie, node);
    else if (kind == SegmentKind.One) node = oneBehind(trie, node);
    else node = textBehind(trie, node, textHash(at + 1, end, HASH_SEED));
    at = end;
  }
  if (node != 0) changetype<TrieNode>(node).ends = true;
  return node;
}

/** The node behind the name of a field, which may end in `*`; 0 where the arena is full, or `node` is 0. */
export function nameBehind(trie: Trie, node: usize, name: usize, nameEnd: usize): usize {
  const open = nameEnd > name && byteAt(nameEnd - 1) == Char.Star;
  while (node != 0 && name <= nameEnd) {
    const end = findByte(name, nameEnd, Char.Slash);
    if (open && end == nameEnd) break;
    node = added(trie, node, textHash(name, end, NAME_SEED));
    name = end + 1;
  }
  return node;
}

/** Files an entry at a node, before those that are there already: the last of the policy comes first. */
export function fileAt(node: usize, entry: Entry): void {
  entry.along = changetype<TrieNode>(node).entries;
  changetype<TrieNode>(node).entries = changetype<usize>(entry);
}

/** Makes room for what a walk reaches, once all is filed; false where the arena is full. */
export function closeTrie(trie: Trie): bool {
  trie.reached = allocate(trie.nodes << 2);
  return trie.reached != 0;
}

function newNode(trie: Trie): usize {
  trie.nodes++;
  return allocate(NODE_SIZE);
}

function oneBehind(trie: Trie, node: usize): usize {
  const place = changetype<TrieNode>(node);
  place.goesOn = true;
  if (place.one == 0) place.one = newNode(trie);
  return place.one;
}

function manyBehind(trie: Trie, node: usize): usize {
  const place = changetype<TrieNode>(node);
  if (place.many == 0) place.many = newNode(trie);
  return place.many;
}

/** The node behind a segment, or a host. */
function textBehind(trie: Trie, node: usize, hash: u32): usize {
  changetype<TrieNode>(node).goesOn = true;
  return added(trie, node, hash);
}

function added(trie: Trie, node: usize, hash: u32): usize {
  const known = behind(trie, node, hash);
  if (known != 0) return known;
  const child = newNode(trie);
  if (child == 0) return 0;
  const place = changetype<TrieNode>(child);
  const slot = slotOf(trie, node, hash);
  place.parent = node;
  place.hash = hash;
  place.chain = load<u32>(slot);
  store<u32>(slot, <u32>child);
  return child;
}

// --- walking ------------------------------------------------------------------------------------------------------------

/** Where the next node goes, of those behind `**` and of those that the walk has reached. */
let lastingEnd: usize = 0;
let reachedEnd: usize = 0;

/**
 * Walks to all nodes whose entries may speak of the current request with this reading of its path, and returns how many there are
 * (`reachedNode`).
 */
export function walk(trie: Trie, path: usize, pathEnd: usize): u32 {
  let here = HERE;
  let next = NEXT;
  lastingEnd = LASTING;
  reachedEnd = trie.reached;
  let hereEnd = enter(changetype<TrieNode>(trie.root).one, here);
  const host = hostHash(requestHost, withoutPort(requestHost, requestHostEnd));
  hereEnd = enter(behind(trie, trie.root, host), hereEnd);
  for (let at = path; at < pathEnd && (hereEnd > here || lastingEnd > LASTING);) {
    const end = segmentEnd(at, pathEnd);
    const hash = textHash(at + 1, end, HASH_SEED);
    const before = lastingEnd;
    let nextEnd = next;
    for (let i = LASTING; i < before; i += 4) nextEnd = step(trie, load<u32>(i), hash, end > at + 1, nextEnd);
    for (let i = here; i < hereEnd; i += 4) nextEnd = step(trie, load<u32>(i), hash, end > at + 1, nextEnd);
    const free = here;
    here = next;
    hereEnd = nextEnd;
    next = free;
    at = end;
  }
  for (let i = here; i < hereEnd; i += 4) reach(load<u32>(i));
  for (let i = LASTING; i < lastingEnd; i += 4) reach(load<u32>(i));
  for (let i = LASTING; i < lastingEnd; i += 4) changetype<TrieNode>(load<u32>(i)).entered = false;
  for (let i = trie.reached; i < reachedEnd; i += 4) changetype<TrieNode>(load<u32>(i)).entered = false;
  trie.turn = 0;
  trie.reachedCount = <u32>((reachedEnd - trie.reached) >> 2);
  return trie.reachedCount;
}

/** Walks to where the current request leads on the path as Envoy routes it, unless that is where the last walk has been. */
export function walkRouted(trie: Trie): u32 {
  if (trie.turn == requestTurn) return trie.reachedCount;
  const count = walk(trie, requestPath, requestPathEnd);
  trie.turn = requestTurn;
  return count;
}

/** The node at `index` of those that the last walk has reached. */
// @ts-ignore: decorator
@inline
export function reachedNode(trie: Trie, index: u32): TrieNode {
  return changetype<TrieNode>(load<u32>(trie.reached + (index << 2)));
}

/** The node of the name that is followed, and what is left of the name. */
let nameNode: usize = 0;
let nameAt: usize = 0;
let nameAfter: usize = 0;

/** Begins to follow a name from a node. */
export function followName(node: usize, name: usize, nameEnd: usize): void {
  nameNode = node;
  nameAt = name;
  nameAfter = nameEnd;
}

/** Goes on by a piece of the name to the node behind it; 0 where there is none, or no more of the name. */
export function nextOfName(trie: Trie): usize {
  if (nameAt > nameAfter) return 0;
  const end = findByte(nameAt, nameAfter, Char.Slash);
  nameNode = behind(trie, nameNode, textHash(nameAt, end, NAME_SEED));
  nameAt = nameNode == 0 ? nameAfter + 1 : end + 1;
  return nameNode;
}

/** Goes on from a node by a segment; the nodes that are come to go to `out`. */
function step(trie: Trie, at: usize, hash: u32, some: bool, out: usize): usize {
  countTrieStep();
  const node = changetype<TrieNode>(at);
  if (!node.goesOn) return out;
  out = enter(behind(trie, at, hash), out);
  return some ? enter(node.one, out) : out;
}

/** Comes to a node (0 for none), and to those behind its `**`, which takes no segment as well as many. */
function enter(at: usize, out: usize): usize {
  if (at == 0) return out;
  store<u32>(out, <u32>at);
  for (let many = changetype<TrieNode>(at).many; many != 0;) {
    const node = changetype<TrieNode>(many);
    if (node.entered) break;
    countTrieStep();
    node.entered = true;
    // One that nothing goes on from has been reached whatever comes.
    if (node.ends && !node.goesOn) {
      reach(many);
    } else {
      store<u32>(lastingEnd, <u32>many);
      lastingEnd += 4;
    }
    many = node.many;
  }
  return out + 4;
}

function reach(node: usize): void {
  if (!changetype<TrieNode>(node).ends) return;
  store<u32>(reachedEnd, <u32>node);
  reachedEnd += 4;
}

function behind(trie: Trie, parent: usize, hash: u32): usize {
  let at: usize = load<u32>(slotOf(trie, parent, hash));
  for (; at != 0; at = changetype<TrieNode>(at).chain) {
    countTrieStep();
    if (changetype<TrieNode>(at).hash == hash && changetype<TrieNode>(at).parent == parent) break;
  }
  return at;
}

/** Where the chain begins that a child of `parent` is in. */
function slotOf(trie: Trie, parent: usize, hash: u32): usize {
  const mixed = (hash ^ (<u32>(parent >>> 5))) * 0x9e3779b1;
  return trie.table + (((mixed >>> 15) & trie.mask) << 2);
}

function textHash(start: usize, end: usize, seed: u64): u32 {
  const hash = hashBytes(start, end, seed);
  return <u32>(hash ^ (hash >> 32));
}

function hostHash(start: usize, end: usize): u32 {
  let hash: u32 = 0;
  for (; start < end; start++) hash = (hash ^ lowerCase(byteAt(start))) * 0x01000193;
  return hash;
}
