/** OTLP log records as sidecars send them, for tests of what shows them. */

/** What one event says; what is left out is that of an ordinary attack. */
export interface Said {
  rule?: string;
  class?: string;
  severity?: string;
  stage?: string;
  service?: string;
  namespace?: string;
  instance?: string;
  version?: string;
  policy?: string;
  method?: string;
  route?: string;
  part?: string;
  parameter?: string;
  evidence?: string;
  outcome?: string;
  mode?: string;
  exception?: string;
  request?: string;
  principal?: string;
  direction?: string;
  host?: string;
  scheme?: string;
  status?: number;
  hops?: readonly string[];
  /** Milliseconds before now. */
  ago?: number;
}

const text = (key: string, stringValue: string | undefined): object[] =>
  stringValue === undefined ? [] : [{ key, value: { stringValue } }];
const whole = (key: string, intValue: number): object => ({ key, value: { intValue } });

function resourceOf(said: Said): object {
  const attributes = [
    ...text("service.name", said.service ?? "catalogue"),
    ...text("service.namespace", said.namespace ?? "shop"),
    ...text("service.instance.id", said.instance ?? "catalogue-7d4f9"),
    ...text("meshward.version", said.version ?? "0.1.0"),
    ...text("meshward.policy", said.policy ?? "d0f132d4addf"),
  ];
  const record = {
    timeUnixNano: `${Date.now() - (said.ago ?? 0)}000000`,
    severityNumber: 17,
    severityText: "high",
    eventName: "meshward.finding",
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    body: { stringValue: "finding" },
    attributes: [
      ...text("security_rule.name", said.rule ?? "sqli-union-select"),
      ...text("security_rule.category", said.class ?? "sqli"),
      ...text("security_rule.ruleset.name", "meshward"),
      ...text("meshward.stage", said.stage ?? "attempted"),
      whole("meshward.confidence", 92),
      ...text("meshward.severity", said.severity ?? "critical"),
      { key: "meshward.cwe", value: { arrayValue: { values: [{ intValue: 89 }] } } },
      ...text("meshward.part", said.part ?? "query"),
      ...text("meshward.parameter", said.parameter ?? "q"),
      ...text("meshward.evidence", said.evidence ?? "9{1}' UNION SELECT a{4}, a{8} FROM a{5}--"),
      ...text("meshward.outcome", said.outcome ?? "would_deny"),
      ...text("meshward.mode", said.mode ?? "detect"),
      ...text("meshward.exception", said.exception),
      ...text("meshward.request_id", said.request ?? "0f8fad5b-d9cb-469f-a165-70867728950e"),
      ...text("meshward.principal", said.principal ?? "10.2.0.17"),
      ...text("meshward.direction", said.direction ?? "inbound"),
      ...text("http.request.method", said.method ?? "GET"),
      ...text("http.route", said.route ?? "/items/{id}"),
      whole("http.response.status_code", said.status ?? 200),
      ...text("server.address", said.host ?? "shop.example"),
      ...text("url.scheme", said.scheme ?? "http"),
      ...(said.hops === undefined
        ? []
        : [
            { key: "meshward.hops", value: { arrayValue: { values: said.hops.map((hop) => ({ stringValue: hop })) } } },
          ]),
    ],
  };
  return { resource: { attributes }, scopeLogs: [{ scope: { name: "meshward" }, logRecords: [record] }] };
}

