// What a request has asked for and must not get: a file of the system, the output of a command, the metadata of a cloud. Each sign is
// a word that the value must hold (the file, the command, the address) and the grammar of what it gives.
//
//   value  …/etc/passwd     body  root:x:0:0:root:/root:/bin/bash ⏎ daemon:x:1:1:…
//   value  ;id              body  uid=33(www-data) gid=33(www-data)
//
// Pages are written about such things. So the sign must stand where a body, a string, a line or a text begins, and is no more than
// *likely* where the page names the file besides, shows the value, or has only a line or two of it.

import { byteAt, isDigit, isLetter, isQuote, isSpace, isWord, skipSpaces } from "../core/bytes";
import { Char } from "../core/char";
import { Stage } from "../core/findings";
import { findPair } from "../core/scan";
import { findText, holdsTextNoCase, textStarts, textSize } from "../core/text";
import { Rule, RuleClass } from "../generated/rules";
import { separates, Taint, taintAt, taintValue, taintValueEnd, Watch } from "../observe/taint";
import { bearOut } from "./bear";
import { matchEnd, matchStart, nextMatch, openMatches } from "./match";
import { BodyType, Place, placeOf, reply, replyEnd, replyType } from "./reply";

const READS: u32 =
  (1 << RuleClass.Traversal) |
  (1 << RuleClass.Xxe) |
  (1 << RuleClass.Ssrf) |
  (1 << RuleClass.Rfi) |
  (1 << RuleClass.Cmdi) |
  (1 << RuleClass.Sqli) |
  (1 << RuleClass.Ssti) |
  (1 << RuleClass.Codei) |
  (1 << RuleClass.Ssi);
const RUNS: u32 =
  (1 << RuleClass.Cmdi) |
  (1 << RuleClass.Ssti) |
  (1 << RuleClass.Codei) |
  (1 << RuleClass.Ssi) |
  (1 << RuleClass.Jndi) |
  (1 << RuleClass.Deser);
const FETCHES: u32 = (1 << RuleClass.Ssrf) | (1 << RuleClass.Xxe) | (1 << RuleClass.Rfi);

let value: usize = 0;
let valueEnd: usize = 0;
let taint: Taint | null = null;
/** The sign: where it stands, and over how many lines. */
let sign: usize = 0;
let signEnd: usize = 0;
let lines: u32 = 0;

export function inspectDisclosure(watch: Watch): void {
  if (reply == replyEnd) return;
  for (let i: u32 = 0; i < watch.count; i++) {
    const each = taintAt(changetype<usize>(watch), i);
    taint = each;
    value = taintValue(each);
    valueEnd = taintValueEnd(each);
    const climbs = findPair(value, valueEnd, Char.Dot, Char.Dot) < valueEnd;
    if ((each.classes & READS) != 0 || climbs) inspectFiles(each.classes & READS);
    commanded = (each.classes & RUNS) != 0;
    inspectOutput((each.classes & RUNS) | (1 << RuleClass.Cmdi));
    if ((each.classes & FETCHES) != 0) inspectMetadata(each.classes & FETCHES);
  }
}

