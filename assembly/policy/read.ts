// Reads the plugin configuration (the JSON that scripts/policy/compile.ts makes, maybe passed through a protobuf Struct on the
// way: keys in any order, whole numbers as doubles) into the open arena.
//
// Lenient where it cannot ask: a key that it does not know is skipped and counted. Strict where it matters: a key that it knows
// with a value that it cannot read makes the configuration bad; `problem..problemEnd` then points at the place.
//
// The text is walked twice: what holds for all and which workload section is ours, then what that section changes.

import { byteAt, isDigit, putByte, putBytes, sameBytes } from "../core/bytes";
import { Char } from "../core/char";
import { partNamed } from "../core/field";
import { textBytes, textIs, textSize } from "../core/text";
import { CLASS_COUNT } from "../generated/rules";
import { CUSTOM_CWES, customCode, draftCwe, draftRule } from "../match/custom-rules";
import { compilePattern, PATTERN_CAPACITY } from "../match/pattern";
import { className, classNameEnd } from "../match/rules";
import { JsonEvent, JSON_STATE_SIZE, jsonFeed, jsonNext, jsonOpen, jsonPointer, jsonPointerEnd } from "../parse/json";
import { valueEnd, valueStart } from "../parse/value";
import { allocate, shrink } from "./arenas";
import {
  ANY,
  clearSettings,
  Exception,
  EXCEPTION_SIZE,
  CustomRule,
  Direction,
  CUSTOM_RULE_SIZE,
  MAX_RULES,
  Field,
  FieldKind,
  FIELD_SIZE,
  Labelled,
  Match,
  Mode,
  ModeLabel,
  Policy,
  POLICY_SIZE,
  policySettings,
  Route,
  ROUTE_SIZE,
  Scope,
  scopeSettings,
  SCOPE_SIZE,
  Sensitivity,
  setClassMode,
  setClassSensitivity,
  Settings,
  SETTINGS_SIZE,
} from "./layout";
import { prepare } from "./resolve";
import { findLabel, labelIs, labelValue, labelValueEnd, namespaceIs, serviceIs } from "./node";

const STATE: usize = memory.data(<i32>JSON_STATE_SIZE, 16);
/** Where a configuration is at fault: its JSON Pointer; empty for a text that is no JSON object. */
const PROBLEM: usize = memory.data(128);

export let problem: usize = PROBLEM;
export let problemEnd: usize = PROBLEM;

let bad: bool = false;
let unknown: u32 = 0;
let generation: u32 = 0;
/** Rules of its own that the policy has so far. */
let rules: u32 = 0;

/** The policy that an empty file means, and that holds where a configuration is bad at start; in a freshly opened arena. */
export function openDefaultPolicy(): void {
  prepare(defaultPolicy());
}

function defaultPolicy(): Policy {
  const policy = changetype<Policy>(allocate(POLICY_SIZE));
  clearSettings(policySettings(policy));
  policySettings(policy).mode = <u8>Mode.Detect;
  policySettings(policy).sensitivity = <u8>Sensitivity.Balanced;
  policy.generation = ++generation;
  policy.holdBytes = 262144;
  policy.holdMillis = 1000;
  policy.depth = 64;
  policy.work = 67108864;
  policy.sample = 1000;
  policy.onOverflowDeny = true;
  policy.identityMtls = true;
  policy.identityJwt = true;
  return policy;
}

/** The policy that the text `start..end` describes for this node, as the first thing in the open arena; null where it is bad. */
export function readPolicy(start: usize, end: usize): Policy | null {
  bad = false;
  unknown = 0;
  rules = 0;
  problemEnd = problem;
  const policy = defaultPolicy();
  jsonOpen(STATE, MAX_DEPTH);
  jsonFeed(STATE, start, end, true);
  const section = readTop(policy, FIND_SECTION);
  if (!bad && jsonNext(STATE) != JsonEvent.Done) fail();
  if (!bad && section != NO_SECTION) {
    // The section's routes and exceptions go before those for all: the first match wins.
    const routes = policy.routes;
    const exceptions = policy.exceptions;
    const fields = policy.fields;
    const ofAll = policy.rules;
    policy.rules = 0;
    policy.routes = 0;
    policy.exceptions = 0;
    policy.fields = 0;
    unknown = 0;
    jsonOpen(STATE, MAX_DEPTH);
    jsonFeed(STATE, start, end, true);
    readTop(policy, section);
    policy.routes = chained(policy.routes, routes);
    policy.exceptions = chained(policy.exceptions, exceptions);
    policy.fields = chained(policy.fields, fields);
    policy.rules = chained(policy.rules, ofAll);
  }
  if (!policy.dryRun) obeyModeLabel(policy);
  policy.unknownKeys = unknown;
  // Whoever asks what would be found asks about every response.
  if (policy.dryRun) policy.sample = 10000;
  if (!bad && !prepare(policy)) fail();
  return bad ? null : policy;
}

