// What is looked at, which is all in the address: a link to it shows the same.

import { computed, signal } from "@preact/signals";

const read = () => new URLSearchParams(location.hash.slice(1));

const hash = signal(read());
addEventListener("hashchange", () => (hash.value = read()));

// shown returns a signal of a part of the address.
const shown = (name, otherwise = "") => computed(() => hash.value.get(name) ?? otherwise);

export const gateShown = shown("gate");
export const tabShown = shown("tab", "faults");
export const findShown = shown("find"); // of gates
export const connsShown = shown("conns"); // which connections
export const eventsShown = shown("events"); // which events
export const connShown = shown("conn"); // on which connection a fault is to be imposed
export const wayShown = shown("way", "to_client");
export const kindShown = shown("kind", "delay");

// link returns an address where some of it is different. What is empty is left out.
export function link(parts) {
  const next = new URLSearchParams(hash.value);
  for (const [name, value] of Object.entries(parts)) value ? next.set(name, value) : next.delete(name);
  return "#" + next;
}

// gateLink returns the address of a gate, which keeps what is not about another gate.
export const gateLink = (name) => link({ gate: name, conn: "", conns: "" });

// go shows something else. Going back in the browser's history skips what only changes what is filtered.
export function go(parts, skip = false) {
  const to = link(parts);
  if (to === location.hash || (to === "#" && !location.hash)) return;
  if (skip) history.replaceState(null, "", to);
  else location.hash = to;
  hash.value = read(); // at once: the browser tells later, and keys may be faster
}

// A link that lets a browser in has a code, which is of no use any more.
export const hasToken = (() => {
  const key = "chaosgate-token-" + location.host;
  try {
    if (new URLSearchParams(location.search).has("code")) localStorage.setItem(key, "1");
    if (location.search) history.replaceState(null, "", location.pathname + location.hash);
    return localStorage.getItem(key) === "1";
  } catch {
    return false; // storage may be forbidden; then it is not known
  }
})();