/** `classes`: of what was reported on the value, those that read files. */
function inspectFiles(classes: u32): void {
  const rule = Rule.TraversalDisclosed;
  if (asks("passwd") && findAccounts()) tell(classes, rule, "passwd");
  if (asks("shadow") && findShadow()) tell(classes, rule, "shadow");
  if (asks("group") && findLiteral("root:x:0:")) tell(classes, rule, "/group");
  if (asks("hosts") && findHosts()) tell(classes, rule, "etc/hosts");
  if (asks("os-release") && findLiteral("PRETTY_NAME=")) tell(classes, rule, "os-release");
  if (asks("resolv.conf") && findLiteral("nameserver ")) tell(classes, rule, "resolv.conf");
  if (asks("version") && findLiteral("Linux version ")) tell(classes, rule, "proc/version");
  if (asks("environ") && findEnvironment()) tell(classes, rule, "environ");
  const ini = asks("win.ini");
  if ((ini || asks("system.ini")) && findLiteral("; for 16-bit app support") && isLineEnd(signEnd)) {
    if (has(ini ? "[fonts]" : "[386Enh]")) lines = ENOUGH;
    tell(classes, rule, ini ? "win.ini" : "system.ini");
  }
  if (asks("fstab") && findLiteral("# /etc/fstab")) tell(classes, rule, "etc/fstab");
  if (asks("crontab") && findLiteral("SHELL=/bin/")) tell(classes, rule, "crontab");
  if (asks("sudoers") && findLiteral("Defaults\tenv_reset")) tell(classes, rule, "etc/sudoers");
  if (asks("cpuinfo") && findLiteral("processor\t: ")) tell(classes, rule, "proc/cpuinfo");
  if (asks("meminfo") && findLiteral("MemTotal: ")) tell(classes, rule, "proc/meminfo");
  if (asks("proc/") && asks("status") && findLiteral("VmPeak:\t")) tell(classes, rule, "self/status");
  if (asks("sshd_config") && findLiteral("PermitRootLogin ")) tell(classes, rule, "sshd_config");
  if (asks("my.cnf") && findLiteral("[mysqld]")) tell(classes, rule, "my.cnf");
  if (asks("php.ini") && findLiteral("[PHP]")) tell(classes, rule, "php.ini");
  if (asks("nginx") && findLiteral("worker_processes ")) tell(classes, rule, "nginx.conf");
  if (asks("httpd.conf") && findLiteral("ServerRoot ")) tell(classes, rule, "httpd.conf");
  if (asks("boot.ini") && findLiteral("[boot loader]")) tell(classes, rule, "boot.ini");
  if (asks("web.xml") && (findLiteral("<web-app") || findLiteral("&lt;web-app"))) tell(classes, rule, "web.xml");
  if (asks("web.config") && (findLiteral("<configuration>") || findLiteral("&lt;configuration&gt;")))
    tell(classes, rule, "web.config");
  if (asks(".git/config") && findLiteral("[core]")) tell(classes, rule, ".git");
  if (asks(".env") && findSettings()) tell(classes, rule, ".env");
  if (asks(".htpasswd") && findLiteral(":$apr1$")) tell(classes, rule, "htpasswd");
  if (asks(".php") && (findLiteral("<?php") || findLiteral("&lt;?php"))) tell(classes, rule, "php://");
  if (asks("base64-encode") && (findLiteral("PD9waHA") || findLiteral("cm9vdDp4OjA6MDpyb290Oi9yb290")))
    tell(classes, rule, "base64-encode");
  if ((asks("id_") || asks(".pem") || asks(".key")) && findKey()) tell(classes, rule, "ssh-keygen");
}

function inspectOutput(classes: u32): void {
  const rule = Rule.CmdiOutput;
  if (runs("id") && findIdentity()) tell(classes, rule, "$ id");
  if (runs("uname") && findLiteral("Linux ") && isKernel()) tell(classes, rule, "uname");
  if (commanded && asks("echo ")) inspectEcho(classes);
  if (runs("ls") && findLiteral("total ") && isListing()) tell(classes, rule, "ls -");
  if (runs("dir") && findLiteral(" Volume in drive ")) tell(classes, rule, "dir");
  if (runs("ipconfig") && findLiteral("Windows IP Configuration")) tell(classes, rule, "ipconfig");
  if (runs("ver") && findLiteral("Microsoft Windows [Version ")) tell(classes, rule, "systeminfo");
  if (runs("ps") && (findLiteral("  PID TTY ") || findLiteral("USER         PID %CPU"))) tell(classes, rule, "ps -");
  if (runs("ifconfig") && findLiteral("eth0: flags=")) tell(classes, rule, "ifconfig");
  if (runs("ip") && findLiteral("1: lo: <LOOPBACK,UP")) tell(classes, rule, "ip a");
  if (runs("netstat") && findLiteral("Active Internet connections")) tell(classes, rule, "netstat");
  if (runs("netstat") && findLiteral("Active Connections")) tell(classes, rule, "netstat");
  if (runs("df") && findLiteral("Filesystem ")) tell(classes, rule, "df -");
  if (runs("tasklist") && findLiteral("Image Name ")) tell(classes, rule, "tasklist");
  if (runs("systeminfo") && findLiteral("Host Name: ")) tell(classes, rule, "systeminfo");
  if (runs("net") && findLiteral("User accounts for \\\\")) tell(classes, rule, "net user");
  if (runs("env") && findEnvironment()) tell(classes, rule, "printenv");
}