/** Lets the pod's own label change the mode, as far as the policy allows. */
function obeyModeLabel(policy: Policy): void {
  const key = "meshward.dev/mode";
  if (policy.modeLabel == ModeLabel.Ignore || !findLabel(textBytes(key), textBytes(key) + textSize(key))) return;
  const settings = policySettings(policy);
  const asked = modeNamed(labelValue, labelValueEnd);
  if (asked == <u8>Mode.Unset) policy.labelled = <u8>Labelled.Unknown;
  else if (asked < settings.mode && policy.modeLabel != ModeLabel.Any) policy.labelled = <u8>Labelled.Refused;
  else settings.mode = asked;
}

/** `only` of `readTop`: read what holds for all, and look for the section that is ours. */
const FIND_SECTION: i32 = -1;
/** What `readTop` yields where no section is ours. */
const NO_SECTION: i32 = -1;
/** Levels of the configuration: workloads / 0 / routes / 0 / detectors / sqli, and room to spare for unknown keys. */
const MAX_DEPTH: u32 = 24;

/** One walk over the text: all but the sections, yielding the index of ours; or only section `only`. */
function readTop(policy: Policy, only: i32): i32 {
  let section = NO_SECTION;
  if (!opens(JsonEvent.ObjectOpen)) return section;
  while (nextKey()) {
    if (keyIs("workloads")) {
      const found = readWorkloads(policy, only);
      if (found != NO_SECTION) section = found;
    } else if (only != FIND_SECTION) {
      skipValue();
    } else if (keyIs("schema")) readWhole();
    else if (keyIs("policy")) {
      policy.id = readText();
      policy.idEnd = textEnd;
    } else if (keyIs("holdHeaders")) policy.holdHeaders = readBool();
    else if (keyIs("direction")) policy.direction = <u8>readWay();
    else if (keyIs("dryRun")) policy.dryRun = readBool();
    else if (isDefined(CHECKED) && keyIs("explain")) policy.explain = readBool();
    else if (keyIs("identity")) readIdentity(policy);
    else if (keyIs("events")) readEvents(policy);
    else if (!readCommonKey(policy)) skipUnknown();
  }
  return section;
}

/** The keys that stand both at the top and in a section; false where the key is none of them. */
function readCommonKey(policy: Policy): bool {
  if (keyIs("limits")) readLimits(policy);
  else if (keyIs("onError")) policy.onErrorDeny = readDirection("allow");
  else if (keyIs("denial")) readDenial(policy);
  else if (keyIs("routes")) readRoutes(policy);
  else if (keyIs("exceptions")) readExceptions(policy);
  else if (keyIs("rules")) readRules(policy);
  else if (keyIs("observe")) readObserve(policy);
  else if (keyIs("modeLabel")) policy.modeLabel = <u8>readModeLabel();
  else if (keyIs("fields")) policy.fields = readFields(policy);
  else return readSettingsKey(policySettings(policy));
  return true;
}

/** Reads `workloads`: yields the index of the first section that is ours, or reads section `only` into the policy. */
function readWorkloads(policy: Policy, only: i32): i32 {
  let found = NO_SECTION;
  if (!opens(JsonEvent.ArrayOpen)) return found;
  for (let index = 0; !bad; index++) {
    const event = jsonNext(STATE);
    if (event == JsonEvent.ArrayClose) break;
    if (event != JsonEvent.ObjectOpen) {
      fail();
      break;
    }
    let ours = true;
    // A section whose selector this module does not know is nobody's, rather than everybody's.
    let selects = false;
    while (nextKey()) {
      const met = keyIs("any") ? readSelectors() : readSelectorKey();
      if (met != Selects.Unknown) {
        ours = met == Selects.Met && ours;
        selects = true;
      } else if (index != only) skipValue();
      else if (!readCommonKey(policy)) skipUnknown();
    }
    if (ours && selects && found == NO_SECTION) found = index;
  }
  return found;
}