/** Sends events to the collector at `url`; rejects where not all are stored. */
export async function sendEvents(url: string, events: readonly Said[]): Promise<void> {
  const response = await fetch(`${url}/v1/logs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ resourceLogs: events.map(resourceOf) }),
  });
  const answer = await response.text();
  if (response.status !== 200 || answer.includes("rejectedLogRecords")) throw new Error(`${response.status} ${answer}`);
}

/** A shop as it might be after some days: three confirmed flaws, some that are likely, and what scanners leave. */
export function shopEvents(): Said[] {
  const HOUR = 3_600_000;
  const hops = ["edge GET /search query term", "catalogue GET /items/{id} query q", "orders POST /lookup json /sql"];
  const flaws: Said[] = [
    { stage: "confirmed", hops, service: "orders", method: "POST", route: "/lookup", part: "json", parameter: "/sql" },
    {
      rule: "xss-script-element",
      class: "xss",
      stage: "confirmed",
      severity: "high",
      service: "reviews",
      route: "/reviews",
      part: "form",
      parameter: "text",
      method: "POST",
      evidence: "<script>a{5}(9{1})</script>",
    },
    {
      rule: "traversal-climb",
      class: "traversal",
      stage: "confirmed",
      severity: "high",
      service: "catalogue",
      route: "/files/{name}",
      part: "path",
      parameter: "1",
      evidence: "../../../a{3}/a{6}",
    },
    {
      rule: "ssrf-metadata",
      class: "ssrf",
      stage: "likely",
      severity: "high",
      service: "edge",
      route: "/preview",
      parameter: "url",
      evidence: "http://9{3}.9{3}.9{3}.9{3}/a{6}/",
    },
    {
      rule: "sqli-tautology",
      class: "sqli",
      stage: "likely",
      service: "catalogue",
      route: "/search",
      parameter: "term",
      evidence: "a{1}' OR 9{1}=9{1}--",
    },
    {
      rule: "ssti-arithmetic",
      class: "ssti",
      stage: "likely",
      severity: "medium",
      service: "mail",
      namespace: "platform",
      route: "/templates/{id}",
      method: "PUT",
      part: "json",
      parameter: "/body",
      evidence: "{{9{1}*9{1}}}",
    },
  ];
  const attempts: [rule: string, family: string, evidence: string][] = [
    ["sqli-union-select", "sqli", "9{1} UNION SELECT a{4} FROM a{5}"],
    ["xss-event-handler", "xss", '"><a{3} onerror=a{5}(9{1})>'],
    ["cmdi-separator-command", "cmdi", "9{1}; cat /a{3}/a{6}"],
    ["traversal-climb", "traversal", "../../../../a{3}/a{6}"],
    ["jndi-lookup", "jndi", "${jndi:ldap://a{4}.a{7}/a{1}}"],
  ];
  const places: [service: string, namespace: string, method: string, route: string, part: string, parameter: string][] =
    [
      ["catalogue", "shop", "GET", "/items/{id}", "query", "sort"],
      ["edge", "shop", "GET", "/search", "query", "term"],
      ["orders", "shop", "POST", "/orders", "json", "/items/0/note"],
      ["ledger", "payments", "GET", "/accounts/{uuid}/statements", "header", "user-agent"],
    ];
  const scans = Array.from({ length: 240 }, (_, index): Said => {
    const [rule, family, evidence] = attempts[index % attempts.length]!;
    const [service, namespace, method, route, part, parameter] = places[(index * 7) % places.length]!;
    const wave = Math.round(10 * HOUR * (1 + Math.sin(index * 1.7)) + ((index * 7919) % 97) * 60_000);
    return {
      ...{ rule, class: family, evidence, service, namespace, method, route, part, parameter, ago: wave },
      severity: (["high", "critical", "medium"] as const)[index % 3]!,
      ...(index % 3 === 0 ? { outcome: "denied", mode: "block", status: 403 } : {}),
      request: `0f8fad5b-d9cb-469f-a165-7086772${String(index).padStart(5, "0")}`,
      principal: index % 4 === 0 ? "spiffe://cluster.local/ns/shop/sa/edge" : `10.2.${index % 7}.${(index * 31) % 250}`,
    };
  });
  const found = flaws.map((flaw, index) => ({ ...flaw, ago: index * 400_000 + 20_000 }));
  // As they come: the newest last.
  return [...scans, ...found].sort((left, right) => right.ago! - left.ago!);
}

/** What a sidecar says of an endpoint; what is left out is that of an ordinary one. */
export interface Observed {
  service?: string;
  namespace?: string;
  direction?: "inbound" | "outbound";
  host?: string;
  scheme?: string;
  method?: string;
  route?: string;
  authentication?: readonly string[];
  parameters?: readonly string[];
  types?: readonly string[];
  callers?: readonly string[];
  /** Milliseconds before now. */
  ago?: number;
}

const texts = (key: string, values: readonly string[] | undefined): object[] =>
  values === undefined
    ? []
    : [{ key, value: { arrayValue: { values: values.map((stringValue) => ({ stringValue })) } } }];

/** Sends observations of endpoints to the collector at `url`; rejects where not all are stored. */
export async function sendObservations(url: string, observations: readonly Observed[]): Promise<void> {
  const resourceLogs = observations.map((seen, at) => {
    const attributes = [
      ...text("http.request.method", seen.method ?? "GET"),
      ...text("http.route", seen.route ?? "/items/{number}"),
      ...text("server.address", seen.host ?? "shop.example"),
      ...text("url.scheme", seen.scheme ?? "https"),
      ...text("meshward.direction", seen.direction ?? "inbound"),
      whole("meshward.count", 3),
      ...texts("meshward.status_classes", ["2xx 3"]),
      ...texts("meshward.authentication", seen.authentication ?? ["bearer 3"]),
      ...texts("meshward.parameters", seen.parameters),
      ...texts("meshward.response.content_types", seen.types ?? ["application/json"]),
      ...texts("meshward.callers", seen.callers),
    ];
    const timeUnixNano = `${Date.now() - (seen.ago ?? 0)}${String(at).padStart(6, "0")}`;
    const { service = "catalogue", namespace = "shop" } = seen;
    return {
      resource: { attributes: [...text("service.name", service), ...text("service.namespace", namespace)] },
      scopeLogs: [
        { scope: { name: "meshward" }, logRecords: [{ timeUnixNano, eventName: "meshward.endpoint", attributes }] },
      ],
    };
  });
  const response = await fetch(`${url}/v1/logs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ resourceLogs }),
  });
  const answer = await response.text();
  if (response.status !== 200 || answer.includes("rejectedLogRecords")) throw new Error(`${response.status} ${answer}`);
}

/** What runs in the shop: some days old, but for one endpoint and a parameter. */
export function shopObservations(): Observed[] {
  const ago = 5 * 86_400_000;
  const edge = ["spiffe://mesh/ns/shop/sa/edge"];
  return [
    { service: "edge", route: "/search", parameters: ["query text term"], authentication: ["none 3"], ago },
    { service: "edge", direction: "outbound", host: "catalogue.shop", ago },
    { service: "edge", direction: "outbound", host: "orders", route: "/orders", scheme: "http", ago },
    { parameters: ["query integer|empty page", "query text q"], callers: edge, ago },
    { method: "POST", route: "/items", parameters: ["json text /name", "json number /price"], callers: edge, ago },
    { direction: "outbound", host: "orders", method: "POST", route: "/lookup", ago },
    { service: "orders", route: "/orders", callers: edge, ago },
    { service: "orders", direction: "outbound", host: "api.pay.example", route: "/charges", method: "POST", ago },
    { service: "orders", route: "/orders", parameters: ["query text debug"], callers: edge },
    { service: "orders", route: "/orders/export", authentication: ["none 3"], types: ["text/csv"] },
  ];
}
