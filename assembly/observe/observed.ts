// What is kept of a request whose response is to be observed, whatever its values: its headers, since the host has them no more when
// the response comes, and the parameters of its body, which pass only once.
//
//   block: Observed │ the response's type 64 │ where it leads 176 │ header map 12 KiB │ parameters 1 KiB │ components 768
//          │ 4 × (BodyId │ name 40 │ value 64)

import { byteAt, isDigit, isLetter, putBytes, sameBytes } from "../core/bytes";
import { fieldName, fieldNameEnd, member, memberDepth, memberEnd, Part, readMember, reportedPart } from "../core/field";
import { claimBlock, POOL_HEAD, releaseBlock } from "../core/pool";
import { endsWithOneOf } from "../core/text";
import { COMPONENTS_ROOM } from "./endpoints";
import { ID_LONGEST, mayBeId } from "./ids";
import { addParameter, PARAMETERS_CAPACITY, typeOf } from "./parameters";

// @ts-ignore: decorator
@unmanaged
export class Observed {
  /** Names the endpoint: method and template of the path. */
  endpoint: u32;
  /** Bytes of the header map. */
  headersSize: u32;
  /** Bytes of the type of the response's body, without parameters. */
  typeSize: u32;
  /** What its headers were found to say (`Fact`, inspect/exchange.ts). */
  facts: u32;
  /** Bytes of where the response leads. */
  locationSize: u32;
  /** Values of the body that may be ids. */
  bodyIds: u32;
  /** Tells the note of its credential from another's (filter/forwarded.ts), 0 for none. */
  owner: u32;
}

/** Such a value; the last part of its name and the value follow. */
// @ts-ignore: decorator
@unmanaged
export class BodyId {
  part: u8;
  nameSize: u8;
  size: u8;
  /** How deep it lies in JSON. */
  depth: u8;
  /** Where in the name the member begins that names the value: 8 of "/filter/customer". */
  member: u8;
}

/** Bytes of a header map that is kept; a request with a larger one is not observed. */
const HEADERS_CAPACITY: u32 = 12288;
const TYPE_CAPACITY: u32 = 64;
const TYPE: u32 = (offsetof<Observed>() + 15) & ~15;
const LOCATION: u32 = TYPE + TYPE_CAPACITY;
const LOCATION_CAPACITY: u32 = 176;
const HEADERS: u32 = LOCATION + LOCATION_CAPACITY;
const PARAMETERS: u32 = HEADERS + HEADERS_CAPACITY + 16;
const COMPONENTS: u32 = PARAMETERS + PARAMETERS_CAPACITY;
const BODY_IDS: u32 = COMPONENTS + COMPONENTS_ROOM;
const MAX_BODY_IDS: u32 = 4;
const NAME_ROOM: usize = 40;
const BODY_ID: u32 = offsetof<BodyId>() + <u32>NAME_ROOM + <u32>ID_LONGEST;
const BLOCK_SIZE: u32 = BODY_IDS + BODY_ID * MAX_BODY_IDS;
/** Requests that are observed at once. */
const BLOCKS: u32 = 256;
const POOL: usize = memory.data(POOL_HEAD + 14804 * 256, 16);

/** A block with the header map `start..end`; 0 where that is too large, or all blocks are in use. */
export function claimObserved(start: usize, end: usize, endpoint: u32): usize {
  if (isDefined(CHECKED)) assert(BLOCK_SIZE == 14804); // the pool fits its buffer
  if (end - start > HEADERS_CAPACITY) return 0;
  const block = claimBlock(POOL, BLOCK_SIZE, BLOCKS);
  if (block == 0) return 0;
  const observed = changetype<Observed>(block);
  observed.endpoint = endpoint;
  observed.headersSize = <u32>(end - start);
  observed.typeSize = 0;
  observed.facts = 0;
  observed.locationSize = observed.bodyIds = observed.owner = 0;
  memory.copy(block + HEADERS, start, end - start);
  store<u32>(block + PARAMETERS, 0);
  store<u32>(block + COMPONENTS, 0);
  return block;
}

export function freeObserved(block: usize): void {
  if (block != 0) releaseBlock(POOL, block);
}