/** What a key of a section says of our node. */
const enum Selects {
  /** Nothing: it is no key of a selector. */
  Unknown = -1,
  Other = 0,
  Met = 1,
}

/** Reads the value of a selector's key; leaves that of any other key. */
function readSelectorKey(): Selects {
  if (keyIs("namespace")) return namespaceIs(readText(), textEnd) ? Selects.Met : Selects.Other;
  if (keyIs("service")) return serviceIs(readText(), textEnd) ? Selects.Met : Selects.Other;
  if (keyIs("labels")) return readLabels() ? Selects.Met : Selects.Other;
  return Selects.Unknown;
}

/** Reads `any`, the selectors of several services of which the same holds. */
function readSelectors(): Selects {
  let any = Selects.Other;
  if (!opens(JsonEvent.ArrayOpen)) return any;
  while (nextItem(JsonEvent.ObjectOpen)) {
    let all = Selects.Unknown;
    while (nextKey()) {
      const met = readSelectorKey();
      if (met == Selects.Unknown) skipUnknown();
      // The least of them counts: one key that is unknown makes it nobody's.
      if (met != Selects.Met) all = Selects.Other;
      else if (all == Selects.Unknown) all = Selects.Met;
    }
    if (all == Selects.Met) any = Selects.Met;
  }
  return any;
}

/** Reads a section's `labels`; whether the node carries each of them. */
function readLabels(): bool {
  let all = true;
  if (!opens(JsonEvent.ObjectOpen)) return false;
  while (nextKey()) {
    const key = copy(valueStart, valueEnd);
    const keyEnd = textEnd;
    all = labelIs(key, keyEnd, readText(), textEnd) && all;
  }
  return all;
}

function readEvents(policy: Policy): void {
  if (!opens(JsonEvent.ObjectOpen)) return;
  while (nextKey()) {
    if (keyIs("cluster")) {
      policy.eventsCluster = readName();
      policy.eventsClusterEnd = textEnd;
    } else if (keyIs("authority")) {
      policy.eventsAuthority = readName();
      policy.eventsAuthorityEnd = textEnd;
    } else if (keyIs("path")) {
      policy.eventsPath = readName();
      policy.eventsPathEnd = textEnd;
    } else if (keyIs("tls")) policy.eventsTls = readBool();
    else skipUnknown();
  }
  if (policy.eventsCluster == 0 || policy.eventsAuthority == 0 || policy.eventsPath == 0) fail();
}

function readLimits(policy: Policy): void {
  if (!opens(JsonEvent.ObjectOpen)) return;
  while (nextKey()) {
    if (keyIs("holdBytes")) policy.holdBytes = readWhole();
    else if (keyIs("holdMillis")) policy.holdMillis = readWhole();
    else if (keyIs("depth")) policy.depth = readWhole();
    else if (keyIs("work")) policy.work = readWhole();
    else if (keyIs("onLimit")) policy.onLimitDeny = readDirection("continue");
    else if (keyIs("onOverflow")) policy.onOverflowDeny = readDirection("allow");
    else if (keyIs("onEncoded")) policy.onEncodedDeny = readDirection("continue");
    else skipUnknown();
  }
}

function readDenial(policy: Policy): void {
  policy.denialStatus = 403;
  policy.denialHeaders = policy.denialHeadersEnd = policy.denialBody = policy.denialBodyEnd = 0;
  if (!opens(JsonEvent.ObjectOpen)) return;
  while (nextKey()) {
    if (keyIs("status")) policy.denialStatus = readWhole();
    else if (keyIs("headers")) {
      policy.denialHeaders = readHeaders();
      policy.denialHeadersEnd = textEnd;
    } else if (keyIs("body")) {
      policy.denialBody = readText();
      policy.denialBodyEnd = textEnd;
      if (textEnd - policy.denialBody > MAX_DENIAL_BODY) fail();
    } else skipUnknown();
  }
  if (policy.denialStatus < 300 || policy.denialStatus > 599) fail();
}

