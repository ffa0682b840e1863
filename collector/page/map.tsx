/** Which service calls which: drawn, and as a table. */
import type { VNode } from "preact";
import type { ServiceMap } from "../api.ts";
import { api } from "./client.ts";
import { placeNodes } from "./layout.ts";
import type { Placed } from "./layout.ts";
import { useLoaded } from "./loaded.ts";
import { endpointsHref, NOTHING_SOUGHT } from "./route.ts";
import { Count, Empty, Failed, Foreign, Loading, Time, plural, visible } from "./text.tsx";

const EVERY_MS = 15_000;
/** More nodes than that are a table only. */
const DRAWN = 120;
const WIDTH = 168;
const HEIGHT = 44;
const GAP = 76;
const STEP = 62;
const MARGIN = 8;
/** How far an edge past a column is pulled down: below a node, at its lowest. */
const BEND = 48;
/** Letters of a name that fit into a node. */
const LETTERS = 21;

type Node = ServiceMap["nodes"][number];
type Edge = ServiceMap["edges"][number];

const nameOf = ({ id, service }: Node): string => visible(service ?? id);
const short = (name: string): string => (name.length > LETTERS ? `${name.slice(0, LETTERS - 1)}…` : name);
const leftOf = ({ column }: Placed): number => MARGIN + column * (WIDTH + GAP);
const topOf = ({ row }: Placed): number => MARGIN + row * STEP;

const wordsOf = ({ kind, endpoints, namespace, findings }: Node): string => {
  if (kind !== "service") return kind === "host" ? "a host outside" : "a caller outside";
  const found = findings.confirmed + findings.likely;
  const space = namespace === null ? "" : `${visible(namespace)}, `;
  return found > 0 ? `${space}${plural(found, "finding")}` : `${space}${plural(endpoints, "endpoint")}`;
};

function Box({ node, place }: { node: Node; place: Placed }): VNode {
  const { findings, service, namespace } = node;
  const grave = findings.confirmed > 0 ? "confirmed" : findings.likely > 0 ? "likely" : "";
  const drawn = (
    <g
      class={`node ${service === null ? "stranger" : "own"} ${grave}`}
      transform={`translate(${leftOf(place)} ${topOf(place)})`}
    >
      <title>{`${visible(node.id)}: ${wordsOf(node)}`}</title>
      <rect width={WIDTH} height={HEIGHT} rx="6" />
      <text x="10" y="19" class="node-name">
        {short(nameOf(node))}
      </text>
      <text x="10" y="35" class="node-words">
        {short(wordsOf(node))}
      </text>
    </g>
  );
  if (service === null) return drawn;
  const href = endpointsHref({ ...NOTHING_SOUGHT, service, namespace: namespace ?? "" });
  return <a href={href}>{drawn}</a>;
}

function line({ from, to }: { from: Placed; to: Placed }): string {
  const [x1, y1, x2, y2] = [leftOf(from) + WIDTH, topOf(from) + HEIGHT / 2, leftOf(to) - 6, topOf(to) + HEIGHT / 2];
  // Back, or beside: around below.
  if (to.column <= from.column) {
    const low = Math.max(y1, y2) + STEP / 2;
    return `M${x1} ${y1}C${x1 + GAP / 2} ${low} ${x2 - GAP / 2} ${low} ${x2} ${y2}`;
  }
  // Past a column: around the node that may stand there.
  if (to.column > from.column + 1) {
    return `M${x1} ${y1}C${x1 + GAP} ${y1 + BEND} ${x2 - GAP} ${y2 + BEND} ${x2} ${y2}`;
  }
  const middle = (x1 + x2) / 2;
  return `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
}

function Drawing({ nodes, edges }: { nodes: readonly Node[]; edges: readonly Edge[] }): VNode {
  const places = placeNodes(
    nodes.map(({ id }) => id),
    edges,
  );
  const all = [...places.values()];
  const width = Math.max(...all.map(leftOf)) + WIDTH + MARGIN;
  const height = Math.max(...all.map(topOf)) + HEIGHT + MARGIN + STEP / 2;
  return (
    <div class="map-frame" role="region" aria-label="Service map" tabIndex={0}>
      <svg
        class="map"
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        role="group"
        aria-label={`${plural(nodes.length, "node")}, ${plural(edges.length, "call")}: below as a table`}
      >
        <defs>
          <marker id="arrow" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="8" markerHeight="8" orient="auto">
            <path d="M0 0 8 4 0 8z" />
          </marker>
        </defs>
        {edges.map((edge) => {
          const [from, to] = [places.get(edge.from), places.get(edge.to)];
          if (from === undefined || to === undefined) return null;
          const isClear = edge.schemes.includes("http");
          return (
            <path
              key={`${edge.from} ${edge.to}`}
              class={`edge ${isClear ? "clear" : ""}`}
              d={line({ from, to })}
              marker-end="url(#arrow)"
              aria-hidden="true"
            />
          );
        })}
        {nodes.map((node) => (
          <Box key={node.id} node={node} place={places.get(node.id)!} />
        ))}
      </svg>
    </div>
  );
}

function Calls({ nodes, edges }: { nodes: readonly Node[]; edges: readonly Edge[] }): VNode {
  const kinds = new Map(nodes.map((node) => [node.id, node]));
  const cell = (id: string): VNode => <Foreign text={kinds.get(id)?.service ?? id} />;
  return (
    <details class="calls">
      <summary>As a table</summary>
      <div class="scroll" role="region" aria-label="Calls, as a table" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">From</th>
              <th scope="col">To</th>
              <th scope="col">Over</th>
              <th scope="col" class="number">
                Calls
              </th>
              <th scope="col">Last seen</th>
            </tr>
          </thead>
          <tbody>
            {edges.map((edge) => (
              <tr key={`${edge.from} ${edge.to}`}>
                <th scope="row">{cell(edge.from)}</th>
                <td>{cell(edge.to)}</td>
                <td>
                  <Foreign text={edge.schemes.join(", ")} />
                </td>
                <td class="number">{edge.operations === 0 ? "seen there" : <Count of={edge.count} />}</td>
                <td>
                  <Time at={edge.last_seen} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

export function MapPanel(): VNode | null {
  const { data, error, reload } = useLoaded("map", api.map, EVERY_MS);
  // That there is no connection is said above, and where nobody has sent anything, too.
  if (data === null ? error !== null && !("status" in error) : data.nodes.length === 0) return null;
  const joined = new Set(data?.edges.flatMap(({ from, to }) => [from, to]));
  const nodes = (data?.nodes ?? []).filter(({ id }) => joined.has(id));
  return (
    <section class="panel" aria-labelledby="map-title">
      <div class="panel-head">
        <h2 id="map-title">Who calls whom</h2>
      </div>
      {data === null ? (
        error === null ? (
          <Loading what="the map" />
        ) : (
          <Failed error={error} retry={reload} />
        )
      ) : data.edges.length === 0 ? (
        <Empty title="No call was observed yet.">
          <p>Calls show here where sidecars see what services ask of others.</p>
        </Empty>
      ) : (
        <>
          {nodes.length <= DRAWN ? (
            <Drawing nodes={nodes} edges={data.edges} />
          ) : (
            <p class="soft">{plural(nodes.length, "node")} are too many to draw.</p>
          )}
          {data.edges_left_out > 0 && (
            <p class="soft">{plural(data.edges_left_out, "call")} less often seen are left out.</p>
          )}
          {data.left_out > 0 && <p class="soft">{plural(data.left_out, "host")} less often seen are left out.</p>}
          <Calls {...data} />
        </>
      )}
    </section>
  );
}
