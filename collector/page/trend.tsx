/** Events over time: bars by stage, a line across each bar for what was refused. Drawn by hand: sixty rectangles need no library. */
import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { Trend } from "../api.ts";
import { api } from "./client.ts";
import { useLoaded } from "./loaded.ts";
import { STAGES } from "./route.ts";
import { Empty, Failed, Loading, countOf, dayOf, minuteOf, plural } from "./text.tsx";

const WINDOWS = [
  ["1h", "1 hour"],
  ["24h", "24 hours"],
  ["7d", "7 days"],
  ["30d", "30 days"],
] as const;
type Window = (typeof WINDOWS)[number][0];
type Point = Trend["points"][number];

const HEIGHT = 100;
const EVERY_MS = 10_000;
const LABELS = 5;

/** The least of 2, 4, 6, 10, 20, 40 … that is not below `most`: half of it, which the scale names too, is a whole number. */
function ceilingOf(most: number): number {
  let unit = 1;
  while (unit * 10 < most) unit *= 10;
  return unit * ([2, 4, 6, 10].find((step) => unit * step >= most) ?? 10);
}

const spanOf = ({ time }: Point, step: number): string => {
  const from = new Date(time);
  const to = new Date(from.getTime() + step * 1_000);
  return step >= 86_400 ? dayOf(from) : `${dayOf(from)}, ${minuteOf(from)}–${minuteOf(to)}`;
};

function Bars({ points, step_seconds: step }: Trend): VNode {
  const [chosen, choose] = useState<number | null>(null);
  const top = ceilingOf(Math.max(4, ...points.map(({ events }) => events)));
  const y = (count: number): number => (count / top) * HEIGHT;
  const span = Math.ceil(points.length / LABELS);
  const labels = points.filter((_, index) => index % span === 0);
  const total = points.reduce((sum, { events }) => sum + events, 0);
  const denied = points.reduce((sum, point) => sum + point.denied, 0);
  const point = chosen === null ? undefined : points[chosen];
  const said =
    point === undefined
      ? `${plural(total, "event")} in all, ${countOf(denied)} refused`
      : `${spanOf(point, step)}: ${plural(point.events, "event")}, ${countOf(point.denied)} refused`;
  const aim = (event: PointerEvent): void => {
    const { left, width } = (event.currentTarget as Element).getBoundingClientRect();
    const at = Math.floor(((event.clientX - left) / width) * points.length);
    choose(Math.min(points.length - 1, Math.max(0, at)));
  };
  return (
    <figure class="trend">
      <div class="plot">
        <div class="scale" aria-hidden="true">
          <span>{countOf(top)}</span>
          <span>{countOf(top / 2)}</span>
          <span>0</span>
        </div>
        <svg
          viewBox={`0 0 ${points.length} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`Events over time: ${plural(total, "event")}, ${countOf(denied)} refused, at most ${countOf(Math.max(0, ...points.map(({ events }) => events)))} at once`}
          onPointerMove={aim}
          onPointerLeave={() => choose(null)}
        >
          {[0, HEIGHT / 2, HEIGHT].map((line) => (
            <line key={line} class="grid" x1={0} x2={points.length} y1={line} y2={line} />
          ))}
          {points.map((one, index) => {
            let base = HEIGHT;
            return (
              <g key={one.time} class={index === chosen ? "chosen" : undefined}>
                {STAGES.map((stage) => {
                  const height = y(one[stage]);
                  base -= height;
                  return height === 0 ? null : (
                    <rect key={stage} class={`bar ${stage}`} x={index + 0.12} width={0.76} y={base} height={height} />
                  );
                })}
                {one.denied > 0 && (
                  <line
                    class="denied"
                    x1={index + 0.02}
                    x2={index + 0.98}
                    y1={HEIGHT - y(one.denied)}
                    y2={HEIGHT - y(one.denied)}
                  />
                )}
                <rect class="aim" x={index} width={1} y={0} height={HEIGHT} />
              </g>
            );
          })}
        </svg>
        <div class="ticks" aria-hidden="true">
          {labels.map(({ time }, index) => (
            <span key={time} style={{ flexGrow: Math.min(span, points.length - index * span) }}>
              {step >= 14_400 ? dayOf(new Date(time)) : minuteOf(new Date(time))}
            </span>
          ))}
        </div>
      </div>
      <figcaption>
        <span class="readout">{said}</span>
        <span class="legend">
          {STAGES.map((stage) => (
            <span key={stage}>
              <i class={`swatch ${stage}`} /> {stage}
            </span>
          ))}
          <span>
            <i class="swatch denied" /> refused
          </span>
        </span>
      </figcaption>
      <details>
        <summary>As a table</summary>
        <div class="scroll" tabIndex={0} role="region" aria-label="Events over time, as a table">
          <table>
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col" class="number">
                  Events
                </th>
                {STAGES.map((stage) => (
                  <th key={stage} scope="col" class="number">
                    {stage}
                  </th>
                ))}
                <th scope="col" class="number">
                  refused
                </th>
              </tr>
            </thead>
            <tbody>
              {points
                .filter(({ events }) => events > 0)
                .map((one) => (
                  <tr key={one.time}>
                    <th scope="row">{spanOf(one, step)}</th>
                    <td class="number">{countOf(one.events)}</td>
                    {STAGES.map((stage) => (
                      <td key={stage} class="number">
                        {countOf(one[stage])}
                      </td>
                    ))}
                    <td class="number">{countOf(one.denied)}</td>
                  </tr>
                ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}

export function TrendPanel({ isPaused }: { isPaused: boolean }): VNode {
  const [window, setWindow] = useState<Window>("24h");
  const { data, error, reload } = useLoaded(window, (signal) => api.trend(window, signal), EVERY_MS, isPaused);
  return (
    <section class="panel" aria-labelledby="trend-title">
      <div class="panel-head">
        <h2 id="trend-title">Events</h2>
        <div class="segments" role="group" aria-label="Time that is shown">
          {WINDOWS.map(([value, words]) => (
            <button
              key={value}
              type="button"
              aria-pressed={window === value}
              title={words}
              onClick={() => setWindow(value)}
            >
              {value}
            </button>
          ))}
        </div>
      </div>
      {data === null ? (
        error === null ? (
          <Loading what="events" />
        ) : (
          <Failed error={error} retry={reload} />
        )
      ) : data.points.length === 0 ? (
        <Empty title="No events in this time." />
      ) : (
        <Bars {...data} />
      )}
    </section>
  );
}