/** Bytes of a denial's body: what report/answer.ts has room for when all of it is request ids. */
const MAX_DENIAL_BODY: usize = 8192;
/** Bytes of a denial's headers, and how many there are. */
const MAX_HEADERS_SIZE: usize = 4096;
const MAX_HEADERS: u32 = 20;

/** Reads an object of texts into pairs of names and values, a NUL behind each; their end is `textEnd`. */
function readHeaders(): usize {
  const start = room(MAX_HEADERS_SIZE);
  if (bad || !opens(JsonEvent.ObjectOpen)) return 0;
  let out = start;
  for (let count: u32 = 0; nextKey(); count++) {
    out = putHeaderText(out, start);
    if (jsonNext(STATE) != JsonEvent.String) fail();
    out = putHeaderText(out, start);
    if (count >= MAX_HEADERS) fail();
  }
  textEnd = out;
  shrink(out);
  return start;
}

/** Writes the current value behind `out` in a block that begins at `start`. */
function putHeaderText(out: usize, start: usize): usize {
  if (bad || out + (valueEnd - valueStart) + 1 > start + MAX_HEADERS_SIZE) fail();
  return bad ? out : putByte(putBytes(out, valueStart, valueEnd), 0);
}

function readObserve(policy: Policy): void {
  if (!opens(JsonEvent.ObjectOpen)) return;
  while (nextKey()) {
    if (keyIs("sample")) policy.sample = min(readWhole(), 10000);
    else if (keyIs("hops")) {
      policy.hops = readList();
      policy.hopsEnd = textEnd;
    } else skipUnknown();
  }
}

function readIdentity(policy: Policy): void {
  if (!opens(JsonEvent.ObjectOpen)) return;
  while (nextKey()) {
    if (keyIs("from")) {
      policy.identityMtls = false;
      policy.identityJwt = false;
      if (!opens(JsonEvent.ArrayOpen)) return;
      while (nextItem(JsonEvent.String)) {
        if (valueIs("mtls")) policy.identityMtls = true;
        else if (valueIs("jwt")) policy.identityJwt = true;
        else return fail();
      }
    } else if (keyIs("trustedHops")) {
      // Envoy's own (`xff_num_trusted_hops`): it has chosen the client address before the module asks for it.
      readWhole();
    } else {
      skipUnknown();
    }
  }
}

/** `mode`, `sensitivity` and `detectors`; false where the key is none of them. */
function readSettingsKey(settings: Settings): bool {
  if (keyIs("mode")) settings.mode = readMode();
  else if (keyIs("sensitivity")) settings.sensitivity = readSensitivity();
  else if (keyIs("detectors")) readDetectors(settings);
  else return false;
  return true;
}

function readDetectors(settings: Settings): void {
  if (!opens(JsonEvent.ObjectOpen)) return;
  while (nextKey()) {
    const ruleClass = classNamed(valueStart, valueEnd);
    if (ruleClass < 0) {
      skipUnknown();
      continue;
    }
    if (!opens(JsonEvent.ObjectOpen)) return;
    while (nextKey()) {
      if (keyIs("mode")) setClassMode(settings, ruleClass, readMode());
      else if (keyIs("sensitivity")) setClassSensitivity(settings, ruleClass, readSensitivity());
      else skipUnknown();
    }
  }
}

function readRoutes(policy: Policy): void {
  let last: usize = 0;
  if (!opens(JsonEvent.ArrayOpen)) return;
  while (nextItem(JsonEvent.ObjectOpen)) {
    const route = changetype<Route>(room(ROUTE_SIZE));
    if (bad) return;
    const settings = changetype<Settings>(ROUTE_SETTINGS);
    clearSettings(settings);
    while (nextKey()) {
      if (keyIs("fields")) route.fields = readFields(policy);
      else if (keyIs("paths")) readPaths(route);
      else if (!readMatchKey(route) && !readSettingsKey(settings)) skipUnknown();
    }
    const scope = scopeWith(policy, settings);
    if (scope === null) return;
    if (last == 0) policy.routes = chained(policy.routes, changetype<usize>(route));
    else store<usize>(last, changetype<usize>(route));
    for (let at: Route | null = route; at !== null; at = changetype<Route | null>(at.next)) {
      at.host = route.host;
      at.hostEnd = route.hostEnd;
      at.methods = route.methods;
      at.methodsEnd = route.methodsEnd;
      at.fields = route.fields;
      at.scope = scope;
      last = changetype<usize>(at);
    }
  }
}