/** A detector took the value for a command, or what may hold one. */
let commanded: bool = false;

/** Whether the value may run `command`: it holds it, as a word behind a separator if no detector has said anything. */
function runs(command: string): bool {
  if (!asks(command)) return false;
  if (commanded) return true;
  for (let at = value; at < valueEnd; at++) {
    if (!separates(byteAt(at))) continue;
    at = skipSpaces(at + 1, valueEnd);
    const end = at + textSize(command);
    if (textStarts(at, valueEnd, command) && (end == valueEnd || !isWord(byteAt(end)))) return true;
    at--;
  }
  return false;
}

/** Letters and digits from which a word is nobody else's. */
const OWN_WORD: usize = 5;

/** A word that the value has echoed stands on a line of its own, and the value does not stand there. */
function inspectEcho(classes: u32): void {
  const found = taint;
  if (found === null) return;
  let word = findText(value, valueEnd, "echo ") + 5;
  while (word < valueEnd && (isQuote(byteAt(word)) || isSpace(byteAt(word)))) word++;
  let end = word;
  while (end < valueEnd && (isLetter(byteAt(end)) || isDigit(byteAt(end)))) end++;
  const size = end - word;
  if (word >= valueEnd || size < OWN_WORD || (openMatches(value, valueEnd) && nextMatch())) return;
  for (let at = reply; at + size <= replyEnd; at++) {
    if (byteAt(at) != byteAt(word) || memory.compare(at, word, size) != 0) continue;
    if (placeOf(at) == Place.Inside || !isLineEnd(at + size)) continue;
    return bearOut(found, classes, Rule.CmdiOutput, Stage.Likely, at, at + size);
  }
}

function inspectMetadata(classes: u32): void {
  if (!asks("169.254.") && !asks("metadata") && !asks("100.100.100.200") && !asks("fd00:ec2") && !asks("latest/"))
    return;
  const found =
    (asks("credentials") && has("SecretAccessKey") && findMember("AccessKeyId", 16)) ||
    (asks("token") && has("token_type") && findMember("access_token", 24)) ||
    (asks("identity") && has("privateIp") && findMember("instanceId", 10)) ||
    (asks("instance") && has("azEnvironment") && findMember("vmId", 32)) ||
    (has("SecurityToken") && findMember("AccessKeySecret", 4)) ||
    (has("vendor_data") && findMember("droplet_id", 4)) ||
    (has("private-ipv4") && has("region-id") && findLiteral("image-id")) ||
    (has("instance-id") && has("local-ipv4") && findLiteral("ami-id"));
  if (found) tellMetadata(classes);
}

/** Reports metadata: no page of its own shows them, so in HTML they may be an example. */
function tellMetadata(classes: u32): void {
  const found = taint;
  if (found === null) return;
  const shown = openMatches(value, valueEnd) && nextMatch();
  const sure = !isNamed("169.254.", shown) && (replyType != BodyType.Html || (!shown && isOwnText()));
  bearOut(found, classes, Rule.SsrfDisclosed, sure ? Stage.Confirmed : Stage.Likely, sign, min(signEnd, sign + 160));
}

/** Bytes from the beginning of an object to the member that is the sign. */
const HEADING: usize = 256;

/** Whether the sign stands in an object that is a whole text of the page, and the page is not about such: it has no example. */
function isOwnText(): bool {
  if (has("meta-data") || has("etadata") || has("XAMPLE") || has("xample")) return false;
  const limit = max(reply, sign - min(HEADING, sign));
  for (let at = sign; at > limit; at--) {
    if (byteAt(at) == Char.BraceOpen) return placeOf(at) >= Place.Text;
  }
  return false;
}

/** Marks between a name and its value: quotes, maybe escaped, blanks and a colon. */
const MARKS: usize = 24;

