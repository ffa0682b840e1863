// What an exchange shows of who may see what: which ids of objects it used and handed out, and who asked. A log record each, for the
// collector, which judges them together: what one replica hands out, another one is asked for. Only where every exchange is observed;
// with less it is not known what was handed out, and each use would look stolen.

import { Char } from "../core/char";
import { byteAt, skipSpaces, withoutPort } from "../core/bytes";
import { host, hostEnd, method, methodEnd } from "../inspect/exchange";
import { findHanded, findUsed, takeLink } from "../inspect/ids";
import { BodyType } from "../inspect/reply";
import { readSubject, subject } from "../inspect/subject";
import { textIs } from "../core/text";
import {
  clearLost,
  handedCount,
  loseExchange,
  lostExchanges,
  openIds,
  setUnseen,
  unseen,
  usedCount,
} from "../observe/ids";
import { Observed, observedLocation } from "../observe/observed";
import { ALL } from "../observe/sample";
import { Watch } from "../observe/taint";
import { Policy } from "../policy/layout";
import { About, ACCESS_CAPACITY, HANDED_AT_ONCE, pushAccess } from "../report/otlp";
import { keepRecord } from "./events";
import { exchangeTime } from "./response";
import { requestIdOf, REPLY_CAPACITY, Stream, traceIdAt } from "./stream";

const ABOUT: usize = memory.data(128, 8);
const RECORD: usize = memory.data(4096, 8);
const RECORD_END: usize = RECORD + 4096;

/** Tells the exchange of a stream, whose request is the one at work, at the endpoint `route..routeEnd`. */
export function tellAccess(stream: Stream, policy: Policy, watch: Watch, route: usize, routeEnd: usize): void {
  if (policy.sample < ALL || stream.outbound) return;
  const answered = watch.status / 100 == 2;
  const created = watch.status == 201 || (watch.status / 100 == 3 && textIs(method, methodEnd, "POST"));
  if (!answered && !created) return;
  readSubject();
  openIds();
  findUsed(subject, watch.observed);
  const observed = changetype<Observed>(watch.observed);
  if (created && observed.locationSize != 0) {
    const location = observedLocation(watch.observed);
    takeLink(location, location + observed.locationSize);
  }
  if (answered) readBody(watch);
  if ((usedCount | handedCount) == 0 && !unseen) return;
  tell(stream, policy, answered, route, routeEnd);
}

function readBody(watch: Watch): void {
  const start = watch.buffer;
  const end = start + watch.size;
  const kind = <BodyType>watch.bodyKind;
  const html = kind == BodyType.Html;
  const json = kind == BodyType.Json || (watch.size != 0 && kind != BodyType.Script && beginsJson(start, end));
  if (!html && !json) return;
  if (watch.torn || watch.size == REPLY_CAPACITY) setUnseen();
  if (watch.size != 0) findHanded(start, end, html);
}

function beginsJson(start: usize, end: usize): bool {
  start = skipSpaces(start, end);
  return byteAt(start) == Char.BraceOpen || byteAt(start) == Char.BracketOpen;
}

function tell(stream: Stream, policy: Policy, answered: bool, route: usize, routeEnd: usize): void {
  if (isDefined(CHECKED)) assert(offsetof<About>() <= 128 && ACCESS_CAPACITY == 4096); // they fit their buffers
  const about = changetype<About>(ABOUT);
  about.time = exchangeTime;
  about.method = method;
  about.methodEnd = methodEnd;
  about.route = route;
  about.routeEnd = routeEnd;
  about.host = host;
  about.hostEnd = withoutPort(host, hostEnd);
  about.requestId = requestIdOf(stream);
  about.traceId = stream.hasTrace ? traceIdAt(stream) : 0;
  for (let from: u32 = 0; ; from += HANDED_AT_ONCE) {
    const record = pushAccess(RECORD_END, about, from, answered && from == 0);
    if (!keepRecord(record, RECORD_END, policy)) return loseExchange();
    clearLost();
    if (from + HANDED_AT_ONCE >= handedCount) return;
  }
}