/** Reads `paths`: `first` has the first of them, and a chain of routes behind it that differ in nothing else. */
function readPaths(first: Route): void {
  let route: Route | null = null;
  if (!opens(JsonEvent.ArrayOpen)) return;
  while (nextItem(JsonEvent.String)) {
    const next = route === null ? first : changetype<Route>(room(ROUTE_SIZE));
    if (bad) return;
    next.path = copy(valueStart, valueEnd);
    next.pathEnd = textEnd;
    if (route !== null) route.next = changetype<usize>(next);
    route = next;
  }
  // A route without a path would be one for all.
  if (route === null) fail();
}

/** What the route says that is being read. */
const ROUTE_SETTINGS: usize = memory.data(<i32>SETTINGS_SIZE, 8);

/** The scope of the policy that says just this, made where there is none; null where the arena is full. */
function scopeWith(policy: Policy, settings: Settings): Scope | null {
  for (let at = policy.scopes; at != 0; at = changetype<Scope>(at).next) {
    const known = changetype<usize>(scopeSettings(changetype<Scope>(at)));
    if (memory.compare(known, changetype<usize>(settings), SETTINGS_SIZE) == 0) return changetype<Scope>(at);
  }
  const scope = changetype<Scope>(room(SCOPE_SIZE));
  if (bad) return null;
  memory.copy(changetype<usize>(scopeSettings(scope)), changetype<usize>(settings), SETTINGS_SIZE);
  scope.next = policy.scopes;
  policy.scopes = changetype<usize>(scope);
  return scope;
}

/** Reads `fields` into a chain. */
function readFields(policy: Policy): usize {
  let chain: usize = 0;
  let last: usize = 0;
  if (!opens(JsonEvent.ArrayOpen)) return chain;
  while (nextItem(JsonEvent.ObjectOpen)) {
    const field = changetype<Field>(room(FIELD_SIZE));
    if (bad) return chain;
    field.part = ANY;
    field.kind = FieldKind.Unknown;
    while (nextKey()) {
      if (keyIs("part")) field.part = readPart();
      else if (keyIs("name")) {
        field.name = readText();
        field.nameEnd = textEnd;
      } else if (keyIs("kind")) field.kind = readKind();
      else {
        skipUnknown();
        // One that says more than this module understands must not loosen what it was not meant to.
        field.part = ANY - 1;
      }
    }
    if (last == 0) chain = changetype<usize>(field);
    else store<usize>(last, changetype<usize>(field));
    last = changetype<usize>(field);
    policy.hasFields = true;
  }
  return chain;
}

/** Reads the policy's own rules. One that says more than this module understands is left out, so that it cannot refuse too much. */
function readRules(policy: Policy): void {
  if (!opens(JsonEvent.ArrayOpen)) return;
  while (nextItem(JsonEvent.ObjectOpen)) {
    const rule = changetype<CustomRule>(room(CUSTOM_RULE_SIZE));
    if (bad) return;
    rule.part = ANY;
    let id: usize = 0;
    let idEnd: usize = 0;
    let ruleClass: u32 = ANY;
    let severity: u32 = 0;
    let mode: u32 = Mode.Block;
    let understood = true;
    let cwes: usize = 0;
    let cwesEnd: usize = 0;
    while (nextKey()) {
      if (keyIs("id")) {
        id = readText();
        idEnd = textEnd;
      } else if (keyIs("class")) ruleClass = readClass();
      else if (keyIs("severity")) severity = readWhole();
      else if (keyIs("confidence")) rule.confidence = min(readWhole(), 100);
      else if (keyIs("mode")) mode = readMode();
      else if (keyIs("cwe")) {
        cwes = readNumbers();
        cwesEnd = textEnd;
      } else if (keyIs("part")) rule.part = readPart();
      else if (keyIs("name")) {
        rule.name = readText();
        rule.nameEnd = textEnd;
      } else if (keyIs("patterns")) rule.patterns = readPatterns();
      else if (keyIs("expires")) rule.expires = readWhole();
      else if (!readMatchKey(rule)) {
        skipUnknown();
        understood = false;
      }
    }
    if (!understood || ruleClass >= CLASS_COUNT) continue;
    if (++rules > MAX_RULES) return fail();
    draftRule(ruleClass, min(severity, 4), mode, id, idEnd);
    for (; cwes < cwesEnd; cwes += 4) draftCwe(load<u32>(cwes));
    rule.code = customCode();
    policy.rules = chained(policy.rules, changetype<usize>(rule));
  }
}