/** Finds a member of JSON, or of text like it, whose value is one word of `least` bytes and more. */
function findMember(name: string, least: usize): bool {
  let places: u32 = 0;
  for (sign = reply; places++ < MAX_PLACES && (sign = findText(sign, replyEnd, name)) < replyEnd; sign++) {
    let at = sign + textSize(name);
    const limit = min(replyEnd, at + MARKS);
    while (at < limit && !isLetter(byteAt(at)) && !isDigit(byteAt(at))) {
      if (textStarts(at, limit, "&quot;")) at += 6;
      else if (textStarts(at, limit, "&#34;")) at += 5;
      else at++;
    }
    const from = at;
    while (
      at < replyEnd &&
      (isLetter(byteAt(at)) || isDigit(byteAt(at)) || byteAt(at) == Char.Dash || byteAt(at) == Char.Dot)
    )
      at++;
    if (at - from < least) continue;
    signEnd = from;
    lines = ENOUGH;
    return true;
  }
  return false;
}

// @ts-ignore: decorator
@inline
function asks(word: string): bool {
  return holdsTextNoCase(value, valueEnd, word);
}

// @ts-ignore: decorator
@inline
function has(literal: string): bool {
  return findText(reply, replyEnd, literal) < replyEnd;
}

/** Places that are looked at for one sign. */
const MAX_PLACES: u32 = 64;

/** Finds the first `literal` that does not stand in the middle of a line. */
function findLiteral(literal: string): bool {
  let places: u32 = 0;
  for (sign = reply; places++ < MAX_PLACES && (sign = findText(sign, replyEnd, literal)) < replyEnd; sign++) {
    if (placeOf(sign) == Place.Inside) continue;
    signEnd = sign + textSize(literal);
    lines = 1;
    return true;
  }
  return false;
}

/** Lines of a file or of an output from which it is no example. */
const ENOUGH: u32 = 3;

/**
 * Reports the sign. `name`: what a page has that is about it. A body that begins with it is it; so is a string of JSON, unless the file
 * is named besides the value.
 */
function tell(classes: u32, rule: u32, name: string): void {
  const found = taint;
  if (found === null) return;
  const place = placeOf(sign);
  const printed = rule == Rule.CmdiOutput;
  let sure = lines > 0;
  if (place != Place.Start || replyType == BodyType.Json) {
    const shown = openMatches(value, valueEnd) && nextMatch();
    const named = isNamed(name, shown) || (printed && isTyped());
    // What is asked for stands alone, the output of a command behind that of others.
    const alone = place != Place.Line || (classes & RUNS) != 0;
    sure = !named && alone && (place == Place.Start ? lines > 1 : lines >= ENOUGH && !shown);
  } else if (replyType == BodyType.Html) {
    sure = lines > 1;
  }
  const stage = sure ? Stage.Confirmed : Stage.Likely;
  const bits: u32 = printed ? classes : classes | (1 << RuleClass.Traversal);
  bearOut(found, bits, rule, stage, sign, min(signEnd, sign + 160));
}

/** Whether the body has `name` elsewhere than in the value, which stands there if `shown`. */
function isNamed(name: string, shown: bool): bool {
  for (let at = reply; (at = findText(at, replyEnd, name)) < replyEnd; at++) {
    if ((!shown || at < matchStart || at >= matchEnd) && !isPathOf(at, at + textSize(name))) return true;
  }
  return false;
}

/** Whether a name ends a string of JSON that is a path as a whole: what was asked for, as the service has understood it. */
function isPathOf(start: usize, end: usize): bool {
  if (replyType != BodyType.Json || byteAt(end) != Char.DoubleQuote) return false;
  while (
    start > reply &&
    (isWord(byteAt(start - 1)) || byteAt(start - 1) == Char.Slash || byteAt(start - 1) == Char.Dot)
  )
    start--;
  return start > reply && byteAt(start - 1) == Char.DoubleQuote && byteAt(start) != Char.DoubleQuote;
}

/** Whether the command stands in the body as people show what to type. */
function isTyped(): bool {
  return has("$ id") || has("# id") || has(">id<") || has("`id`");
}

