import { h } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { effect, signal } from "@preact/signals";
import uPlot from "uplot";
import { arrows, plain } from "./words.jsx";
import { bands, beat, gaps, histories, kept } from "./state.js";
import { now, restarts } from "./daemon.js";
import { perSecond, some } from "./units.js";

export const theme = signal(0); // goes up when colours become others

const marked = signal(-1); // the moment under the pointer, of those that are kept

// colour returns one of the page's colours.
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// drawBands draws how long each fault was imposed, behind the curves: to the server in strokes that rise, to the client in strokes that fall.
function drawBands(u, gate) {
  const { ctx, bbox } = u;
  const lanes = [];
  const dots = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.font = `${11 * dots}px ui-monospace, monospace`;
  ctx.textBaseline = "top";
  const of = gate ? [bands.get(gate) || new Map()] : bands.values();
  for (const map of of) {
    for (const band of map.values()) {
      const from = Math.max(bbox.left, u.valToPos(band.from / 1000, "x", true));
      const till = Math.min(bbox.left + bbox.width, u.valToPos((band.till ?? now()) / 1000, "x", true));
      if (till <= from) continue;
      let lane = lanes.findIndex((end) => end <= from);
      if (lane < 0) lane = lanes.push(0) - 1;
      lanes[lane] = till + 2;
      if (gate || lane < 6) {
        const tone = colour(band.way === "door" ? "door" : band.way);
        if (!gate) {
          ctx.globalAlpha = 0.75;
          ctx.fillStyle = tone;
          ctx.fillRect(from, bbox.top + lane * 6 * dots, till - from, 4 * dots);
          continue;
        }
        ctx.globalAlpha = 0.1;
        ctx.fillStyle = tone;
        ctx.fillRect(from, bbox.top, till - from, bbox.height);
        ctx.globalAlpha = 0.35;
        ctx.strokeStyle = tone;
        ctx.lineWidth = dots;
        const rise = band.way === "to_server" ? -1 : band.way === "to_client" ? 1 : 0;
        const y = bbox.top + 4 * dots + lane * 16 * dots;
        ctx.beginPath();
        if (rise) for (let x = from - 14 * dots; x < till; x += 7 * dots) ctx.moveTo(Math.max(x, from), y + (rise > 0 ? 0 : 13 * dots)), ctx.lineTo(Math.min(x + 13 * dots, till), y + (rise > 0 ? 13 * dots : 0));
        ctx.stroke();
        ctx.globalAlpha = 0.9;
        ctx.fillRect(from, y, 2.5 * dots, 13 * dots);
        if (till - from > 40 * dots) {
          ctx.save();
          ctx.beginPath();
          ctx.rect(from, y - 2, till - from, 18 * dots);
          ctx.clip();
          const text = `${arrows[band.way] || ""} ${plain(band.text)}`;
          ctx.globalAlpha = 0.85;
          ctx.fillStyle = colour("panel");
          ctx.fillRect(from + 4 * dots, y, ctx.measureText(text).width + 6 * dots, 13 * dots);
          ctx.globalAlpha = 1;
          ctx.fillStyle = colour("ink");
          ctx.fillText(text, from + 6 * dots, y + 1.5 * dots);
          ctx.restore();
        }
      }
    }
  }
  ctx.globalAlpha = 0.8;
  ctx.fillStyle = ctx.strokeStyle = colour("wrong");
  ctx.setLineDash([3 * dots, 3 * dots]);
  for (const [at, text] of [...gaps.map((g) => [g.at, "events lost"]), ...restarts.value.map((r) => [r.at / 1000, "restarted"])]) {
    const x = u.valToPos(at, "x", true);
    if (x < bbox.left) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillText(text, x + 4 * dots, bbox.top + bbox.height - 15 * dots);
  }
  ctx.restore();
}