/** Reads a list of whole numbers, four bytes each; its end is `textEnd`. */
function readNumbers(): usize {
  const start = room(CUSTOM_CWES * 4);
  if (bad || !opens(JsonEvent.ArrayOpen)) return 0;
  textEnd = start;
  while (nextItem(JsonEvent.Number)) {
    const number = wholeValue();
    if (textEnd < start + CUSTOM_CWES * 4) {
      store<u32>(textEnd, number);
      textEnd += 4;
    }
  }
  return start;
}

/** Reads a list of patterns into a chain. */
function readPatterns(): usize {
  let chain: usize = 0;
  if (!opens(JsonEvent.ArrayOpen)) return chain;
  while (nextItem(JsonEvent.String)) chain = chained(chain, compiled());
  return chain;
}

/** Reads a pattern. */
function readPattern(): usize {
  if (jsonNext(STATE) != JsonEvent.String) fail();
  return compiled();
}

/** The pattern in the current value, compiled into the arena. */
function compiled(): usize {
  const pattern = room(PATTERN_CAPACITY);
  if (bad) return 0;
  const end = compilePattern(valueStart, valueEnd, pattern);
  if (end == 0) fail();
  else shrink(end);
  return pattern;
}

/** Two chains of entries that begin with `next`, as one. */
function chained(chain: usize, more: usize): usize {
  if (chain == 0) return more;
  let last = chain;
  while (load<usize>(last) != 0) last = load<usize>(last);
  store<usize>(last, more);
  return chain;
}

function readKind(): u32 {
  if (jsonNext(STATE) != JsonEvent.String) fail();
  if (valueIs("html")) return FieldKind.Html;
  if (valueIs("sql")) return FieldKind.Sql;
  if (valueIs("code")) return FieldKind.Code;
  if (valueIs("url")) return FieldKind.Url;
  if (valueIs("text")) return FieldKind.Text;
  if (valueIs("id")) return FieldKind.Id;
  return FieldKind.Unknown;
}

function readExceptions(policy: Policy): void {
  let last: usize = 0;
  if (!opens(JsonEvent.ArrayOpen)) return;
  while (nextItem(JsonEvent.ObjectOpen)) {
    const exception = changetype<Exception>(room(EXCEPTION_SIZE));
    if (bad) return;
    exception.ruleClass = ANY;
    exception.part = ANY;
    let understood = true;
    while (nextKey()) {
      if (keyIs("id")) {
        exception.id = readText();
        exception.idEnd = textEnd;
      } else if (keyIs("rules")) {
        exception.rules = readList();
        exception.rulesEnd = textEnd;
      } else if (keyIs("class")) exception.ruleClass = readClass();
      else if (keyIs("part")) exception.part = readPart();
      else if (keyIs("name")) {
        exception.name = readText();
        exception.nameEnd = textEnd;
      } else if (keyIs("identity")) {
        exception.identity = readText();
        exception.identityEnd = textEnd;
        policy.asksIdentity = true;
      } else if (keyIs("value")) exception.value = readPattern();
      else if (keyIs("expires")) exception.expires = readWhole();
      else if (!readMatchKey(exception)) {
        skipUnknown();
        understood = false;
      }
    }
    // One that says more than this module understands must not except more than it was meant to.
    if (!understood) exception.expires = 1;
    if (last == 0) policy.exceptions = chained(policy.exceptions, changetype<usize>(exception));
    else store<usize>(last, changetype<usize>(exception));
    last = changetype<usize>(exception);
  }
}

