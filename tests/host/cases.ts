// What the scripted guest (tests/probe/guest-script.ts) is told to do, and what client and upstream send meanwhile. `record.ts`
// plays the cases against a real Envoy and keeps what it saw in `recorded.json`; `envoy.test.ts` plays them against the host.

export interface Case {
  id: string;
  /** What the case shows. */
  why: string;
  /** One callback a line. */
  script: readonly string[];
  /** `allow_on_headers_stop_iteration`. Default true. */
  holdHeaders?: boolean;
  /** Bytes. */
  bufferLimit?: number;
  method?: string;
  path?: string;
  headers?: readonly (readonly [string, string])[];
  /** The request's headers end it. */
  bodyless?: boolean;
  /** Chunks that the client sends one by one; a number is a pause in ms, in which ticks run. */
  body?: readonly (string | number)[];
  trailers?: readonly (readonly [string, string])[];
  /** The request has no end. */
  endless?: boolean;
  /** Chunks of the upstream's answer and pauses in ms, or null where it stays silent. Default ["hello"]. */
  answer?: readonly (string | number)[] | null;
}

const hold = "request_headers: return 1";
const untilEnd = "request_body: body 0 0 100; until_end";

export const CASES: readonly Case[] = [
  {
    id: "pass",
    why: "without holding, each body callback has its chunk alone, and the request's headers are gone",
    script: [
      "request_headers: header 0 :path; body 0 0 9; property request.path",
      "request_body: body 0 0 100; header 0 :path; pairs 0; property request.path; headers_size 0; add 0 a b",
      "response_headers: header 2 :status; header 0 :path; property response.code; property response.code_details",
      "response_body: body 1 0 100; header 2 :status; body 0 0 9",
      "log: header 0 :path; header 2 :status; header 3 x; pairs 1; property response.code_details",
    ],
    body: ["one", "two"],
  },
  {
    id: "bodyless",
    why: "a request without a body ends with its headers",
    script: ["request_headers: header 0 :method; return 0"],
    method: "GET",
    bodyless: true,
    answer: [],
  },
  {
    id: "hold",
    why: "held, each body callback has all that came so far; the headers stay readable",
    script: [hold, "request_body: body 0 0 100; header 0 :path; until_end", "response_headers: header 0 :path"],
    body: ["one", "two", "three"],
  },
  {
    id: "hold-bodyless",
    why: "StopIteration on headers that end the request holds them until a tick lets go",
    script: ["request_headers: tick 400; return 1", "tick: effective last; continue 0; tick 0"],
    method: "GET",
    bodyless: true,
    body: [700],
  },
  {
    id: "no-flag",
    why: "without the flag StopIteration on headers stops everything: no body callback, the request hangs",
    script: [hold, untilEnd],
    holdHeaders: false,
    body: ["one", "two"],
  },
  {
    id: "no-flag-body",
    why: "without the flag the body can still be held",
    script: ["request_headers: return 0", "request_body: body 0 0 100; header 0 :path; until_end"],
    holdHeaders: false,
    body: ["one", "two"],
  },
  {
    id: "release",
    why: "after Continue the callbacks have their chunk alone again",
    script: [hold, "request_body: body 0 0 100; header 0 :path"],
    body: ["one", "two", "three"],
  },
  {
    id: "hold-again",
    why: "a body may be held after its headers went on",
    script: ["request_headers: return 0", untilEnd],
    body: ["one", "two"],
  },
  {
    id: "tick",
    why: "a tick lets a held stream go: the next callback has its chunk alone, and holding starts anew",
    script: ["request_headers: tick 400; return 1", untilEnd, "tick: effective last; continue 0; tick 0"],
    body: ["one", 700, "two", "three"],
  },
  {
    id: "tick-continue",
    why: "after a tick let go, Continue passes on what comes",
    script: [
      "request_headers: tick 400; return 1",
      "request_body: body 0 0 100; property k; header 0 :path",
      "request_body: unless_end; property k",
      "tick: effective last; body 0 0 100; header 0 :path; continue 0; body 0 0 100; header 0 :path; tick 0",
    ],
    body: [700, "one", "two"],
  },
  {
    id: "tick-buffered-continue",
    why: "what was held when a tick let go is not shown again; Continue then passes each chunk",
    script: [
      "request_headers: tick 400; return 1",
      "request_body: body 0 0 100; return 1",
      "tick: effective last; continue 0; tick 0",
    ],
    body: ["one", "two", 700, "three"],
  },
  {
    id: "tick-then-pass",
    why: "a body held until a tick, then passed on chunk by chunk",
    script: [
      "request_headers: tick 400; return 1",
      "request_body: body 0 0 100; until_tick",
      "tick: effective last; continue 0; tick 0",
    ],
    body: ["one", 700, "two", "three"],
  },
  {
    id: "tick-then-pass-trailers",
    why: "the same with trailers",
    script: [
      "request_headers: tick 400; return 1",
      "request_body: body 0 0 100; until_tick",
      "request_trailers: body 0 0 100; header 1 x",
      "tick: effective last; continue 0; tick 0",
    ],
    body: ["one", 700, "two"],
    trailers: [["x", "y"]],
  },
  {
    id: "tick-then-deny",
    why: "a local response after a tick let a part go",
    script: [
      "request_headers: tick 400; return 1",
      "request_body: until_tick",
      "request_body: at_end; local 403 d no",
      "tick: effective last; continue 0; tick 0",
    ],
    body: ["one", 700, "two"],
  },
  {
    id: "response-tick-then-pass",
    why: "a response held until a tick, then passed on chunk by chunk",
    script: [
      "response_headers: tick 200; return 1",
      "response_body: body 1 0 100; until_tick",
      "tick: effective last; continue 1; tick 0",
    ],
    bodyless: true,
    answer: ["abc", 500, "defg", "hi"],
  },
  {
    id: "stop-all",
    why: "StopAllIteration shows nothing until it is lifted, then all of it at once",
    script: [
      "request_headers: tick 500; return 4",
      "request_body: body 0 0 100; header 0 :path; until_end",
      "tick: effective last; continue 0; tick 0",
    ],
    body: ["one", "two", 800, "three"],
  },
  {
    id: "stop-all-complete",
    why: "StopAllIterationAndBuffer over a whole request with trailers",
    script: [
      "request_headers: tick 900; return 3",
      "request_body: body 0 0 100",
      "request_trailers: header 1 x; return 0",
      "tick: effective last; continue 0; tick 0",
    ],
    body: ["one", "two"],
    trailers: [["x", "y"]],
  },
  {
    id: "watermark",
    why: "StopIterationAndWatermark holds, but shows each chunk alone",
    script: [hold, "request_body: body 0 0 100; return 2; at_end; return 0"],
    body: ["one", "two"],
  },
  {
    id: "no-buffer",
    why: "StopIterationNoBuffer drops the chunk",
    script: [hold, "request_body: body 0 0 100; return 3; at_end; return 0"],
    body: ["one", "two"],
  },
  {
    id: "trailers",
    why: "with trailers no body callback has the end; the trailers callback decides",
    script: [
      hold,
      "request_body: body 0 0 100; until_end",
      "request_trailers: header 1 x; body 0 0 100; header 0 :path",
    ],
    body: ["one", "two"],
    trailers: [["x", "y"]],
  },
  {
    id: "trailers-held",
    why: "trailers can be held as well",
    script: [
      "request_headers: tick 900; return 1",
      "request_body: return 1",
      "request_trailers: return 1",
      "tick: effective last; header 1 x; continue 0; header 1 x; tick 0",
    ],
    body: ["one"],
    trailers: [["x", "y"]],
  },
  {
    id: "trailers-pass",
    why: "trailers of a request that was never held",
    script: ["request_trailers: header 1 x; add 1 z w; header 0 :path; body 0 0 9"],
    body: ["one"],
    trailers: [["x", "y"]],
  },
  {
    id: "deny-headers",
    why: "a local response from the headers callback: the upstream sees nothing, the response comes back through the filter",
    script: [
      "request_headers: local 403 my_details no content-type text/x a b; header 0 :path; return 0",
      "response_headers: header 2 :status; header 2 content-type; header 2 a; header 2 content-length; header 0 :path; property response.code; property response.code_details",
      "response_body: body 1 0 100",
      "log: header 2 :status; property response.code_details",
    ],
    body: ["one"],
  },
  {
    id: "deny-body",
    why: "a local response from a body callback while all is held",
    script: [
      hold,
      "request_body: unless_end; body 0 0 9; return 1; at_end; local 403 d no",
      "request_body: at_end; local 403 d no",
    ],
    body: ["one", "two"],
  },
  {
    id: "deny-late",
    why: "a local response after the headers and a chunk went on cuts the upstream off",
    script: ["request_body: at_end; local 403 d no"],
    body: ["one", "two"],
  },
  {
    id: "deny-trailers",
    why: "a local response from the trailers callback",
    script: [hold, "request_body: return 1", "request_trailers: local 403 d no"],
    body: ["one"],
    trailers: [["x", "y"]],
  },
  {
    id: "deny-tick",
    why: "a local response from a tick",
    script: [
      "request_headers: tick 400; return 1",
      "request_body: return 1",
      "tick: effective last; local 403 d no; tick 0",
    ],
    body: ["one", 700],
    endless: true,
  },
  {
    id: "deny-empty",
    why: "a local response without a body ends with its headers",
    script: ["request_headers: local 204", "response_headers: header 2 content-length"],
    bodyless: true,
  },
  {
    id: "deny-head",
    why: "a local response to HEAD has no body",
    script: ["request_headers: local 403 d no"],
    method: "HEAD",
    bodyless: true,
  },
  {
    id: "deny-grpc",
    why: "a local response to gRPC is a status of 200 with grpc-status",
    script: [
      "request_headers: local 403 d not_this_% a b",
      "response_headers: header 2 :status; header 2 grpc-status; header 2 grpc-message; header 2 content-type; header 2 a",
    ],
    headers: [["content-type", "application/grpc"]],
    body: ["one"],
  },
  {
    id: "deny-details",
    why: "white space in the details becomes an underscore",
    script: ["request_headers: local 403 a_b no"],
    bodyless: true,
  },
  {
    id: "deny-response-headers",
    why: "a local response from the response's headers callback replaces the response and does not come back",
    script: ["response_headers: header 2 :status; local 403 d no a b; return 0", "response_body: body 1 0 100"],
    bodyless: true,
  },
  {
    id: "deny-response-body",
    why: "the same from a held response's body",
    script: [
      "response_headers: return 1",
      "response_body: body 1 0 100; unless_end; return 1",
      "response_body: at_end; local 403 d no",
    ],
    bodyless: true,
    answer: ["abc", "defg"],
  },
  {
    id: "deny-response-late",
    why: "a local response when the client has the headers already resets the stream",
    script: ["response_body: body 1 0 100; local 403 d no"],
    bodyless: true,
    answer: ["abc", "defg"],
  },
  {
    id: "deny-own-held",
    why: "a local reply passes the filter as any response and can be held",
    script: [
      "request_headers: local 403 d no; tick 400",
      "response_headers: return 1",
      "response_body: body 1 0 100; return 1",
      "tick: effective last; continue 1; tick 0",
    ],
    bodyless: true,
    body: [700],
  },
  {
    id: "response-hold",
    why: "a response held to its end",
    script: ["response_headers: return 1", "response_body: body 1 0 100; header 2 :status; until_end"],
    bodyless: true,
    answer: ["abc", "defg"],
  },
  {
    id: "response-no-flag",
    why: "without the flag a held response never comes",
    script: ["response_headers: return 1", "response_body: body 1 0 100; until_end"],
    holdHeaders: false,
    bodyless: true,
    answer: ["abc", "defg"],
  },
  {
    id: "response-change",
    why: "headers and body of a held response can be changed",
    script: [
      "response_headers: replace 2 :status 201; add 2 x y; remove 2 content-type; headers_size 9; return 1",
      "response_body: at_end; set_body 1 0 1000 changed",
      "response_body: until_end",
    ],
    bodyless: true,
    answer: ["abc", "defg"],
  },
  {
    id: "limit",
    why: "more than the limit held is a 413, after a last body callback",
    script: [
      hold,
      "request_body: body_size 0; return 1",
      "response_headers: header 2 :status; property response.code_details",
      "response_body: body 1 0 100",
    ],
    bufferLimit: 1000,
    body: ["x".repeat(600), "y".repeat(600), "z"],
  },
  {
    id: "limit-edge",
    why: "exactly the limit can be held",
    script: [hold, "request_body: body_size 0; until_end"],
    bufferLimit: 1000,
    body: ["x".repeat(600), "y".repeat(400)],
  },
  {
    id: "limit-pass",
    why: "what is not held has no limit",
    script: ["request_headers: return 0"],
    bufferLimit: 1000,
    body: ["x".repeat(600), "y".repeat(600)],
  },
  {
    id: "limit-response",
    why: "more than the limit of a response held is a 500",
    script: ["response_headers: return 1", "response_body: body_size 1; until_end"],
    bufferLimit: 1000,
    bodyless: true,
    answer: ["x".repeat(600), "y".repeat(600)],
  },
  {
    id: "close-headers",
    why: "proxy_close_stream resets",
    script: ["request_headers: close 0; return 1"],
    bodyless: true,
  },
  {
    id: "close-body",
    why: "proxy_close_stream after a part went on cuts the upstream off",
    script: ["request_body: body 0 0 9; at_end; close 0; return 1"],
    body: ["one", "two"],
  },
  {
    id: "continue-own",
    why: "continuing a stream from its own callback",
    script: ["request_headers: continue 0; header 0 :path; return 0"],
    bodyless: true,
  },
  {
    id: "change-request",
    why: "what the module changes is what the upstream gets",
    script: [
      "request_headers: replace 0 :path /b; add 0 x-a 1; add 0 x-a 2; header 0 x-a; replace 0 x-a 3; remove 0 x-gone; return 1",
      "request_body: unless_end; set_body 0 0 0 <; set_body 0 100 0 >; set_body 0 1 1 z; return 1",
      "request_body: at_end; body 0 0 100; set_body 0 0 1000 all; return 0",
    ],
    headers: [["x-gone", "y"]],
    body: ["one"],
  },
  {
    id: "set-pairs",
    why: "the whole map can be replaced; torn pairs read as none",
    script: [
      "request_headers: set_pairs 0 :method POST :path /c :authority h :scheme http x-forwarded-proto http x y; header 0 x; pairs 9",
      "response_headers: torn_pairs 2 :status 202; header 2 :status; set_pairs 2 :status 202 q r",
    ],
    bodyless: true,
  },
  {
    id: "statuses",
    why: "what wrong calls get in return",
    script: [
      "request_headers: header 8 a; header 1 a; header 4 a; body 9 0 1; body 7 0 9; body 6 0 9; effective 99; close 7; continue 7; increment 4 1; record 4 1; value 4; shared nope; dequeue 77; enqueue 77 x; resolve x y; foreign nope; wild_log; wild_out; wild_local; finish; log 9 x; http nope body",
    ],
    bodyless: true,
  },
  {
    id: "environment",
    why: "the VM's variables, as WASI gives them; outside of memory there is no room for them",
    script: ["request_headers: environ; wild_environ"],
    bodyless: true,
  },
  ...(
    [
      ["ok", "peer", "an answer has headers, body and trailers; what it answers can let the stream go on"],
      ["busy", "peer", "a refusal is an answer like any other"],
      ["broken", "peer", "a connection that breaks is answered with 503"],
      ["slow", "peer", "time that is up is answered with 504"],
      ["down", "down", "so is a connection that is refused with 503"],
    ] as const
  ).map(([id, cluster, why]) => ({
    id: `call-${id}`,
    why: `a call of the module's own: ${why}`,
    script: [
      `request_headers: http ${cluster} body :method POST :path /${id} :authority peer; header 6 :status; return 1`,
      "call: header 6 :status; header 6 x; header 6 retry-after; header 7 t; body 4 0 200; status; effective last; continue 0",
    ],
    bodyless: true,
    body: [1500],
  })),
  {
    id: "call-empty",
    why: "a call that fails before it is made is told so at once, and has no answer",
    script: ["request_headers: http empty body :method POST :path /ok :authority peer", "call: status"],
    bodyless: true,
    body: [500],
  },
  {
    id: "metrics",
    why: "counters only grow, gauges go both ways, histograms are recorded; each definition gives a new id",
    script: [
      "request_headers: metric 0 c; metric 1 g; metric 2 h; metric 0 c; metric 3 x; increment 4 2; increment 8 3; increment 4 0; increment 4 -1; value 4; increment 5 2; increment 5 -1; record 5 7; value 5; increment 6 1; record 6 9; value 6; record 4 5; value 4; value 99; record 98 1",
    ],
    bodyless: true,
  },
  {
    id: "shared",
    why: "shared data is written with compare-and-swap",
    script: ["request_headers: share a 1; share a 2 77; shared a; share b 3 77; shared b; share empty; shared empty"],
    bodyless: true,
  },
  {
    id: "state",
    why: "filter state can be read back under both names",
    script: [
      "configure: set_property k v; property k",
      "request_headers: property k; set_property k v; set_property a.b w; property k; property filter_state.wasm~k; property k.x; property a; property a.b",
      "response_headers: set_property k v2; property k",
      "log: set_property k v3; property k",
    ],
    bodyless: true,
  },
  {
    id: "properties",
    why: "how the values of properties are encoded, and which there are",
    script: [
      "configure: property xds.node.id; property node.id; property plugin_root_id; property request.path; property xds.route_name; property connection.mtls; property connection_id; property xds.listener_direction; property xds.cluster_name",
      "request_headers: property node.id; property xds.node.id; property xds.node.cluster; property xds.node.nope; property xds.node.metadata.LABELS; property xds.node.metadata.LABELS.app; property xds.node.metadata.n; property xds.node.metadata.l; property xds.node.metadata.l.1; property xds.node.metadata.l.2; property xds.node.metadata.b; property listener_direction; property xds.listener_direction; property route_name; property xds.route_name; property xds.virtual_host_name; property xds.cluster_name; property xds.filter_chain_name; property plugin_name; property plugin_root_id; property plugin_vm_id; property plugin_name.x; property connection.mtls; property connection.uri_san_peer_certificate; property connection.termination_details; property metadata.filter_metadata; property metadata.filter_metadata.x; property request.path; property request.url_path; property request.query; property request.host; property request.scheme; property request.method; property request.protocol; property request.referer; property request.useragent; property request.headers.a; property request.headers.nope; property request.nope; property request.size; property request.duration; property response.code; property response.code_details; property response.flags; property response.size; property response.headers; property upstream.address; property nope.x",
    ],
    path: "/a?b=1",
    headers: [
      ["a", "1"],
      ["a", "2"],
      ["user-agent", "ua"],
    ],
    bodyless: true,
  },
  {
    id: "trap",
    why: "a trap answers 503 and no further callback of the stream is made",
    script: ["request_headers: trap"],
    bodyless: true,
  },
  {
    id: "trap-response",
    why: "a trap in the response answers 503 as well",
    script: ["response_headers: trap"],
    bodyless: true,
  },
  {
    id: "overflow",
    why: "running out of stack is a trap",
    script: ["request_headers: overflow"],
    bodyless: true,
  },
  {
    id: "done-later",
    why: "a stream cannot put its end off",
    script: ["done: return 0"],
    bodyless: true,
  },
  {
    id: "websocket",
    why: "an upgrade has no end of stream on its headers; an empty piece of body follows at once",
    script: ["request_headers: header 0 upgrade; return 0"],
    method: "GET",
    headers: [
      ["connection", "upgrade"],
      ["upgrade", "websocket"],
    ],
    endless: true,
    answer: null,
  },
];
