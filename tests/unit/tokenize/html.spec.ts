import {
  attributeName,
  attributeNameEnd,
  decodedEnd,
  decodedStart,
  decodeValue,
  nextAttribute,
  tagBegin,
  tagCloses,
  tagComplete,
  tagEnd,
  tagName,
  tagNameEnd,
  valueEnd,
  valueGiven,
  valueOpen,
  valueStart,
} from "../../../assembly/tokenize/html";

/** The input, with room behind it. */
const INPUT: usize = memory.data(256);

/** Puts ASCII text into memory; its end. */
function put(text: string): usize {
  return INPUT + String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, INPUT);
}

function text(start: usize, end: usize): string {
  return String.UTF8.decodeUnsafe(start, end - start);
}

/** The tag as `name attribute=value …`, `/` in front of an end tag, `!` behind an open value, `>` where the tag is complete. */
function read(input: string): string {
  const end = put(input);
  if (!tagBegin(INPUT, end)) return "";
  let out = (tagCloses ? "/" : "") + text(tagName, tagNameEnd);
  while (nextAttribute()) {
    out += " " + text(attributeName, attributeNameEnd);
    if (valueGiven) out += "=" + text(valueStart, valueEnd);
    if (valueOpen) out += "!";
  }
  assert(tagEnd <= end);
  return out + (tagComplete ? ">" : "");
}

describe("the HTML tokenizer", () => {
  it("splits a tag as the standard does", () => {
    const cases = [
      "<img src=x onerror=y>", "img src=x onerror=y>",
      "<IMG/SRC=\"a b\"ALT='c>d'>", "img src=a b alt=c>d>",
      "<svg\tonload\n=\f1\r>", "svg onload=1>",
      "<a href=b/c>", "a href=b/c>",
      "<a =b>", "a =b>",
      "<a \"\"\"b=c>", "a \"\"\"b=c>",
      "<a b=>", "a b=>",
      "<a b='c", "a b=c!",
      "<a b", "a b",
      "</a b=c>", "/a b=c>",
      "<x:y z>", "x:y z>",
      "<a b=`c`d=e>", "a b=c d=e>",
      "<a b=` c=d>", "a b= c=d>",
      "< a>", "",
      "<1>", "",
      "<", "",
    ]; // prettier-ignore
    for (let i = 0; i < cases.length; i += 2) expect(read(cases[i])).toBe(cases[i + 1], cases[i]);
  });

  it("keeps of a name what the tables can hold", () => {
    const long = "a".repeat(80);
    expect(read("<" + long + ">").length).toBe(49, "48 letters and the end");
  });

  it("undoes the references of a value", () => {
    const end = put("&#106;ava&Tab;script&colon;&lt&#x61;&amp;lt;");
    decodeValue(INPUT, end);
    expect(text(decodedStart, decodedEnd)).toBe("java\tscript:<a&lt;");
  });
});
