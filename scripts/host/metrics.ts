// Custom metrics. A name is one metric for the whole process; an id is one VM's handle on it, and every definition makes a new
// id, also of a name that is known (context.cc, defineMetric). The low two bits of an id are its type.

import { METRIC } from "./abi.ts";

/** What a histogram has seen; values are whole numbers. */
export interface HistogramValue {
  count: number;
  sum: number;
  min: number;
  max: number;
}

export type MetricValue = number | HistogramValue;

export interface Metric {
  name: string;
  type: number;
  value: bigint;
  histogram: HistogramValue;
}

const TYPE_MASK = 3;
const ID_STEP = 4;

/** The metrics of a process, by type and name, without Envoy's `wasmcustom.` prefix. */
export class MetricStore {
  readonly #metrics = new Map<string, Metric>();

  define(type: number, name: string): Metric {
    const key = `${type}${name}`;
    let metric = this.#metrics.get(key);
    if (metric === undefined) {
      metric = { name, type, value: 0n, histogram: { count: 0, sum: 0, min: 0, max: 0 } };
      this.#metrics.set(key, metric);
    }
    return metric;
  }

  /** Values by `wasmcustom.NAME`, as Envoy's admin shows them. */
  values(): Map<string, MetricValue> {
    const values = new Map<string, MetricValue>();
    for (const { name, type, value, histogram } of this.#metrics.values()) {
      values.set(`wasmcustom.${name}`, type === METRIC.histogram ? { ...histogram } : Number(value));
    }
    return values;
  }
}

/** The ids that one VM has been given. */
export class MetricIds {
  readonly #metrics = new Map<number, Metric>();
  readonly #last: [counter: number, gauge: number, histogram: number] = [
    METRIC.counter,
    METRIC.gauge,
    METRIC.histogram,
  ];

  get size(): number {
    return this.#metrics.size;
  }

  give(metric: Metric): number {
    const type = metric.type as 0 | 1 | 2;
    const id = this.#last[type] + ID_STEP;
    this.#last[type] = id;
    this.#metrics.set(id, metric);
    return id;
  }

  get(id: number): Metric | undefined {
    return this.#metrics.get(id);
  }
}

/** Whether an id, given out or not, claims to be a counter or a gauge. */
export function hasNumber(id: number): boolean {
  return (id & TYPE_MASK) < METRIC.histogram;
}

export function recordHistogram(histogram: HistogramValue, value: number): void {
  histogram.min = histogram.count === 0 ? value : Math.min(histogram.min, value);
  histogram.max = histogram.count === 0 ? value : Math.max(histogram.max, value);
  histogram.count += 1;
  histogram.sum += value;
}
