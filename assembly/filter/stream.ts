// What is kept of a stream between its callbacks: a slot of a fixed pool. The pool's memory is touched only as far as streams
// were ever open at once, so an idle proxy does not pay for it.
//
//   slot: fields │ effective settings │ body parser state │ carry │ host │ method │ path │ decoded path │ route │ identity │ ids

import { claimBlock, POOL_HEAD, releaseBlock } from "../core/pool";
import { addressOf, forgetAddress, rememberAddress } from "../core/idmap";
import { freeFindings } from "../core/findings";
import { INFLATE_SIZE, INFLATE_WINDOW } from "../decode/inflate";
import { freeJourney } from "../observe/journey";
import { freeObserved } from "../observe/observed";
import { freeTaints, Watch } from "../observe/taint";
import { closeProtobuf } from "../parse/protobuf";
import { EFFECTIVE_SIZE } from "../policy/resolve";
import { TRACE_SIZE, UUID_SIZE } from "../report/ids";

/** How the body of a stream is inspected. */
export const enum BodyKind {
  /** Not at all: there is none, or it is of a kind that is not read. */
  None = 0,
  Form = 1,
  Json = 2,
  Text = 3,
  /** Told from its first byte: JSON or markup, else a form. */
  Sniff = 4,
  /** Of a type that is not read, but many services read JSON whatever its type: told from its first byte, JSON, markup or nothing. */
  Probe = 5,
  Xml = 6,
  /** The same, where what a page runs (tags and handlers) matters too. */
  Markup = 7,
  /** The last of those that are text. */
  Multipart = 8,
  /** Of a type that is not read, with a first byte that serialized objects have. */
  Object = 9,
  WebSocket = 10,
  MessagePack = 11,
  Cbor = 12,
  /** Messages in frames; each is judged as it comes, and the stream never waits. */
  Grpc = 13,
  /** The same in base64. */
  GrpcText = 14,
  /** One message without a frame. */
  Protobuf = 15,
  Graphql = 16,
}

/** How far a stream has come. */
export const enum Phase {
  /** Its headers have not been judged. */
  Fresh = 0,
  /** Its body is awaited or on its way. */
  Body = 1,
  /** All is said: no callback looks at it again. */
  Done = 2,
}

/** One stream; the texts follow the fields, at the offsets below. */
// @ts-ignore: decorator
@unmanaged
export class Stream {
  contextId: u32;
  /** Address of its Root, 0 where the root is gone. */
  root: usize;
  phase: u8;
  bodyKind: u8;
  /** The request waits in Envoy for its verdict. */
  held: bool;
  sampled: bool;
  counted: bool;
  /** Its filter state has been set. */
  told: bool;
  /** Block mode would have refused it at a limit (`onLimit`, `onOverflow`, `onEncoded`), whatever else is found. */
  limited: bool;
  /** A message of its body is compressed, and was not read. */
  compressed: bool;
  /** Its body is one of messages: `bodyState` holds more than itself. */
  rpc: bool;
  /** Its body has a content coding: what is judged may be no text at all. */
  encoded: bool;
  /** Its body is of a type that has a grammar. */
  strict: bool;
  /** The form of an answer that its client reads (report/answer.ts). */
  answerKind: u8;
  /** It began as no text: what of it looks like text is judged as pairs. */
  masked: bool;
  /** How it may be coded (filter/coding.ts); 0 once that is known, or over. */
  codings: u8;
  /** The same of each of its messages: what `grpc-encoding` says. Of a WebSocket: 1 where compression was offered. */
  messageCodings: u8;
  /** Inflaters of its codings, the outer one first; 0 where there is none. */
  inflater: usize;
  innerInflater: usize;
  /** It may be a WebSocket all the same: 1, or 2 where compression was offered. */
  framed: u8;
  /** An inflater's block, of which only the stream is used, that reads it as one. */
  frames: usize;
  /** Inflater of the message at work. */
  messageInflater: usize;
  /** Bytes of its compressed messages that are over, and of what they held. */
  messagesIn: u64;
  messagesOut: u64;
  /** What messages of a WebSocket may copy from: a block with its size before it. */
  window: usize;
  /** Units of work that its body has cost (judgement.ts). */
  work: u64;
  /** Body bytes that were judged. */
  inspected: u64;
  /** The tick at which it was held. */
  heldTick: u32;
  /** Neighbours in the list of held streams. */
  heldBefore: usize;
  heldAfter: usize;
  findings: usize;
  /** Of the policy that has decided on them. */
  generation: u32;
  /** Page with the unfinished value, 0 where it is in the carry or there is none. */
  page: usize;
  /** Nanoseconds spent on a sampled stream. */
  nanos: u64;
  hostSize: u32;
  methodSize: u32;
  pathSize: u32;
  decodedSize: u32;
  routeSize: u32;
  identitySize: u32;
  hasTrace: bool;
  identityKnown: bool;
  /** One of the service's own calls. */
  outbound: bool;
  /** How it ended, once that was told. */
  outcome: u8;
  /** Host, method and path are in the slot; those that are longer than their place are cut there, and count as empty for policies. */
  kept: bool;
  hostKept: u32;
  methodKept: u32;
  pathKept: u32;
  /** Values on which a detector reports are kept for the response, and while `watched` all that carry syntax. */
  watches: bool;
  watched: bool;
  /** Block with the values that its response may show (observe/taint.ts), 0 for none. */
  taints: usize;
  /** Block with the way of its values (observe/journey.ts), 0 for none. */
  journey: usize;
}