/** Behind the end of a line, which in JSON is "\n"; 0 where `at` is none. */
function nextLine(at: usize): usize {
  if (at >= replyEnd) return 0;
  if (byteAt(at) == Char.CarriageReturn) at++;
  if (byteAt(at) == Char.LineFeed) return at + 1;
  return byteAt(at) == Char.Backslash && byteAt(at + 1) == Char.n ? at + 2 : 0;
}

function isLineEnd(at: usize): bool {
  if (at >= replyEnd) return true;
  const byte = byteAt(at);
  return (
    byte < <u32>Char.Space ||
    byte == Char.Less ||
    byte == Char.DoubleQuote ||
    (byte == Char.Backslash && byteAt(at + 1) != Char.Slash)
  );
}

/** Bytes of one field of an account. */
const FIELD: usize = 128;

/** Behind the field that begins at `at` and its colon; 0 where none does. */
function nextField(at: usize, digits: bool): usize {
  const limit = min(replyEnd, at + FIELD);
  const from = at;
  while (at < limit && byteAt(at) != Char.Colon) {
    if (isLineEnd(at) || (digits && !isDigit(byteAt(at)))) return 0;
    at++;
  }
  return at < limit && (!digits || at > from) ? at + 1 : 0;
}

/** Where a line of /etc/passwd that begins at `at` ends, 0 where none does: seven fields, numbers in the third and fourth. */
function account(at: usize): usize {
  at = nextField(at, false);
  if (at == 0) return 0;
  at = nextField(at, false);
  if (at == 0) return 0;
  at = nextField(at, true);
  if (at == 0) return 0;
  at = nextField(at, true);
  if (at == 0) return 0;
  at = nextField(at, false);
  if (at == 0) return 0;
  const home = byteAt(at);
  if (home != Char.Slash && (home != Char.Backslash || byteAt(at + 1) != Char.Slash)) return 0;
  at = nextField(at, false);
  if (at == 0) return 0;
  const limit = min(replyEnd, at + FIELD);
  while (at < limit && !isLineEnd(at)) at++;
  return isLineEnd(at) ? at : 0;
}

function findAccounts(): bool {
  let places: u32 = 0;
  for (sign = reply; places++ < MAX_PLACES && (sign = findText(sign, replyEnd, "root:")) < replyEnd; sign++) {
    signEnd = account(sign);
    if (signEnd == 0 || placeOf(sign) == Place.Inside) continue;
    lines = 1;
    for (let next = nextLine(signEnd); next != 0 && lines < ENOUGH; lines++) {
      const end = account(next);
      if (end == 0) break;
      signEnd = end;
      next = nextLine(end);
    }
    return true;
  }
  return false;
}

/** "root:$6$…:19000:0:99999:7:::" */
function findShadow(): bool {
  let places: u32 = 0;
  for (sign = reply; places++ < MAX_PLACES && (sign = findText(sign, replyEnd, "root:")) < replyEnd; sign++) {
    let at = nextField(sign + 5, false);
    if (at == 0) continue;
    at = nextField(at, true);
    if (at == 0 || nextField(at, true) == 0 || placeOf(sign) == Place.Inside) continue;
    signEnd = at;
    lines = ENOUGH;
    return true;
  }
  return false;
}

/** "127.0.0.1", blanks and "localhost". */
function findHosts(): bool {
  if (!findLiteral("127.0.0.1")) return false;
  let at = signEnd;
  while (at < replyEnd && isSpace(byteAt(at))) at++;
  if (byteAt(at) == Char.Backslash) at += 2;
  if (at == signEnd || !textStarts(at, replyEnd, "localhost")) return false;
  signEnd = at + 9;
  lines = findText(signEnd, replyEnd, "::1") < replyEnd ? ENOUGH : 1;
  return true;
}

/** Variables of every process, each with a "=". */
function findEnvironment(): bool {
  if (!has("PATH=/") || !has("HOME=/") || (!has("PWD=/") && !has("HOSTNAME="))) return false;
  sign = findText(reply, replyEnd, "PATH=/");
  if (placeOf(sign) == Place.Inside && byteAt(sign - 1) != Char.Nul) return false;
  signEnd = sign + 6;
  lines = ENOUGH;
  return true;
}

