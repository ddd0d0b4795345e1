// What the daemon has told: gates and their figures, asked for once a second; events, as they come.

import { batch, computed, signal } from "@preact/signals";
import { Refusal, boot, lines, link, now, read } from "./daemon.js";
import { connShown, gateShown, tabShown } from "./route.js";

export const kept = 300; // how many moments of each gate are kept: five minutes, mostly
const eventsKept = 10000;

export const gates = signal([]);
export const kinds = signal([]);
export const version = signal(null);
export const beat = signal(0); // goes up with each answer about the gates
export const conns = signal({ gate: "", list: [], at: 0 });
export const events = signal({ all: [], version: 0 }); // the oldest first; the array is changed in place
export const ticks = signal(0); // goes up each second, for what counts down

// histories have the figures of gates by name, and under "" of all together. All arrays of one have the same length.
export const histories = new Map();
// bands are for how long faults were imposed and doors were not open, by gate.
export const bands = new Map();
export const gaps = []; // of the events: {at, lost}

const emptyHistory = () => ({ at: [], toServer: [], toClient: [], live: [], last: null });

// note adds a moment to a history.
function note(history, at, up, down, live) {
  const last = history.last;
  history.last = { at, up, down };
  const took = last ? (at - last.at) / 1000 : 0;
  if (!(took > 0)) return;
  history.at.push(at / 1000);
  history.toServer.push(Math.max(0, (up - last.up) / took));
  history.toClient.push(Math.max(0, (down - last.down) / took));
  history.live.push(live);
  if (history.at.length > kept) for (const one of [history.at, history.toServer, history.toClient, history.live]) one.shift();
}

function historyOf(name) {
  if (!histories.has(name)) histories.set(name, emptyHistory());
  return histories.get(name);
}

// noteBands compares what is imposed with what was.
function noteBands(gate, at) {
  if (!bands.has(gate.name)) bands.set(gate.name, new Map());
  const known = bands.get(gate.name);
  const there = new Set();
  const see = (key, from, text, way) => {
    there.add(key);
    const band = known.get(key);
    if (!band || band.text !== text) known.set(key, { from: band ? at : from, till: null, text, way });
    else band.till = null;
  };
  for (const f of faultsOf(gate)) see(`${f.id} ${f.since}`, Date.parse(f.since), f.text, f.direction);
  if (gate.door !== "open") see(`door ${gate.door}`, at, `door ${gate.door}`, "door");
  for (const [key, band] of known) {
    if (!there.has(key) && band.till === null) band.till = at;
    if (band.till !== null && band.till < at - kept * 4000) known.delete(key);
  }
}

// faultsOf returns all that is imposed on the flows of a gate.
export const faultsOf = (gate) => [...(gate.to_server || []), ...(gate.to_client || [])];

function takeGates(list) {
  const at = now();
  let up = 0,
    down = 0,
    live = 0;
  const names = new Set([""]);
  for (const gate of list) {
    const s = gate.stats;
    names.add(gate.name);
    note(historyOf(gate.name), at, s.to_server, s.to_client, s.live);
    noteBands(gate, at);
    up += s.to_server;
    down += s.to_client;
    live += s.live;
  }
  note(historyOf(""), at, up, down, live);
  for (const name of histories.keys()) if (!names.has(name)) histories.delete(name), bands.delete(name);
  batch(() => {
    gates.value = list;
    beat.value++;
    link.value = "live";
  });
}

// rateOf returns what goes through a gate now.
export function rateOf(name) {
  const h = histories.get(name);
  const i = h ? h.at.length - 1 : -1;
  return i < 0 ? { toServer: 0, toClient: 0 } : { toServer: h.toServer[i], toClient: h.toClient[i] };
}

export const shownGate = computed(() => gates.value.find((g) => g.name === gateShown.value));

// anyHarm is how much is imposed, doors included.
export const harm = computed(() => {
  let n = 0;
  for (const g of gates.value) n += faultsOf(g).length + (g.door !== "open");
  return n;
});