function options(gate, width, height) {
  const axis = { stroke: colour("faint"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "11px system-ui" };
  return {
    width,
    height,
    legend: { show: false },
    padding: [6, 4, 0, 0],
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    scales: {
      x: { time: true, range: (u) => [Math.max(now() / 1000 - kept, Math.min(now() / 1000 - 60, u.data[0][0] || Infinity)), now() / 1000] },
      y: { range: (_, low, high) => [0, Math.max(1000, (high || 0) * 1.15)] },
      n: { range: (_, low, high) => [0, Math.max(4, (high || 0) * 1.6)] },
    },
    axes: [
      { ...axis, size: 26, space: 70, values: (_, list) => list.map((s) => new Date(s * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false })) },
      { ...axis, scale: "y", size: 68, space: 34, values: (_, list) => list.map(perSecond) },
      { ...axis, scale: "n", side: 1, size: 34, space: 34, grid: { show: false }, values: (_, list) => list.map((n) => (Number.isInteger(n) ? n : "")) },
    ],
    series: [
      {},
      { scale: "y", stroke: colour("to_server"), width: 1.6, points: { show: false } },
      { scale: "y", stroke: colour("to_client"), width: 1.6, dash: [6, 3], points: { show: false } },
      { scale: "n", stroke: colour("faint"), width: 1.2, dash: [1.5, 3], points: { show: false }, paths: uPlot.paths.stepped({ align: 1 }) },
    ],
    hooks: { drawClear: [(u) => drawBands(u, gate)], setCursor: [(u) => (marked.value = u.cursor.idx ?? -1)] },
  };
}

// Legend tells the figures under the pointer, or else the latest.
function Legend({ gate }) {
  beat.value;
  const history = histories.get(gate);
  const i = marked.value >= 0 && marked.value < (history?.at.length || 0) ? marked.value : (history?.at.length || 0) - 1;
  if (i < 0) return <p class="legend quiet">collecting the first figures</p>;
  return (
    <p class="legend">
      <span class="key to_server"><i aria-hidden="true" /> to server <b class="figure">{perSecond(history.toServer[i])}</b></span>
      <span class="key to_client"><i aria-hidden="true" /> to client <b class="figure">{perSecond(history.toClient[i])}</b></span>
      <span class="key live"><i aria-hidden="true" /> <b class="figure">{some(history.live[i], "connection")}</b></span>
      {marked.value >= 0 && <span class="quiet figure">{new Date(history.at[i] * 1000).toLocaleTimeString()}</span>}
    </p>
  );
}

// Timeline shows the last minutes of a gate, or of all together.
export function Timeline({ gate = "" }) {
  const box = useRef(null);
  useEffect(() => {
    const el = box.current;
    let plot = null;
    const data = () => {
      const history = histories.get(gate);
      return history ? [history.at, history.toServer, history.toClient, history.live] : [[], [], [], []];
    };
    const height = () => (innerHeight < 700 || innerWidth < 700 ? 150 : 190);
    const make = () => {
      plot?.destroy();
      const width = el.clientWidth;
      plot = width > 0 ? new uPlot(options(gate, width, height()), data(), el) : null;
    };
    const observer = new ResizeObserver(() => el.clientWidth && (plot ? plot.setSize({ width: el.clientWidth, height: height() }) : make()));
    observer.observe(el);
    const stopTheme = effect(() => {
      theme.value;
      if (el.clientWidth) make();
    });
    const stop = effect(() => {
      beat.value;
      if (!document.hidden) plot?.setData(data());
    });
    return () => {
      stop();
      stopTheme();
      observer.disconnect();
      plot?.destroy();
      marked.value = -1;
    };
  }, [gate]);
  return (
    <section class="timeline" aria-label={gate ? `Timeline of ${plain(gate)}` : "Timeline of all gates"}>
      <Legend gate={gate} />
      <div class="plot" ref={box} role="img" aria-label="Throughput and connections of the last five minutes, with the faults that were imposed" />
    </section>
  );
}
