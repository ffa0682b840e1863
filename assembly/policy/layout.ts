// The policy in force, as laid out in an arena by policy/read.ts. Addresses point into the same arena, so a policy is dropped
// as a whole. Defaults are those of an empty policy (design.md, section 5).

/** What is done about a decisive finding. Ordered: a detector's own mode can only lower that of the stream. */
export const enum Mode {
  Off = 0,
  Detect = 1,
  Block = 2,
  /** Not said here: the next outer level decides. */
  Unset = 255,
}

/** How sure a finding must be to decide. */
export const enum Sensitivity {
  Low = 0,
  Balanced = 1,
  High = 2,
  Unset = 255,
}

/** The confidence at which a finding decides, for each sensitivity. */
export function threshold(sensitivity: Sensitivity): u32 {
  return sensitivity == Sensitivity.Low ? 80 : sensitivity == Sensitivity.High ? 40 : 60;
}

/** Room for one byte a rule class in the tables below; class codes are the positions in the contract's list. */
export const CLASSES: u32 = 32;

/** What is said for detectors at one level of the policy: mode and sensitivity by class. */
// @ts-ignore: decorator
@unmanaged
export class Settings {
  mode: u8;
  sensitivity: u8;
  reserved: u16;
  // u8 mode[CLASSES], u8 sensitivity[CLASSES]
}

export const SETTINGS_SIZE: u32 = offsetof<Settings>() + 2 * CLASSES;

// @ts-ignore: decorator
@inline
export function classMode(settings: Settings, ruleClass: u32): u8 {
  return load<u8>(changetype<usize>(settings) + offsetof<Settings>() + ruleClass);
}

// @ts-ignore: decorator
@inline
export function setClassMode(settings: Settings, ruleClass: u32, mode: u8): void {
  store<u8>(changetype<usize>(settings) + offsetof<Settings>() + ruleClass, mode);
}

// @ts-ignore: decorator
@inline
export function classSensitivity(settings: Settings, ruleClass: u32): u8 {
  return load<u8>(changetype<usize>(settings) + offsetof<Settings>() + CLASSES + ruleClass);
}

// @ts-ignore: decorator
@inline
export function setClassSensitivity(settings: Settings, ruleClass: u32, sensitivity: u8): void {
  store<u8>(changetype<usize>(settings) + offsetof<Settings>() + CLASSES + ruleClass, sensitivity);
}

/** Says nothing at this level. */
export function clearSettings(settings: Settings): void {
  memory.fill(changetype<usize>(settings), <u8>Mode.Unset, SETTINGS_SIZE);
}

/** Which way the requests go that the filter sees. */
export const enum Direction {
  /** The host knows, of each. */
  Ask = 0,
  /** To the service. */
  Inbound = 1,
  /** The service's own calls: observed, and never refused. */
  Outbound = 2,
}

/** What the pod's label `meshward.dev/mode` may do to the mode that the policy gives to the workload. */
export const enum ModeLabel {
  Raise = 0,
  /** Lower it, too. */
  Any = 1,
  Ignore = 2,
}

/** What became of that label. */
export const enum Labelled {
  /** There is nothing to tell: it set the mode, or is not there. */
  Obeyed = 0,
  /** It asks for less than the policy allows. */
  Refused = 1,
  /** It names no mode. */
  Unknown = 2,
}

/** The part of a policy that a stream carries: limits and fail directions. */
// @ts-ignore: decorator
@unmanaged
export class Policy {
  /** 12 hex digits of the policy's hash. */
  id: usize;
  idEnd: usize;
  holdBytes: u32;
  holdMillis: u32;
  depth: u32;
  /** Units of work that a body may cost. */
  work: u32;
  /** Share of the responses that are inspected at most, in hundredths of a percent. */
  sample: u32;
  /** Hosts whose sidecars are told of values, a comma behind each; empty for those of a cluster. */
  hops: usize;
  hopsEnd: usize;
  /** Whether Envoy was told `allow_on_headers_stop_iteration`. */
  holdHeaders: bool;
  direction: u8;
  /** `ModeLabel`, and `Labelled`. */
  modeLabel: u8;
  labelled: u8;
  /** Judge everything, even where the mode is off, and refuse nothing. */
  dryRun: bool;
  /** Log what is done with each value; only the checked build can. */
  explain: bool;
  onErrorDeny: bool;
  onLimitDeny: bool;
  onOverflowDeny: bool;
  onEncodedDeny: bool;
  /** HTTP status of the policy's own denial, 0 where it has none. */
  denialStatus: u32;
  /** Its headers: names and values, a NUL behind each. */
  denialHeaders: usize;
  denialHeadersEnd: usize;
  denialBody: usize;
  denialBodyEnd: usize;
  identityMtls: bool;
  identityJwt: bool;
  /** An exception names an identity. */
  asksIdentity: bool;
  /** Where events go: Envoy's cluster, and the request's authority and path; 0 where there are none. */
  eventsCluster: usize;
  eventsClusterEnd: usize;
  eventsAuthority: usize;
  eventsAuthorityEnd: usize;
  eventsPath: usize;
  eventsPathEnd: usize;
  eventsTls: bool;
  /** Keys that this module does not know, ignored. */
  unknownKeys: u32;
  /** Chains in the order of the policy, and their tries (policy/trie.ts), 0 where there is none. */
  routes: usize;
  routeTrie: usize;
  exceptions: usize;
  exceptionTrie: usize;
  /** Rules of the policy's own, at most `MAX_RULES`. */
  rules: usize;
  ruleTrie: usize;
  /** What its routes say. */
  scopes: usize;
  /** Differs between policies: says whether what a stream has found was decided on by this one. */
  generation: u32;
  /** Declared kinds of fields, for all routes. */
  fields: usize;
  fieldTrie: usize;
  /** Some route, or all of them, declare fields. */
  hasFields: bool;
  /** What holds where no route matches, as policy/resolve.ts lays it out. */
  effective: usize;
  // Settings
}

