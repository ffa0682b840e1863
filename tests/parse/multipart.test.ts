/** Bodies in parts: what each parser of forms would take from them, whatever they are cut into. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { toBytes } from "../decode/twins.ts";
import { call, probe, run, runCutEverywhere, seenValue, span, windowsOf, type Parser, type Seen } from "./chunks.ts";

const state = call("state");
const EVENTS = ["NeedMore", "Part", "Content", "Outside", "Skipped", "Malformed", "Done"];
const KINDS = ["name", "filename", "type", "encoding", "other"];

/** A part's headers as `kind=value` lines. */
function partValues(start: number, end: number): string[] {
  call("openPart", start, end);
  return Array.from({ length: call("partValueCount") }, (_, i) => {
    const value = span(call("partValueStart", i), call("partValueEnd", i));
    return `${KINDS[call("partValueKind", i)]}=${value}`;
  });
}

/** A parser of bodies with that boundary; files are those with a file name, and `skip` passes over their content. */
function multipart(boundary: string, skip = false): Parser {
  let skipped = "";
  return {
    open() {
      skipped = "";
      call("openMultipart", state, ...probe.write(toBytes(boundary)));
    },
    feed: (start, end, last) => call("feedMultipart", state, start, end, last ? 1 : 0),
    next(): Seen | undefined {
      while (true) {
        const event = EVENTS[call("nextMultipart", state)] ?? "?";
        if (event === "NeedMore") return undefined;
        if (event === "Skipped") {
          // How it is cut is the chunks' affair: told as one.
          skipped += seenValue().value;
          continue;
        }
        if (event === "Part" && skipped !== "") assert.fail("told before");
        if (event === "Malformed" || event === "Done") {
          const value = skipped;
          skipped = "";
          return value === "" ? { event } : { event, value };
        }
        if (event === "Part") {
          const values = partValues(call("start"), call("end"));
          const name = values.find((value) => value.startsWith("name="))?.slice(5);
          if (name !== undefined) call("namePart", state, ...probe.write(toBytes(name)));
          const file = values.some((value) => value.startsWith("filename="));
          call("tagPart", state, 0, file ? 1 : 0);
          if (skip && file) call("skipContent", state);
          return { event, value: values.join("\n") };
        }
        const name = span(call("partName", state), call("partNameEnd", state));
        return { event, name: event === "Outside" ? undefined : name, ...seenValue() };
      }
    },
    ends: (event) => event === "Done",
  };
}

/** Events as short texts. */
function told(seen: Seen[]): string[] {
  return seen.map(({ event, value, name }) =>
    event === "Content" ? `${name}: ${value}` : value === undefined ? event : `${event} ${value}`,
  );
}