/** A body of lines such as "DB_PASSWORD=…", at least two. */
function findSettings(): bool {
  sign = reply;
  lines = 0;
  for (let at = reply; at != 0 && at < replyEnd && lines < ENOUGH; lines++) {
    const from = at;
    while (at < replyEnd && (byteAt(at) - Char.A < 26 || byteAt(at) == Char.Underscore || isDigit(byteAt(at)))) at++;
    if (at - from < 3 || at == replyEnd || byteAt(at) != Char.Equals) break;
    while (at < replyEnd && !isLineEnd(at)) at++;
    signEnd = at;
    at = nextLine(at);
  }
  return lines > 1;
}

/** A private key in PEM. */
function findKey(): bool {
  if (!findLiteral("-----BEGIN ")) return false;
  const end = findText(signEnd, min(replyEnd, signEnd + 32), "PRIVATE KEY-----");
  if (end >= min(replyEnd, signEnd + 32)) return false;
  signEnd = end + 16;
  // What documentation shows has dots or a few letters.
  let at = signEnd;
  while (at < replyEnd && (isSpace(byteAt(at)) || byteAt(at) == Char.Backslash || byteAt(at) == Char.n)) at++;
  const from = at;
  while (
    at < replyEnd &&
    (isLetter(byteAt(at)) || isDigit(byteAt(at)) || byteAt(at) == Char.Plus || byteAt(at) == Char.Slash)
  )
    at++;
  lines = at - from >= 40 ? ENOUGH : 1;
  return true;
}

/** "uid=33(www-data) gid=33(www-data)" */
function findIdentity(): bool {
  let places: u32 = 0;
  for (sign = reply; places++ < MAX_PLACES && (sign = findText(sign, replyEnd, "uid=")) < replyEnd; sign++) {
    let at = sign + 4;
    while (at < replyEnd && isDigit(byteAt(at))) at++;
    if (at == sign + 4) continue;
    const gid = findText(at, min(replyEnd, at + 48), " gid=");
    if (gid >= min(replyEnd, at + 48) || !isDigit(byteAt(gid + 5))) continue;
    signEnd = gid + 5;
    while (signEnd < replyEnd && isIdentity(byteAt(signEnd))) signEnd++;
    // More than that on the line, and it is a sentence; one into which a shell has put it, where it gives names.
    const whole = isLineEnd(signEnd) && placeOf(sign) != Place.Inside;
    if (!whole && byteAt(at) != Char.ParenOpen) continue;
    // One line is all that there is.
    lines = whole ? ENOUGH : 0;
    return true;
  }
  return false;
}

/** Whether a byte may stand in the list of groups: "33(www-data) groups=33(www-data),4(adm)". */
function isIdentity(byte: u32): bool {
  if (isLetter(byte) || isDigit(byte) || isSpace(byte)) return byte != Char.LineFeed;
  return (
    byte == Char.ParenOpen ||
    byte == Char.ParenClose ||
    byte == Char.Comma ||
    byte == Char.Equals ||
    byte == Char.Dash ||
    byte == Char.Underscore ||
    byte == Char.Colon
  );
}

/** Behind "Linux ": a host's name and the number of a version. */
function isKernel(): bool {
  let at = signEnd;
  while (at < replyEnd && !isSpace(byteAt(at)) && byteAt(at) != Char.Less) at++;
  if (at == signEnd || !isDigit(byteAt(at + 1)) || byteAt(at + 2) != Char.Dot || !isDigit(byteAt(at + 3))) return false;
  signEnd = at + 4;
  lines = ENOUGH;
  return true;
}

/** Behind "total ": a number, and a line with a mode. */
function isListing(): bool {
  let at = signEnd;
  while (at < replyEnd && isDigit(byteAt(at))) at++;
  const line = nextLine(at);
  if (at == signEnd || line == 0) return false;
  const kind = byteAt(line);
  if (kind != Char.Dash && kind != Char.Dash + 0x37 && kind != Char.a + 11) return false;
  for (let i: usize = 1; i < 10; i++) {
    const byte = byteAt(line + i);
    if (byte != Char.Dash && !isLetter(byte)) return false;
  }
  signEnd = line + 10;
  lines = ENOUGH;
  return true;
}
