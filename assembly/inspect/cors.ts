// Who may read a response from a page of another site, by its headers Access-Control-Allow-*: Fetch Standard, 3.3.
//
// Only with credentials it matters. An origin that comes back may stand in a list of the service's. So the endpoint is remembered: where
// it has refused another site nothing is said, and once two sites have come back it is *confirmed*. So it is at once where the service's
// own name is a part of the other's, `https://shop.example.evil.test`: no list has that, and a comparison of beginnings lets it pass.

import { sameBytes } from "../core/bytes";
import { Stage } from "../core/findings";
import { HASH_SEED, hashBytes } from "../core/hash";
import { textIs } from "../core/text";
import { HeaderKind } from "../generated/header";
import { Rule } from "../generated/rules";
import { endpoint } from "./exchange";
import { hasLine, lineEndOf, lineIs, lineOf, noteLine } from "./lines";
import { markOf, setMark } from "./marks";
import { domainOf, isDisguised, isOwnSite, readSite, site, siteEnd } from "./site";

/** Makes a key of an endpoint's: the site that came back first, or `REFUSES`. */
const REFLECTED: u32 = 0x51f3a1c7;
const REFUSES: u32 = 1;

export function inspectCors(): void {
  const start = lineOf(HeaderKind.AllowOrigin);
  const end = lineEndOf(HeaderKind.AllowOrigin);
  const origin = lineOf(HeaderKind.Origin);
  const originEnd = lineEndOf(HeaderKind.Origin);
  const asks = origin < originEnd && readSite(origin, originEnd) && !isOwnSite();
  const key = endpoint ^ REFLECTED;
  if (!hasLine(HeaderKind.AllowOrigin)) {
    if (asks) setMark(key, REFUSES);
    return;
  }
  if (!lineIs(HeaderKind.AllowCredentials, "true")) return;
  if (textIs(start, end, "*")) return noteLine(Rule.HeaderCorsWildcard, Stage.Confirmed, HeaderKind.AllowOrigin);
  if (textIs(start, end, "null")) return noteLine(Rule.HeaderCorsNull, Stage.Confirmed, HeaderKind.AllowOrigin);
  if (!asks) return;
  if (!sameBytes(start, end, origin, originEnd)) return setMark(key, REFUSES);
  const known = markOf(key);
  if (known == REFUSES) return;
  const own = (<u32>hashBytes(domainOf(site, siteEnd), siteEnd, HASH_SEED)) | 2;
  if (known == 0) setMark(key, own);
  const stage = (known != 0 && known != own) || isDisguised() ? Stage.Confirmed : Stage.Likely;
  noteLine(Rule.HeaderCorsReflected, stage, HeaderKind.AllowOrigin);
}