/** `host`, `path` and `methods`; false where the key is none of them. */
function readMatchKey(match: Match): bool {
  if (keyIs("host")) {
    match.host = readText();
    match.hostEnd = textEnd;
  } else if (keyIs("path")) {
    match.path = readText();
    match.pathEnd = textEnd;
  } else if (keyIs("methods")) {
    match.methods = readList();
    match.methodsEnd = textEnd;
  } else {
    return false;
  }
  return true;
}

// --- values -------------------------------------------------------------------------------------------------------------

/** The end of what `readText` or `readList` has read. */
let textEnd: usize = 0;

function readMode(): u8 {
  const mode = jsonNext(STATE) == JsonEvent.String ? modeNamed(valueStart, valueEnd) : <u8>Mode.Unset;
  if (mode == <u8>Mode.Unset) fail();
  return mode;
}

/** The mode of that name; `Unset` where it is none. */
function modeNamed(start: usize, end: usize): u8 {
  if (textIs(start, end, "off")) return <u8>Mode.Off;
  if (textIs(start, end, "detect")) return <u8>Mode.Detect;
  return textIs(start, end, "block") ? <u8>Mode.Block : <u8>Mode.Unset;
}

function readModeLabel(): ModeLabel {
  if (jsonNext(STATE) == JsonEvent.String) {
    if (valueIs("raise")) return ModeLabel.Raise;
    if (valueIs("any")) return ModeLabel.Any;
    if (valueIs("ignore")) return ModeLabel.Ignore;
  }
  fail();
  return ModeLabel.Ignore;
}

function readSensitivity(): u8 {
  if (jsonNext(STATE) == JsonEvent.String) {
    if (valueIs("low")) return <u8>Sensitivity.Low;
    if (valueIs("balanced")) return <u8>Sensitivity.Balanced;
    if (valueIs("high")) return <u8>Sensitivity.High;
  }
  fail();
  return <u8>Sensitivity.Unset;
}

/** A fail direction: true for `deny`, false for the word that lets go. */
function readDirection(open: string): bool {
  if (jsonNext(STATE) == JsonEvent.String) {
    if (valueIs("deny")) return true;
    if (textIs(valueStart, valueEnd, open)) return false;
  }
  fail();
  return false;
}

function readWay(): Direction {
  if (jsonNext(STATE) == JsonEvent.String) {
    if (valueIs("inbound")) return Direction.Inbound;
    if (valueIs("outbound")) return Direction.Outbound;
  }
  fail();
  return Direction.Ask;
}

function readClass(): u32 {
  if (jsonNext(STATE) == JsonEvent.String) {
    const ruleClass = classNamed(valueStart, valueEnd);
    // A class that came after this module: nothing of it can be found, so nothing is excepted.
    return ruleClass < 0 ? ANY - 1 : ruleClass;
  }
  fail();
  return ANY;
}

/** The code of the class of that name, or -1 where no rule of this module has it. */
function classNamed(start: usize, end: usize): i32 {
  for (let id: u32 = 0; id < CLASS_COUNT; id++) {
    if (sameBytes(className(id), classNameEnd(id), start, end)) return id;
  }
  return -1;
}

function readPart(): u32 {
  if (jsonNext(STATE) == JsonEvent.String) {
    const part = partNamed(valueStart, valueEnd);
    return part < 0 ? ANY - 1 : part;
  }
  fail();
  return ANY;
}

function readBool(): bool {
  if (jsonNext(STATE) == JsonEvent.Literal) {
    if (valueIs("true")) return true;
    if (valueIs("false")) return false;
  }
  fail();
  return false;
}

/** A whole number from 0 to 2³²-1, as JSON or as a double prints it: 5, 5.0, 5e+00, 2.62144e+05. */
function readWhole(): u32 {
  if (jsonNext(STATE) == JsonEvent.Number) return wholeValue();
  fail();
  return 0;
}

