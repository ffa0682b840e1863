// What a response shows of its service without an attack. Such a flaw is there in each response, so it is told once in a while for an
// endpoint (observe/once.ts). It decides nothing.

import { Part } from "../core/field";
import { addFinding, Basis, Stage } from "../core/findings";
import { HASH_SEED, hashBytes } from "../core/hash";
import { putEvidence } from "../detect/finding";
import { ruleConfidence } from "../match/rules";
import { isTold, markTold } from "../observe/once";
import { tellAgain } from "./bear";
import { endpoint } from "./exchange";

/** Nanoseconds since the epoch, of the callback at work; 0 where everything is told that is there. */
let time: u64 = 0;

export function setTime(nanoseconds: u64): void {
  time = nanoseconds;
}

/** Notes `rule` at a part of the exchange, by its name (of a header, a cookie, a parameter; empty for none): `start..end` shows it. */
export function note(rule: u32, stage: Stage, part: Part, name: usize, nameEnd: usize, start: usize, end: usize): void {
  // What is surer than what was told is told, too.
  const what = ((<u64>stage) << 32) | ((<u64>rule) << 8) | part;
  const place = hashBytes(name, nameEnd, (HASH_SEED ^ endpoint) * 0x100000001b3) ^ what;
  // The last steps of FNV-1a leave the upper bits poor.
  if (time != 0 && isTold((place ^ (place >> 29)) * 0x9e3779b97f4a7c15, time)) return;
  const finding = addFinding(rule, ruleConfidence(rule), part, name, nameEnd);
  if (finding === null) return;
  if (time != 0) markTold();
  finding.basis = <u8>Basis.Trait;
  finding.stage = <u8>stage;
  putEvidence(finding, start, end);
  tellAgain();
}