/** Bytes kept of each text. What is longer is cut, and an exception by host or path then does not cover the stream. */
export const HOST_CAPACITY: u32 = 128;
export const METHOD_CAPACITY: u32 = 16;
export const PATH_CAPACITY: u32 = 512;
export const ROUTE_CAPACITY: u32 = 96;
export const IDENTITY_CAPACITY: u32 = 160;
/** Bytes of the largest body parser's state. */
export const BODY_STATE_CAPACITY: u32 = 768;
/** Unfinished values up to this size stay in the slot; a longer one takes a page. */
export const CARRY_CAPACITY: u32 = 256;

const EFFECTIVE: u32 = (offsetof<Stream>() + 7) & ~7;
const BODY_STATE: u32 = (EFFECTIVE + EFFECTIVE_SIZE + 7) & ~7;
const CARRY: u32 = BODY_STATE + BODY_STATE_CAPACITY;
const HOST: u32 = CARRY + CARRY_CAPACITY + 16;
const METHOD: u32 = HOST + HOST_CAPACITY;
const PATH: u32 = METHOD + METHOD_CAPACITY;
const DECODED: u32 = PATH + PATH_CAPACITY;
const ROUTE: u32 = DECODED + PATH_CAPACITY;
const IDENTITY: u32 = ROUTE + ROUTE_CAPACITY;
const REQUEST_ID: u32 = IDENTITY + IDENTITY_CAPACITY;
const TRACE_ID: u32 = REQUEST_ID + <u32>UUID_SIZE;
const SLOT_SIZE: u32 = (TRACE_ID + <u32>TRACE_SIZE + 15) & ~15;

/** Streams that can be open at once in one VM. */
export const STREAMS: u32 = 8192;
const POOL: usize = memory.data(POOL_HEAD + 2816 * 8192, 16);

/** Bytes of a page: one unfinished value of a body. */
const PAGE_SIZE: u32 = 16512;
/** Bodies that can be cut inside a long value at once. */
const PAGES: u32 = 1024;
const PAGE_POOL: usize = memory.data(POOL_HEAD + 16512 * 1024, 16);

/** Bytes of an inflater, and of the stream that reads what it gives. */
const INFLATER_SIZE: u32 = ((INFLATE_SIZE + 15) & ~15) + 2816;
/** Coded bodies that can be open at once; one that is coded twice counts twice. */
const INFLATERS: u32 = 256;
const INFLATER_POOL: usize = memory.data(POOL_HEAD + 74496 * 256, 16);