/** Keeps the type of the response's body, as much of it as there is room for. */
export function keepType(block: usize, start: usize, end: usize): void {
  const size = min<usize>(end - start, TYPE_CAPACITY);
  memory.copy(block + TYPE, start, size);
  changetype<Observed>(block).typeSize = <u32>size;
}

/** Keeps where the response leads; one that is longer than there is room for is none. */
export function keepLocation(block: usize, start: usize, end: usize): void {
  if (end - start > LOCATION_CAPACITY) return;
  memory.copy(block + LOCATION, start, end - start);
  changetype<Observed>(block).locationSize = <u32>(end - start);
}

// @ts-ignore: decorator
@inline
export function observedLocation(block: usize): usize {
  return block + LOCATION;
}

// @ts-ignore: decorator
@inline
export function observedType(block: usize): usize {
  return block + TYPE;
}

// @ts-ignore: decorator
@inline
export function observedHeaders(block: usize): usize {
  return block + HEADERS;
}

// @ts-ignore: decorator
@inline
export function observedHeadersEnd(block: usize): usize {
  return block + HEADERS + changetype<Observed>(block).headersSize;
}

// @ts-ignore: decorator
@inline
export function observedParameters(block: usize): usize {
  return block + PARAMETERS;
}

/** Texts: see endpoints.ts. */
// @ts-ignore: decorator
@inline
export function observedComponents(block: usize): usize {
  return block + COMPONENTS;
}

/** The block of the stream at work, whose values are learned; 0 for none. */
export let learning: usize = 0;

export function setLearning(block: usize): void {
  learning = block;
}

/** Learns the value `start..end` of the current field, once it is one of a body. A name is judged as a value of its own, and is none. */
export function learnValue(start: usize, end: usize): void {
  if (reportedPart < Part.Form || fieldName == fieldNameEnd) return;
  const size = end - start;
  if (
    size != 0 &&
    size <= <usize>(fieldNameEnd - fieldName) &&
    sameBytes(fieldNameEnd - size, fieldNameEnd, start, end)
  )
    return;
  if (size <= ID_LONGEST && mayBeId(start, end)) keepBodyId(start, end);
  addParameter(observedParameters(learning), reportedPart, fieldName, fieldNameEnd, typeOf(start, end));
}

/** Keeps a value that may be an id, where its name may be that of one: a first look, which may say maybe too often. */
function keepBodyId(start: usize, end: usize): void {
  const observed = changetype<Observed>(learning);
  readMember();
  if (observed.bodyIds == MAX_BODY_IDS || fieldNameEnd - fieldName > NAME_ROOM) return;
  const named = endsWithOneOf(member, memberEnd, "id uuid user customer account member patient owner ");
  // What letters and digits are mixed in may be one under any name, and leaves room for those that have the name of one.
  if (!named && (observed.bodyIds >= MAX_BODY_IDS / 2 || !isMixed(start, end))) return;
  const id = bodyIdAt(learning, observed.bodyIds++);
  id.part = <u8>reportedPart;
  id.depth = <u8>min<u32>(memberDepth, 255);
  id.nameSize = <u8>(putBytes(bodyIdName(id), fieldName, fieldNameEnd) - bodyIdName(id));
  id.member = <u8>(member - fieldName);
  id.size = <u8>(putBytes(bodyIdValue(id), start, end) - bodyIdValue(id));
}

/** Whether there are letters and digits, as in "R-88217". */
function isMixed(start: usize, end: usize): bool {
  let letters = false;
  let digits = false;
  for (; start < end; start++) {
    if (isLetter(byteAt(start))) letters = true;
    else if (isDigit(byteAt(start))) digits = true;
  }
  return letters && digits;
}

// @ts-ignore: decorator
@inline
export function bodyIdAt(block: usize, index: u32): BodyId {
  return changetype<BodyId>(block + BODY_IDS + index * BODY_ID);
}

// @ts-ignore: decorator
@inline
export function bodyIdName(id: BodyId): usize {
  return changetype<usize>(id) + offsetof<BodyId>();
}

// @ts-ignore: decorator
@inline
export function bodyIdValue(id: BodyId): usize {
  return bodyIdName(id) + NAME_ROOM;
}
