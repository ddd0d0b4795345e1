// Quantities as the daemon writes them: for sliders, for people, and back.

const seconds = { ns: 1e-9, us: 1e-6, "\u00b5s": 1e-6, "\u03bcs": 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };
const bytes = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };
const bits = { "bit/s": 1 / 8, "kbit/s": 125, "Mbit/s": 125e3, "Gbit/s": 125e6 };

// duration returns the seconds of a text such as 1m30s, or NaN.
export function duration(text) {
  if (!/^((\d+(\.\d*)?|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h))+$/.test(text)) return NaN;
  let sum = 0;
  for (const [, n, unit] of text.matchAll(/([\d.]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/g)) sum += n * seconds[unit];
  return sum;
}

function amount(text, units) {
  const [, n, unit] = /^([\d.]+)\s*([A-Za-z/]+)$/.exec(text) || [];
  return unit in units ? n * units[unit] : NaN;
}

const size = (text) => amount(text, bytes);
const rate = (text) => (/\/s$/.test(text) && !/bit\/s$/.test(text) ? size(text.slice(0, -2)) : amount(text, bits));
const chance = (text) => (/^[\d.]+%$/.test(text) ? parseFloat(text) / 100 : parseFloat(text));

// round keeps two digits that count: a slider cannot be moved more exactly.
const round = (x) => (x > 0 ? Number(x.toPrecision(2)) : 0);

function writeDuration(s) {
  const ms = round(s * 1000);
  if (ms < 1) return `${Math.max(1, Math.round(ms * 1000))}us`;
  if (ms < 1000) return `${ms}ms`;
  if (ms < 60e3) return `${ms / 1000}s`;
  const m = Math.round(ms / 60e3);
  return m < 60 ? `${m}m` : `${Math.round(m / 60)}h`;
}

function writeSize(n) {
  n = Math.max(1, n);
  for (const [unit, of] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]]) if (n >= of) return `${round(n / of) >= 1000 ? Math.round(n / of) : round(n / of)}${unit}`;
  return `${Math.round(n)}B`;
}

// scales are how far a slider goes for each type of parameter. A type that is not here has an input alone.
export const scales = {
  duration: { low: 1e-3, high: 300, read: duration, write: writeDuration, first: "200ms" },
  size: { low: 1, high: 2 ** 28, read: size, write: writeSize, first: "1KiB" },
  rate: { low: 2 ** 7, high: 2 ** 30, read: rate, write: (n) => writeSize(n) + "/s", first: "64KiB/s" },
  chance: { low: 0.001, high: 1, read: chance, write: (n) => `${round(n * 100)}%`, first: "10%" },
  count: { low: 1, high: 1000, read: Number, write: (n) => String(Math.round(n)), first: "1" },
};

// place returns where a slider stands, from 0 to 1000, for a text.
export function place(scale, text) {
  const n = scale.read(String(text));
  if (!(n > 0)) return 0;
  return Math.round(1000 * Math.min(1, Math.max(0, Math.log(n / scale.low) / Math.log(scale.high / scale.low))));
}

// at returns the text for where a slider stands.
export const at = (scale, place) => scale.write(scale.low * (scale.high / scale.low) ** (place / 1000));

// few writes a number of bytes for people, in five characters at most.
export function few(n) {
  if (n < 1000) return `${Math.round(n)} B`;
  const units = ["kB", "MB", "GB", "TB", "PB"];
  let i = -1;
  do {
    n /= 1000;
    i++;
  } while (n >= 999.5 && i < units.length - 1);
  return `${n < 9.95 ? n.toFixed(1) : Math.round(n)} ${units[i]}`;
}

export const perSecond = (n) => `${few(n)}/s`;

// count writes a whole number with thin gaps.
export const count = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, "\u202f");

// lasting writes a number of seconds for people.
export function lasting(s) {
  s = Math.max(0, s);
  if (s < 1) return `${Math.round(s * 1000)} ms`;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 60) return `${Math.round(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`;
  return `${Math.floor(s / 3600)} h ${Math.round((s % 3600) / 60)} min`;
}

// left writes what is left of a time, as a clock that goes down.
export function left(s) {
  s = Math.max(0, Math.ceil(s));
  const two = (n) => String(n).padStart(2, "0");
  return s < 3600 ? `${Math.floor(s / 60)}:${two(s % 60)}` : `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

// clock writes a moment's time of day.
export function clock(date) {
  const two = (n) => String(n).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

// some writes a number with its noun.
export const some = (n, one, more = one + "s") => `${count(n)} ${n === 1 ? one : more}`;