/** The current value as a whole number. */
function wholeValue(): u32 {
  let at = valueStart;
  let digits: u64 = 0;
  let scale: i32 = 0;
  let point = false;
  for (; at < valueEnd && (isDigit(byteAt(at)) || byteAt(at) == Char.Dot); at++) {
    if (byteAt(at) == Char.Dot) {
      point = true;
      continue;
    }
    if (digits > 99999999999999999) break;
    digits = digits * 10 + (byteAt(at) - Char._0);
    if (point) scale--;
  }
  if (at < valueEnd && (byteAt(at) | 0x20) == Char.e) {
    at++;
    const negative = at < valueEnd && byteAt(at) == Char.Dash;
    if (at < valueEnd && (byteAt(at) == Char.Dash || byteAt(at) == Char.Plus)) at++;
    let exponent: i32 = 0;
    for (; at < valueEnd && isDigit(byteAt(at)) && exponent < 100; at++) {
      exponent = exponent * 10 + <i32>(byteAt(at) - Char._0);
    }
    scale += negative ? -exponent : exponent;
  }
  for (; scale > 0 && digits <= u32.MAX_VALUE; scale--) digits *= 10;
  for (; scale < 0 && digits % 10 == 0 && digits != 0; scale++) digits /= 10;
  if (at != valueEnd || (scale < 0 && digits != 0) || digits > u32.MAX_VALUE) fail();
  return <u32>digits;
}

/** A string, copied into the arena; its end is `textEnd`. */
function readText(): usize {
  if (jsonNext(STATE) != JsonEvent.String) fail();
  return copy(valueStart, valueEnd);
}

/** A string of at least one byte and at most `MAX_NAME`. */
function readName(): usize {
  const name = readText();
  if (textEnd == name || textEnd - name > MAX_NAME) fail();
  return name;
}

const MAX_NAME: usize = 512;

/** A list of strings, copied into the arena with a comma behind each; its end is `textEnd`. */
function readList(): usize {
  if (!opens(JsonEvent.ArrayOpen)) return 0;
  const start = room(MAX_LIST);
  if (bad) return 0;
  let out = start;
  while (nextItem(JsonEvent.String)) {
    if (out + (valueEnd - valueStart) + 1 > start + MAX_LIST) {
      fail();
      break;
    }
    out = putBytes(out, valueStart, valueEnd);
    out = putByte(out, Char.Comma);
  }
  textEnd = out;
  shrink(out);
  return start;
}

/** Bytes of a list of methods or rule patterns. */
const MAX_LIST: usize = 512;

function copy(start: usize, end: usize): usize {
  const text = room(end - start);
  textEnd = bad ? text : putBytes(text, start, end);
  return text;
}

/** `size` bytes of the arena; where it is full the configuration is bad and the address 0. */
function room(size: usize): usize {
  const block: usize = bad ? 0 : allocate(size);
  if (block == 0) fail();
  return block;
}

// --- walking ------------------------------------------------------------------------------------------------------------

/** Whether the next value opens as `event`; where not, the configuration is bad. */
function opens(event: JsonEvent): bool {
  if (bad) return false;
  if (jsonNext(STATE) != event) fail();
  return !bad;
}

/** Steps to the next key of the open object; false behind its end. */
function nextKey(): bool {
  if (bad) return false;
  const event = jsonNext(STATE);
  if (event == JsonEvent.Key) return true;
  if (event != JsonEvent.ObjectClose) fail();
  return false;
}

/** Steps to the next item of the open array, which must come as `event`; false behind its end. */
function nextItem(event: JsonEvent): bool {
  if (bad) return false;
  const next = jsonNext(STATE);
  if (next == event) return true;
  if (next != JsonEvent.ArrayClose) fail();
  return false;
}

// @ts-ignore: decorator
@inline
function keyIs(name: string): bool {
  return textIs(valueStart, valueEnd, name);
}

// @ts-ignore: decorator
@inline
function valueIs(text: string): bool {
  return textIs(valueStart, valueEnd, text);
}

function skipUnknown(): void {
  unknown++;
  skipValue();
}

/** Steps over the value of the current key. */
function skipValue(): void {
  let depth = 0;
  do {
    const event = jsonNext(STATE);
    if (event == JsonEvent.ObjectOpen || event == JsonEvent.ArrayOpen) depth++;
    else if (event == JsonEvent.ObjectClose || event == JsonEvent.ArrayClose) depth--;
    else if (event > JsonEvent.ArrayClose) fail();
  } while (depth > 0 && !bad);
}

function fail(): void {
  if (bad) return;
  bad = true;
  problemEnd = putBytes(problem, jsonPointer(STATE), jsonPointerEnd(STATE));
}
