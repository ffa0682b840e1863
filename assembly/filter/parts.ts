// The parts of a multipart body: what their headers say, and whether their content is a value, a file or parts again.

import { Part, setField } from "../core/field";
import { skipBlank } from "../core/scan";
import { textIsNoCase, textStartsNoCase } from "../core/text";
import { found } from "../detect/finding";
import { claimOfType } from "../detect/upload";
import { Rule } from "../generated/rules";
import { ruleConfidence } from "../match/rules";
import {
  feedMultipart,
  isNews,
  MultipartEvent,
  namePart,
  nextMultipart,
  openMultipart,
  partName,
  partNameEnd,
  partTags,
  skipContent,
  tagPart,
} from "../parse/multipart";
import { openPart, PartValue, partValueCount, partValueEnd, partValueKind, partValueStart } from "../parse/part";
import { valueEnd, valueStart, valueWindowed } from "../parse/value";
import { decodeBase64, decodeQuotedPrintable } from "../parse/word";
import { Overflow } from "../report/counters";
import { decideNow, judgeFile, judgeFileName, judgeSkipped, judgeValue, met, NOTHING, passBound } from "./judgement";
import { kindOfType } from "./media-type";
import { BodyKind } from "./stream";

/** The state of a body in parts that is the content of a part. Owner: this file. */
const INNER: usize = memory.data(768, 8);

/** Judges the next piece of a body in parts. */
export function judgeParts(state: usize, start: usize, end: usize, last: bool): void {
  feedMultipart(state, start, end, last);
  while (true) {
    switch (nextMultipart(state)) {
      case MultipartEvent.Part:
        judgePartHeaders(state);
        break;
      case MultipartEvent.Content:
        judgePartContent(state);
        break;
      case MultipartEvent.Outside:
        if (skipBlank(valueStart, valueEnd) == valueEnd) break;
        if (isNews(state)) passBound(Overflow.Malformed);
        setField(Part.Body, 0, 0);
        judgeValue(valueStart, valueEnd);
        break;
      case MultipartEvent.Malformed:
        if (!isNews(state) || met != NOTHING) break;
        passBound(Overflow.Malformed);
        setField(Part.Body, 0, 0);
        found(Rule.ProtocolParts, ruleConfidence(Rule.ProtocolParts), 0, 0);
        decideNow();
        break;
      case MultipartEvent.Skipped:
        setField(Part.Multipart, partName(state), partNameEnd(state));
        tagPart(state, judgeSkipped(partTags(state), valueStart, valueEnd), true);
        break;
      default:
        return;
    }
  }
}

/** Bits of a part's tags that this file keeps; the others are claims of detect/upload.ts. */
const enum PartTag {
  /** Its content is a body in parts. */
  Parts = 1,
  /** It is a file. */
  File = 1 << 16,
  /** Content of it was judged. */
  Begun = 1 << 17,
  Base64 = 1 << 18,
  Quoted = 1 << 19,
}

/** Names the part at work and judges what its headers say. */
function judgePartHeaders(state: usize): void {
  openPart(valueStart, valueEnd);
  const count = partValueCount();
  let named = false;
  for (let i: usize = 0; i < count; i++) {
    if (partValueKind(i) != PartValue.Name) continue;
    named = true;
    namePart(state, partValueStart(i), partValueEnd(i));
  }
  setField(Part.Multipart, partName(state), partNameEnd(state));
  let tags: u32 = 0;
  let readable = true;
  for (let i: usize = 0; i < count; i++) {
    const start = partValueStart(i);
    const end = partValueEnd(i);
    switch (<u32>partValueKind(i)) {
      case PartValue.FileName:
        tags |= PartTag.File | judgeFileName(start, end);
        break;
      case PartValue.Type: {
        if (textStartsNoCase(start, end, "multipart/")) tags |= PartTag.Parts;
        else tags |= claimOfType(start, end);
        const kind = kindOfType(start, end);
        readable = kind != BodyKind.Probe && (kind < BodyKind.MessagePack || kind == BodyKind.Graphql);
        break;
      }
      case PartValue.Encoding:
        if (textIsNoCase(start, end, "base64")) tags |= PartTag.Base64;
        if (textIsNoCase(start, end, "quoted-printable")) tags |= PartTag.Quoted;
        break;
    }
    judgeValue(start, end);
  }
  // What has neither a name nor a type that a service reads is a file, too (multipart/related).
  if (!named && !readable) tags |= PartTag.File;
  tagPart(state, tags, (tags & PartTag.File) != 0);
}

function judgePartContent(state: usize): void {
  const tags = partTags(state);
  setField(Part.Multipart, partName(state), partNameEnd(state));
  // One level, and only where it stands whole: its boundary is that of its first line.
  if ((tags & PartTag.Parts) != 0 && state != INNER && !valueWindowed) {
    openMultipart(INNER, 0, 0);
    judgeParts(INNER, valueStart, valueEnd, true);
    return;
  }
  const first = (tags & PartTag.Begun) == 0;
  tagPart(state, tags | PartTag.Begun, (tags & PartTag.File) != 0);
  // Services that know no transfer encoding take the content as it stands.
  const start = valueStart;
  const end = valueEnd;
  const windowed = valueWindowed;
  const decodedEnd = decodeContent(first ? tags : tags & PartTag.Quoted, start, end);
  if ((tags & PartTag.File) == 0) {
    if (decodedEnd != DECODED) judgeValue(DECODED, decodedEnd);
    judgeValue(start, end);
    return;
  }
  if (decodedEnd != DECODED) judgeFile(tags, DECODED, decodedEnd, true, !windowed);
  if (!judgeFile(tags, start, end, first, !windowed)) skipContent(state);
}

/** Takes the transfer encoding off a window of content; returns the end of what is in DECODED then. */
function decodeContent(tags: u32, start: usize, end: usize): usize {
  if ((tags & PartTag.Base64) != 0) return decodeBase64(start, end, DECODED);
  return (tags & PartTag.Quoted) != 0 ? decodeQuotedPrintable(start, end, DECODED) : DECODED;
}

/** A window of content without its transfer encoding, and what readers look at behind it. Owner: this file. */
const DECODED: usize = memory.data(16448, 16);
