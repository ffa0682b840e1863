/** Panels of the dashboards, by Grafana's own builders: a query, what its series are called, and what stands there when it has none. */
import {
  BigValueColorMode,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  StackingConfigBuilder,
  StackingMode,
  VizLegendOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  DashboardBuilder,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TableBuilder } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as TimeseriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";

const DATASOURCE = { type: "prometheus", uid: "${datasource}" };
/** Grafana's grid has 24 columns. */
const SIXTH = 4;
export const HALF = 12;
export const WHOLE = 24;

export interface PanelText {
  /** What a reader should know who has not read the pages. */
  description: string;
  /** What stands there when the query has nothing to tell: why that is. A query without it always has a series. */
  empty?: string;
  unit?: string;
}

/** The least that any kind of panel can be told. */
interface Describable {
  description(text: string): this;
  noValue(text: string): this;
  unit(unit: string): this;
}

function tell<Panel extends Describable>(panel: Panel, { description, empty, unit }: PanelText): Panel {
  panel.description(empty === undefined ? description : `${description} Empty: ${empty}.`);
  if (empty !== undefined) panel.noValue(empty);
  return unit === undefined ? panel : panel.unit(unit);
}

const query = (expr: string, legend: string): DataqueryBuilder =>
  new DataqueryBuilder().refId("A").datasource(DATASOURCE).expr(expr.replace(/\s+/g, " ").trim()).legendFormat(legend);

/** One figure; from `warn` on it is red. */
export function figure(
  title: string,
  expr: string,
  text: PanelText,
  { warn, span = SIXTH }: { warn?: number; span?: number } = {},
): StatBuilder {
  const steps = [{ value: null, color: "green" }, ...(warn === undefined ? [] : [{ value: warn, color: "red" }])];
  return tell(new StatBuilder().title(title), text)
    .datasource(DATASOURCE)
    .span(span)
    .height(4)
    .colorMode(BigValueColorMode.Value)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]).fields("").values(false))
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps))
    .withTarget(query(expr, "").instant());
}

/** Lines over time; stacked where they are parts of a whole. */
export function lines(
  title: string,
  expr: string,
  legend: string,
  text: PanelText,
  { stacked = false, span = HALF }: { stacked?: boolean; span?: number } = {},
): TimeseriesBuilder {
  const panel = tell(new TimeseriesBuilder().title(title), text)
    .datasource(DATASOURCE)
    .span(span)
    .height(8)
    .min(0)
    .drawStyle(GraphDrawStyle.Line)
    .fillOpacity(stacked ? 40 : 8)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs([]),
    )
    .withTarget(query(expr, legend).range());
  return stacked ? panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal)) : panel;
}

/** A row for each series, its labels in columns. */
export function table(title: string, expr: string, text: PanelText, span = HALF): TableBuilder {
  return tell(new TableBuilder().title(title), text)
    .datasource(DATASOURCE)
    .span(span)
    .height(8)
    .withTransformation({ id: "organize", options: { excludeByName: { Time: true, __name__: true } } })
    .withTarget(query(expr, "").instant().format(PromQueryFormat.Table));
}

/** A choice of values of a label; all of them at first. */
export function choice(name: string, label: string, values: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query(`label_values(${values})`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue(".*")
    .current({ text: "All", value: "$__all" });
}

/** An empty dashboard that finds its data source and leads to the others. */
export function dashboard(uid: string, title: string, description: string): DashboardBuilder {
  return new DashboardBuilder(`Meshward: ${title}`)
    .uid(`meshward-${uid}`)
    .description(description)
    .tags(["meshward"])
    .refresh("30s")
    .time({ from: "now-3h", to: "now" })
    .timezone("browser")
    .editable()
    .withVariable(new DatasourceVariableBuilder("datasource").label("Prometheus").type("prometheus"))
    .link(
      new DashboardLinkBuilder("Meshward")
        .type(DashboardLinkType.Dashboards)
        .tags(["meshward"])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    );
}