export const POLICY_SIZE: u32 = offsetof<Policy>() + SETTINGS_SIZE;

// @ts-ignore: decorator
@inline
export function policySettings(policy: Policy): Settings {
  return changetype<Settings>(changetype<usize>(policy) + offsetof<Policy>());
}

/** An entry of a list of the policy. */
// @ts-ignore: decorator
@unmanaged
export class Entry {
  /** The next in the order of the policy. */
  next: usize;
  /** The next, in that order, at the same node of policy/trie.ts. */
  along: usize;
  /** Its place in that order, from 0. */
  position: u32;
}

/** An entry of `routes`, `exceptions` or `rules`, and which requests it speaks of; an empty span matches all. */
// @ts-ignore: decorator
@unmanaged
export class Match extends Entry {
  host: usize;
  hostEnd: usize;
  path: usize;
  pathEnd: usize;
  /** Methods, each followed by a comma. */
  methods: usize;
  methodsEnd: usize;
}

/** What routes say, kept once for all that say the same. */
// @ts-ignore: decorator
@unmanaged
export class Scope {
  next: usize;
  /** What holds for their requests, as policy/resolve.ts lays it out. */
  effective: usize;
  // Settings
}

// @ts-ignore: decorator
@inline
export function scopeSettings(scope: Scope): Settings {
  return changetype<Settings>(changetype<usize>(scope) + offsetof<Scope>());
}

export const SCOPE_SIZE: u32 = offsetof<Scope>() + SETTINGS_SIZE;

/** One entry of `routes`. */
// @ts-ignore: decorator
@unmanaged
export class Route extends Match {
  scope: Scope;
  /** Chain of its fields in the order of the policy, and their trie, 0 where there is none. */
  fields: usize;
  fieldTrie: usize;
}

export const ROUTE_SIZE: u32 = offsetof<Route>();

/** What a field holds, as the policy declares it. */
export const enum FieldKind {
  Html = 0,
  Sql = 1,
  Code = 2,
  Url = 3,
  Text = 4,
  Id = 5,
  /** A kind that came after this module. */
  Unknown = 255,
}

/** One entry of `fields`. */
// @ts-ignore: decorator
@unmanaged
export class Field extends Entry {
  name: usize;
  nameEnd: usize;
  /** Part code, or `ANY`. */
  part: u32;
  kind: u32;
}

export const FIELD_SIZE: u32 = offsetof<Field>();

/** One entry of `exceptions`; an empty span matches all. */
// @ts-ignore: decorator
@unmanaged
export class Exception extends Match {
  id: usize;
  idEnd: usize;
  /** Rule ids or `prefix*`, each followed by a comma. */
  rules: usize;
  rulesEnd: usize;
  name: usize;
  nameEnd: usize;
  identity: usize;
  identityEnd: usize;
  /** Seconds since the epoch at which it ends; 0 for never. */
  expires: u64;
  /** Compiled pattern of the value (match/pattern.ts), 0 for any. */
  value: usize;
  /** Class code, or `ANY`. */
  ruleClass: u32;
  /** Part code, or `ANY`. */
  part: u32;
}

export const EXCEPTION_SIZE: u32 = offsetof<Exception>();

/** One of the policy's own rules; an empty span matches all. */
// @ts-ignore: decorator
@unmanaged
export class CustomRule extends Match {
  name: usize;
  nameEnd: usize;
  /** Chain of compiled patterns, any of which the value must hold; 0 for any value. */
  patterns: usize;
  /** Seconds since the epoch at which it ends; 0 for never. */
  expires: u64;
  /** As findings name it (match/custom-rules.ts). */
  code: u32;
  confidence: u32;
  /** Part code, or `ANY`. */
  part: u32;
}

export const CUSTOM_RULE_SIZE: u32 = offsetof<CustomRule>();
/** Rules of its own that a policy can have: one bit each. */
export const MAX_RULES: u32 = 64;

export const ANY: u32 = 255;