// look asks at once, as after a change.
let wake = () => {};
export const look = () => wake();

const connsWanted = () => gateShown.value && (tabShown.value === "conns" || connShown.value);

// follow asks about gates for as long as the page is there: seldom where an answer is a lot of work, and not while nobody sees it.
async function follow() {
  let connsAt = { gate: "", seen: new Map() };
  for (;;) {
    const begun = performance.now();
    try {
      if (!version.value || version.value.boot !== boot.value) {
        [version.value, kinds.value] = await Promise.all([read("/v1/version"), read("/v1/faults")]);
      }
      takeGates(await read("/v1/gates"));
      if (connsWanted()) connsAt = await takeConns(gateShown.value, connsAt);
    } catch (error) {
      if (!(error instanceof Refusal)) link.value = "lost";
      else if (error.status !== 404 && link.value !== "denied") link.value = "lost";
    }
    const took = performance.now() - begun;
    await new Promise((done) => {
      wake = done;
      const again = () => (document.hidden ? document.addEventListener("visibilitychange", done, { once: true }) : done());
      setTimeout(again, link.value === "live" ? Math.max(1000, took * 8) - took : 500);
    });
  }
}

// takeConns asks about connections, and how fast each goes since it was asked last.
async function takeConns(gate, before) {
  const list = (await read(`/v1/gates/${encodeURIComponent(gate)}/conns`)) || [];
  const at = now();
  const seen = new Map();
  for (const c of list) {
    const was = before.gate === gate && before.seen.get(c.n);
    const took = was ? (at - was.at) / 1000 : 0;
    c.rate = took > 0 ? Math.max(0, c.bytes_to_server + c.bytes_to_client - was.bytes) / took : 0;
    seen.set(c.n, { at, bytes: c.bytes_to_server + c.bytes_to_client });
  }
  conns.value = { gate, list, at };
  return { gate, seen };
}

// listen follows the events for as long as the page is there.
async function listen() {
  let last = 0; // the last event that was seen
  let of = ""; // and the run that it was of
  let waiting = []; // for the next frame
  let asked = false;
  const show = () => {
    asked = false;
    const { all, version } = events.value;
    for (const e of waiting) all.push(e);
    waiting = [];
    if (all.length > eventsKept * 1.1) all.splice(0, all.length - eventsKept);
    events.value = { all, version: version + 1 };
  };
  const add = (e) => {
    waiting.push(e);
    if (!asked) asked = setTimeout(() => (document.hidden ? show() : requestAnimationFrame(show)), 150); // many at once, in one frame
  };
  const gap = (lost) => {
    gaps.push({ at: now() / 1000, lost });
    add({ id: 0, time: new Date(now()).toISOString(), type: "lost", lost });
  };
  for (;;) {
    const end = new AbortController();
    let silent = 0;
    const watch = setInterval(() => ++silent > 8 && end.abort(), 5000); // it says that it is there each 15 seconds
    try {
      const since = of && of === boot.value ? `${of}-${last}` : 0;
      await lines(`/v1/events?since=${since}`, end.signal, (list) => {
        silent = 0;
        if (of !== boot.value) {
          if (of) add({ id: 0, time: new Date(now()).toISOString(), type: "restarted", text: boot.value });
          [of, last] = [boot.value, 0];
        }
        for (const e of list) {
          if (e.id && last && e.id > last + 1) gap(e.id - last - 1);
          if (!e.id) {
            gaps.push({ at: now() / 1000, lost: e.lost });
            last += last && e.lost;
          }
          last = Math.max(last, e.id);
          add(e);
        }
      });
    } catch {} // that it is not there is seen where gates are asked for
    clearInterval(watch);
    await new Promise((done) => setTimeout(done, 1000));
  }
}

// begin begins to ask the daemon.
export function begin() {
  follow();
  listen();
  setInterval(() => document.hidden || ticks.value++, 1000);
}
