// Draws bar charts as SVG, one panel below the other. In a panel bars go from the shortest at the top to the longest.

import { init } from 'echarts';
import { figure } from './markdown.mjs';

// A grey that is readable on white and on black.
const TEXT = '#7d8590';
const COLOURS = { us: '#e8590c', limit: '#9aa4af', peer: '#4c8dae' };
const WIDTH = 880;
const ROW = 19;
const HEAD = 34;
const GAP = 22;

/**
 * @typedef {{ name: string, median: number }} Bar
 * @typedef {{ title: string, unit: string, bars: Bar[] }} Panel
 */

/** Where a panel's axis begins on a logarithmic scale: at half of the smallest value, so that its bar is visible. @param {readonly Bar[]} bars */
const least = (bars) => Math.min(...bars.map(({ median }) => median)) / 2;

/** @param {string} name @param {RegExp} limits */
function colour(name, limits) {
  if (name.startsWith('warmshard')) return COLOURS.us;
  return limits.test(name) ? COLOURS.limit : COLOURS.peer;
}

/**
 * @param {readonly Panel[]} given
 * @param {object} options
 * @param {string} options.footer
 * @param {RegExp} options.limits names of bars that are limits, not peers; they are grey
 * @param {'log' | 'value'} [options.scale] logarithmic, or linear from 0
 * @param {number} [options.left] width of the names
 */
export function draw(given, { footer, limits, scale = 'log', left = 160 }) {
  const panels = given.map(({ bars, ...panel }) => ({
    ...panel,
    bars: bars.toSorted((a, b) => b.median - a.median),
  }));
  let top = 8;
  const places = panels.map(({ bars }) => {
    const place = { top: top + HEAD - 8, height: bars.length * ROW };
    top += HEAD + place.height + GAP - 8;
    return place;
  });
  const height = top + 24;

  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  chart.setOption({
    animation: false,
    textStyle: { fontFamily: 'system-ui, sans-serif', color: TEXT },
    title: [
      ...panels.map(({ title }, i) => ({
        text: title,
        left: 8,
        top: (places[i]?.top ?? 0) - 24,
        textStyle: { fontSize: 14, color: TEXT },
      })),
      {
        text: footer,
        left: 8,
        top: height - 22,
        textStyle: { fontSize: 11, fontWeight: 'normal', color: TEXT },
      },
    ],
    grid: places.map((place) => ({ left, right: 80, ...place })),
    xAxis: panels.map(({ bars }, gridIndex) => ({
      gridIndex,
      show: false,
      type: scale,
      // By default bars of a logarithmic axis begin at 1, and those of smaller values would point to the left.
      ...(scale === 'log' ? { min: least(bars), startValue: least(bars) } : { min: 0 }),
    })),
    yAxis: panels.map(({ bars }, gridIndex) => ({
      gridIndex,
      type: 'category',
      data: bars.map(({ name }) => name),
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: {
        color: TEXT,
        fontSize: 12,
        interval: 0,
        formatter: (/** @type {string} */ name) => (name === 'warmshard' ? '{us|warmshard}' : name),
        rich: { us: { color: COLOURS.us, fontWeight: 'bold', fontSize: 12 } },
      },
    })),
    series: panels.map(({ bars, unit }, i) => ({
      type: 'bar',
      xAxisIndex: i,
      yAxisIndex: i,
      barWidth: 12,
      data: bars.map(({ name, median }) => ({ value: median, itemStyle: { color: colour(name, limits) } })),
      label: {
        show: true,
        position: 'right',
        color: TEXT,
        fontSize: 12,
        formatter: (/** @type {{ value?: unknown }} */ { value }) => `${figure(Number(value))} ${unit}`,
      },
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n`;
}