const field = (name: string, value: string, more = ""): string =>
  `--B\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;

suite("multipart", () => {
  const cases: [id: string, body: string, events: string[]][] = [
    [
      "fields",
      `${field("a", "1")}${field("b", "two\r\nlines")}--B--\r\n`,
      ["Part name=a", "a: 1", "Part name=b", "b: two\r\nlines", "Outside \r\n", "Done"],
    ],
    ["an empty field is no value", `${field("a", "")}--B--`, ["Part name=a", "Done"]],
    [
      "an empty file is one",
      `${field("a", "", '; filename="x.php"')}--B--`,
      ["Part name=a\nfilename=x.php", "a: ", "Done"],
    ],
    ["LF alone", '--B\nContent-Disposition: form-data; name="a"\n\n1\n--B--', ["Part name=a", "a: 1", "Done"]],
    [
      "line ends of two kinds",
      `${field("a", "1")}--B\nx: y\n\nz\r\n--B--`,
      ["Part name=a", "a: 1", "Malformed", "Part other=y", ": z", "Done"],
    ],
    [
      "a preamble",
      `hello\r\n${field("a", "1")}--B--bye`,
      ["Outside hello", "Part name=a", "a: 1", "Outside bye", "Done"],
    ],
    [
      "blanks behind a boundary",
      '--B \t\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--B --',
      ["Part name=a", "a: 1", "Done"],
    ],
    [
      "what is nearly a boundary",
      `${field("a", "x\r\n--C\r\n-- B\r\n--Bx\r\r\n\n--\n-")}--B--`,
      ["Part name=a", "a: x\r\n--C\r\n-- B\r\n--Bx\r\r\n\n--\n-", "Done"],
    ],
    ["no headers", "--B\r\n\r\n1\r\n--B--", ["Part ", ": 1", "Done"]],
    ["no end", field("a", "1"), ["Part name=a", "a: 1\r\n", "Done"]],
    [
      "no end of the headers",
      '--B\r\nContent-Disposition: form-data; name="a"',
      [': Content-Disposition: form-data; name="a"', "Done"],
    ],
    ["no boundary at all", "a=1&b=2\r\n--C\r\n", ["Outside a=1&b=2\r\n--C\r\n", "Done"]],
    ["nothing", "", ["Done"]],
  ];
  for (const [id, body, events] of cases) {
    test(id, () => assert.deepEqual(told(runCutEverywhere(multipart("B"), body)), events));
  }

  test("a boundary that is not declared is the first line's", () => {
    const body = `\r\n${field("a", "1\r\n--C")}--B--`;
    assert.deepEqual(told(runCutEverywhere(multipart(""), body)), ["Part name=a", "a: 1\r\n--C", "Done"]);
    for (const text of ["a=1\r\n--C", "-5", "--", "--\r\nx", `--${"x".repeat(300)}\r\n1`]) {
      assert.deepEqual(told(runCutEverywhere(multipart(""), text)), [`Outside ${text}`, "Done"]);
    }
  });

  test("skipped content leaves as it stands", () => {
    const content = "GIF89a\r\n--\r\n\r\r\n--Bx\n-\x00".repeat(3);
    const body = `${field("a", content, '; filename="a.gif"')}--B--`;
    const bare = (text: string): string => text.replace(/[\r\n-]|B(?=x)/g, "");
    // What looked like a boundary where a chunk was cut is not given back.
    for (let cut = 0; cut <= body.length; cut++) {
      const seen = run(multipart("B", true), body, [cut]);
      assert.equal(seen[0]?.value, "name=a\nfilename=a.gif");
      assert.equal(bare(seen[1]?.value ?? ""), bare(content), `cut at ${cut}`);
    }
  });

  test("long content leaves in windows, wherever chunks and boundary fall", () => {
    for (const length of [16_383, 16_384, 16_385, 16_386, 31_744, 31_745, 40_000]) {
      const content = "0123456789".repeat(4000).slice(0, length);
      const body = `${field("a", content)}--B--`;
      const at = body.indexOf(content) + 16_384;
      const whole = run(multipart("B"), body, []);
      assert.deepEqual(
        whole.filter(({ event }) => event === "Content").map(({ value, windowed }) => ({ value, windowed })),
        windowsOf(content),
      );
      for (const cut of [at - 2, at - 1, at, at + 1, at + 2, at + 3, body.length - 6, body.length - 1]) {
        assert.deepEqual(run(multipart("B"), body, [Math.min(cut, body.length)]), whole, `${length} cut at ${cut}`);
      }
    }
  });

  test("any text between boundaries comes back whole", () => {
    const piece = fc.constantFrom("\r", "\n", "-", "--", "B", "\r\n--", "a", "--B", "\n--Bx", "é");
    const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
    const isBoundary = /(^|\n)--B([\r\n\t -]|$)/;
    fc.assert(
      fc.property(text, fc.array(fc.nat(80), { maxLength: 4 }), (value, cuts) => {
        fc.pre(!isBoundary.test(value) && value !== "");
        const body = `${field("a", value)}--B--`;
        const sorted = cuts.filter((cut) => cut <= body.length).sort((a, b) => a - b);
        const seen = run(multipart("B"), body, sorted);
        assert.deepEqual(told(seen), ["Part name=a", `a: ${String.fromCharCode(...toBytes(value))}`, "Done"]);
      }),
    );
  });
});

suite("headers of a part", () => {
  const cases: [headers: string, values: string[]][] = [
    ['CONTENT-DISPOSITION:form-data;NAME=a;filename="x y.png"', ["name=a", "filename=x y.png"]],
    ['content-disposition: form-data; filename="a\\"b.png"; name=q', ['filename=a"b.png', "name=q"]],
    ['content-disposition: form-data; filename="C:\\dir\\new.txt"', ["filename=C:\\dir\\new.txt"]],
    ["content-disposition: form-data; filename*=UTF-8''a%20b.php", ["filename=a%20b.php"]],
    [
      "content-disposition: form-data; filename=\"a.png\"; filename*=utf-8'en'a.php",
      ["filename=a.png", "filename=a.php"],
    ],
    ['content-disposition: form-data; filename="=?utf-8?B?c2hlbGwucGhw?="', ["filename=shell.php"]],
    ['content-disposition: form-data; filename="=?utf-8?q?shell=2Ephp_1?="', ["filename=shell.php 1"]],
    ['content-disposition: form-data; name="a";\r\n filename="b.php"', ["name=a", "filename=b.php"]],
    ['content-disposition: form-data; name="a;b"; x="y"', ["name=a;b", "other=y"]],
    ["content-type: image/png; name=a.php\r\nx-y: z", ["type=image/png; name=a.php", "filename=a.php", "other=z"]],
    ["content-transfer-encoding: base64\r\n", ["encoding=base64"]],
    ['content-disposition: form-data; name="unclosed', ["name=unclosed"]],
    [": x\r\nno colon\r\n:\r\n", ["other=x"]],
  ];
  for (const [headers, values] of cases) {
    test(headers, () => assert.deepEqual(partValues(...probe.write(toBytes(`${headers}\r\n\r\n`))), values));
  }
});

suite("boundary of a type", () => {
  const cases: [type: string, boundary: string][] = [
    ["multipart/form-data; boundary=abc", "abc"],
    ['multipart/form-data; charset=utf-8; BOUNDARY="a; b,c" ', "a; b,c"],
    ["multipart/form-data;boundary = abc ;x=y", "abc"],
    ["multipart/form-data", ""],
    ["multipart/form-data; boundary=a; boundary=b", ""],
    ["multipart/form-data; boundary=a, multipart/form-data; boundary=b", ""],
    ["multipart/form-data; xboundary=a; boundary=b", "b"],
  ];
  for (const [type, boundary] of cases) {
    test(type, () => {
      call("readBoundary", ...probe.write(toBytes(type)));
      assert.equal(span(call("boundaryAt", 0), call("boundaryAt", 1)), boundary);
    });
  }
});