// @ts-ignore: decorator
@inline
export function effectiveOf(stream: Stream): usize {
  return changetype<usize>(stream) + EFFECTIVE;
}

// @ts-ignore: decorator
@inline
export function bodyState(stream: Stream): usize {
  return changetype<usize>(stream) + BODY_STATE;
}

// @ts-ignore: decorator
@inline
export function carryOf(stream: Stream): usize {
  return changetype<usize>(stream) + CARRY;
}

// @ts-ignore: decorator
@inline
export function hostOf(stream: Stream): usize {
  return changetype<usize>(stream) + HOST;
}

// @ts-ignore: decorator
@inline
export function methodOf(stream: Stream): usize {
  return changetype<usize>(stream) + METHOD;
}

// @ts-ignore: decorator
@inline
export function pathOf(stream: Stream): usize {
  return changetype<usize>(stream) + PATH;
}

// @ts-ignore: decorator
@inline
export function decodedPathOf(stream: Stream): usize {
  return changetype<usize>(stream) + DECODED;
}

// @ts-ignore: decorator
@inline
export function routeOf(stream: Stream): usize {
  return changetype<usize>(stream) + ROUTE;
}

// @ts-ignore: decorator
@inline
export function identityOf(stream: Stream): usize {
  return changetype<usize>(stream) + IDENTITY;
}

// @ts-ignore: decorator
@inline
export function requestIdOf(stream: Stream): usize {
  return changetype<usize>(stream) + REQUEST_ID;
}

// @ts-ignore: decorator
@inline
export function traceIdAt(stream: Stream): usize {
  return changetype<usize>(stream) + TRACE_ID;
}

/** The open stream of that context; null where it had no slot, or where it is a root's (whose address is tagged). */
export function streamOf(contextId: u32): Stream | null {
  const address = addressOf(contextId);
  return changetype<Stream | null>((address & 1) != 0 ? <usize>0 : address);
}

/** Opens a stream below `root`; null where all slots are in use. */
export function openStream(contextId: u32, root: usize): Stream | null {
  if (isDefined(CHECKED)) assert(SLOT_SIZE <= 2816); // the pool fits its buffer
  const block = claimBlock(POOL, SLOT_SIZE, STREAMS);
  if (block == 0) return null;
  memory.fill(block, 0, offsetof<Stream>());
  const stream = changetype<Stream>(block);
  stream.contextId = contextId;
  stream.root = root;
  rememberAddress(contextId, block);
  return stream;
}

/** Gives back all that a stream holds. */
export function closeStream(stream: Stream): void {
  unhold(stream);
  freeFindings(stream.findings);
  freePage(stream);
  if (stream.rpc) closeProtobuf(bodyState(stream));
  freeMessage(stream);
  freeInflaters(stream);
  closeTaints(stream);
  freeJourney(stream.journey);
  forgetAddress(stream.contextId);
  releaseBlock(POOL, changetype<usize>(stream));
}

/** Bytes of a response's body that are inspected at most. */
export const REPLY_CAPACITY: u32 = 65536;
/** Responses whose bodies can be on their way at once. */
const REPLIES: u32 = 128;
const REPLY_POOL: usize = memory.data(POOL_HEAD + 65600 * 128, 16);

/** Room for the body of a response, with 64 bytes to read behind it; 0 where all is in use. */
export function claimReply(): usize {
  return claimBlock(REPLY_POOL, REPLY_CAPACITY + 64, REPLIES);
}

/** Gives back what a stream holds for its response. */
export function closeTaints(stream: Stream): void {
  if (stream.taints == 0) return;
  const watch = changetype<Watch>(stream.taints);
  if (watch.buffer != 0) releaseBlock(REPLY_POOL, watch.buffer);
  if (watch.inflater != 0) releaseBlock(INFLATER_POOL, watch.inflater);
  freeObserved(watch.observed);
  freeTaints(stream.taints);
  stream.taints = 0;
}

/** A page for the stream's unfinished value, its own if it has one; 0 where all are in use. */
export function claimPage(stream: Stream): usize {
  if (stream.page == 0) stream.page = claimBlock(PAGE_POOL, PAGE_SIZE, PAGES);
  return stream.page;
}

