// Tags that came in with one request and stand in the page of another (inspect/running.ts): stored cross-site scripting. They are noted by
// their hashes, for ten minutes, by whichever request a detector has reported on; pages that are inspected are asked for them.

import { Part } from "../core/field";
import { isLetter, byteAt } from "../core/bytes";
import { Stage } from "../core/findings";
import { holdsTextNoCase } from "../core/text";
import { Rule, RuleClass } from "../generated/rules";
import { classBit } from "../inspect/bear";
import { note } from "../inspect/note";
import { BodyType, reply, replyEnd, replyStatus, replyType } from "../inspect/reply";
import {
  addPagesOwn,
  findRunning,
  isBrought,
  isPagesOwn,
  runningCount,
  runningEnd,
  runningStart,
} from "../inspect/running";
import { findNote, Index, noteHops, noteHopsEnd } from "../observe/notes";
import { taintAt, taintName, taintNameEnd, taintValue, taintValueEnd, Watch } from "../observe/taint";
import { requestPath, requestPathEnd } from "../policy/request";
import { addArrival, hop, putHop } from "./journey";
import { areStored, fileOne, hashOf, loadBucket, sayStored, seconds } from "./shared-notes";
import { Stream } from "./stream";

/** Notes the tags of the values that detectors have reported on, unless who writes pages sends them. */
export function noteRunning(stream: Stream): void {
  const watch = changetype<Watch>(stream.taints);
  for (let i: u32 = 0; i < watch.count; i++) {
    const taint = taintAt(stream.taints, i);
    if (taint.stored || (taint.classes & classBit(RuleClass.Xss)) == 0) continue;
    taint.stored = true;
    if (holdsTextNoCase(requestPath, requestPathEnd, "admin") || holdsTextNoCase(requestPath, requestPathEnd, "cms")) {
      continue;
    }
    findRunning(taintValue(taint), taintValueEnd(taint));
    for (let tag: u32 = 0; tag < runningCount; tag++) {
      const hash = hashOf(runningStart(tag), runningEnd(tag));
      if (isPagesOwn(hash)) continue;
      const second = seconds();
      fileOne(
        Index.Stored,
        hash,
        0,
        0,
        0,
        second,
        hop,
        putHop(stream, taint.part, taintName(taint), taintNameEnd(taint)),
      );
      sayStored(second);
    }
  }
}

/** Looks for them in the page of a stream, which is the reply at work. */
export function seekStored(stream: Stream, watch: Watch): void {
  if (replyType != BodyType.Html || replyStatus / 100 == 3) return;
  findRunning(reply, replyEnd);
  if (runningCount == 0) return;
  const second = seconds();
  const any = areStored(second);
  for (let tag: u32 = 0; tag < runningCount; tag++) {
    const start = runningStart(tag);
    const end = runningEnd(tag);
    const hash = hashOf(start, end);
    if (isPagesOwn(hash) || isBrought(watch, start, end)) continue;
    let found: usize = 0;
    if (any) {
      loadBucket(hash, second);
      found = findNote(0, Index.Stored, hash);
    }
    if (found == 0) {
      addPagesOwn(hash);
      continue;
    }
    let name = start + 1;
    while (isLetter(byteAt(name))) name++;
    addArrival(stream, Part.ResponseBody, start + 1, name, noteHops(found), noteHopsEnd(found));
    note(Rule.XssStored, Stage.Likely, Part.ResponseBody, start + 1, name, start, end);
  }
}
