// SPDX-License-Identifier: Apache-2.0
// A chart in the page's colours, as wide as there is room.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { scale } from "./scale";
import { useStore } from "./store";

export interface Line {
  name: string;
  values: readonly (number | null)[];
  colour: string; // a custom property's name
  kind: "line" | "course" | "dots" | "bars"; // a course has a dot for each value, so that one alone is seen
}

const tone = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The page's enlargement is taken out of a chart and drawn instead, so that it stays sharp. */
const px = (length: number): number => length * scale.get();

function seriesOf(line: Line): uPlot.Series {
  const colour = tone(line.colour);
  if (line.kind === "dots") {
    return { label: line.name, stroke: colour, paths: () => null, points: { show: true, size: px(6), fill: colour, width: 0 } };
  }
  if (line.kind === "bars") {
    const paths = uPlot.paths.bars?.({ size: [0.82, px(90)], radius: 0.12 });
    return { label: line.name, stroke: colour, fill: colour, width: 0, points: { show: false }, ...(paths ? { paths } : {}) };
  }
  if (line.kind === "course") {
    return { label: line.name, stroke: colour, width: px(1.7), points: { show: true, size: px(6), fill: colour, width: 0 } };
  }
  return { label: line.name, stroke: colour, width: px(1.7), points: { show: false }, fill: `${colour}1c` };
}

function axisOf(values: (value: number) => string, size: number): uPlot.Axis {
  return {
    stroke: tone("--ink-3"),
    font: `${Math.round(px(12))}px Inter, sans-serif`, // whole pixels: the distance of lines is reckoned from them
    grid: { stroke: tone("--line-soft"), width: 1 },
    ticks: { show: false },
    size: px(size),
    gap: px(6),
    values: (_, splits) => splits.map((split) => (split === null ? "" : values(split))),
  };
}

function optionsOf(latest: () => ChartProps, width: number): uPlot.Options {
  const props = latest();
  const x = axisOf((value) => value.toString(), props.xValue === undefined ? 40 : 26);
  const { xValue, ySplits } = props;
  return {
    width,
    height: px(props.height),
    cursor: { show: false },
    legend: { show: false },
    padding: [px(8), px(xValue === undefined ? 24 : 8), 0, 0], // the last of the clock's words stands half behind the end
    scales: {
      x: { time: xValue === undefined, ...(props.xRange === undefined ? {} : { range: () => latest().xRange ?? [0, 1] }) },
      y: {
        range: (_, __, top) => latest().yRange ?? [0, top > 0 ? top * 1.12 : 1],
        ...(props.log === true ? { distr: 3 as const } : {}),
      },
    },
    axes: [
      {
        ...x,
        grid: { show: false },
        space: px(props.xSpace ?? 70),
        ...(xValue === undefined ? { values: clockSplits } : { values: (_, splits) => splits.map(xValue) }),
        ...(props.xSplits === undefined ? {} : { splits: () => [...(props.xSplits ?? [])] }),
      },
      {
        ...axisOf(props.yValue, 58),
        space: px(34),
        ...(ySplits === undefined ? {} : { splits: (_, __, low, high) => ySplits.filter((split) => split >= low && split <= high), filter: (_, splits) => splits }),
      },
    ],
    series: [{}, ...props.lines.map(seriesOf)],
  };
}

/** Steps of the clock, in seconds, and how a moment is written at each. */
const clockSplits: uPlot.Axis.Values = [
  [86_400, "{D}. {MMM}", null, null, null, null, null, null, 0],
  [3_600, "{HH}:{mm}", "\n{D}. {MMM}", null, null, null, null, null, 1],
  [60, "{HH}:{mm}", null, null, null, null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1],
] as unknown as uPlot.Axis.Values;

export interface ChartProps {
  label: string; // what is seen, for who cannot see it
  x: readonly number[];
  lines: readonly Line[];
  height: number;
  yValue: (value: number) => string;
  xValue?: (value: number) => string;
  xSplits?: readonly number[];
  xSpace?: number;
  xRange?: uPlot.Range.MinMax;
  yRange?: uPlot.Range.MinMax;
  ySplits?: readonly number[];
  log?: boolean; // by powers: the range begins above nothing
}

export function Chart(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const drawn = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const data = [[...props.x], ...props.lines.map((line) => [...line.values])] as uPlot.AlignedData;
  const large = useStore(scale);
  const shape = `${large} ${props.height} ${props.xSplits?.map((split) => props.xValue?.(split)).join() ?? ""} ${props.lines.map((line) => line.name).join()}`;

  useEffect(() => {
    const draw = (): void => {
      drawn.current?.destroy();
      const now = latest.current;
      const all = [[...now.x], ...now.lines.map((line) => [...line.values])] as uPlot.AlignedData;
      drawn.current = box.current === null ? null : new uPlot(optionsOf(() => latest.current, box.current.clientWidth), all, box.current);
    };
    draw();
    const theme = new MutationObserver(draw);
    theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    const room = new ResizeObserver(() => {
      const width = box.current?.clientWidth ?? 0;
      if (width > 0 && width !== drawn.current?.width) {
        drawn.current?.setSize({ width, height: px(latest.current.height) });
      }
    });
    if (box.current !== null) {
      room.observe(box.current);
    }
    return () => {
      theme.disconnect();
      room.disconnect();
      drawn.current?.destroy();
      drawn.current = null;
    };
  }, [shape]);
  useEffect(() => drawn.current?.setData(data));
  return <div class="chart" ref={box} role="img" aria-label={props.label} style={{ height: `${px(props.height)}px` }} />;
}