export function freePage(stream: Stream): void {
  if (stream.page != 0) releaseBlock(PAGE_POOL, stream.page);
  stream.page = 0;
}

/** Bytes of a block with a window. */
const WINDOW_SIZE: u32 = 16 + INFLATE_WINDOW;
/** WebSockets whose messages can copy from those before them at once. */
const WINDOWS: u32 = 2048;
const WINDOW_POOL: usize = memory.data(POOL_HEAD + 32784 * 2048, 16);

/** A block whose first 4 bytes are the size of the window in it (`windowOf`); 0 where all are in use. */
export function claimWindow(): usize {
  if (isDefined(CHECKED)) assert(WINDOW_SIZE == 32784); // the pool fits its buffer
  return claimBlock(WINDOW_POOL, WINDOW_SIZE, WINDOWS);
}

// @ts-ignore: decorator
@inline
export function windowOf(block: usize): usize {
  return block + 16;
}

export function freeWindow(stream: Stream): void {
  if (stream.window != 0) releaseBlock(WINDOW_POOL, stream.window);
  stream.window = 0;
}

/** Gives back what the messages of a stream hold. */
export function freeMessage(stream: Stream): void {
  freeInflater(stream);
  freeWindow(stream);
  if (stream.frames == 0) return;
  const copy = copyOf(stream.frames);
  freeInflater(copy);
  freeWindow(copy);
  freePage(copy);
  releaseBlock(INFLATER_POOL, stream.frames);
  stream.frames = 0;
}

/** Gives back the inflater of the message at work. */
export function freeInflater(stream: Stream): void {
  if (stream.messageInflater != 0) releaseBlock(INFLATER_POOL, stream.messageInflater);
  stream.messageInflater = 0;
}

/** An inflater, cleared but for its buffers; 0 where all are in use. */
export function claimInflater(): usize {
  if (isDefined(CHECKED)) assert(INFLATER_SIZE <= 74496); // the pool fits its buffer
  const block = claimBlock(INFLATER_POOL, INFLATER_SIZE, INFLATERS);
  if (block != 0) memory.fill(changetype<usize>(copyOf(block)), 0, offsetof<Stream>());
  return block;
}

/** What an inflater gives, as a body of its own: only what `judgeChunk` asks for is set. */
// @ts-ignore: decorator
@inline
export function copyOf(inflater: usize): Stream {
  return changetype<Stream>(inflater + ((INFLATE_SIZE + 15) & ~15));
}

export function freeInflaters(stream: Stream): void {
  if (stream.innerInflater != 0) releaseBlock(INFLATER_POOL, stream.innerInflater);
  if (stream.inflater != 0) {
    const copy = copyOf(stream.inflater);
    freeInflater(copy);
    if (copy.rpc) closeProtobuf(bodyState(copy));
    freePage(copy);
    releaseBlock(INFLATER_POOL, stream.inflater);
  }
  stream.inflater = stream.innerInflater = 0;
}

/** The first of the held streams, linked by `heldAfter`; 0 for none. */
export let firstHeld: usize = 0;

/** Notes that a stream waits for its verdict since tick `tick`. */
export function hold(stream: Stream, tick: u32): void {
  stream.held = true;
  stream.heldTick = tick;
  stream.heldBefore = 0;
  stream.heldAfter = firstHeld;
  if (firstHeld != 0) changetype<Stream>(firstHeld).heldBefore = changetype<usize>(stream);
  firstHeld = changetype<usize>(stream);
}

/** Notes that a stream waits no longer; nothing happens where it did not. */
export function unhold(stream: Stream): void {
  if (!stream.held) return;
  stream.held = false;
  if (stream.heldBefore != 0) changetype<Stream>(stream.heldBefore).heldAfter = stream.heldAfter;
  else firstHeld = stream.heldAfter;
  if (stream.heldAfter != 0) changetype<Stream>(stream.heldAfter).heldBefore = stream.heldBefore;
}
