// What the keys do. They are left alone where somebody writes, but for Escape.

import { perform, undo } from "./actions.js";
import { found } from "./gates.jsx";
import { connShown, findShown, gateShown, go } from "./route.js";
import { copying, dialog } from "./words.jsx";

const focus = (id) => {
  const element = document.getElementById(id);
  element?.focus();
  element?.select?.();
  return element;
};

// step goes to another gate, by so many.
function step(by) {
  const list = found.value;
  if (!list.length) return;
  const i = list.findIndex((g) => g.name === gateShown.value);
  const next = i < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(list.length - 1, Math.max(0, i + by));
  go({ gate: list[next].name, conn: "", conns: "" });
}

// back leaves what is innermost.
function back() {
  const inside = document.activeElement;
  if (inside?.matches?.("input, select, textarea")) inside.blur();
  else if (connShown.value) go({ conn: "" });
  else if (gateShown.value) go({ gate: "" });
  else if (findShown.value) go({ find: "" });
}

// impose goes to where a fault is chosen.
function impose() {
  if (!gateShown.value) return;
  go({ tab: "" });
  const soon = (frames) => focus("kind") || (frames && requestAnimationFrame(() => soon(frames - 1)));
  requestAnimationFrame(() => soon(30)); // until the form is there; the key itself is not for it
}

export const keys = [
  { on: ["j", "ArrowDown"], shown: ["j", "\u2193"], says: "next gate", run: () => step(1) },
  { on: ["k", "ArrowUp"], shown: ["k", "\u2191"], says: "gate before", run: () => step(-1) },
  { on: ["/"], shown: ["/"], says: "find gates", run: () => focus("find") },
  { on: ["n"], shown: ["n"], says: "new gate", run: () => (dialog.value = "gate") },
  { on: ["i"], shown: ["i"], says: "impose a fault", run: impose },
  { on: ["1", "2", "3"], shown: ["1", "2", "3"], says: "faults, connections, events", run: (key) => go({ tab: ["", "conns", "events"][key - 1] }) },
  { on: ["H"], shown: ["shift", "h"], says: "heal everything", run: () => perform({ do: "heal" }) },
  { on: ["u"], shown: ["u"], says: "undo the last change", run: undo },
  { on: ["Escape"], shown: ["esc"], says: "back", run: back },
  { on: ["?"], shown: ["?"], says: "these keys", run: () => (dialog.value = "keys") },
];

// listenToKeys has the keys do what they do.
export function listenToKeys() {
  addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || dialog.value || copying.value) return;
    const inside = e.target;
    const writes = inside.matches?.("input:not([type=checkbox]), select, textarea");
    if (writes && e.key !== "Escape") return;
    if (e.key.startsWith("Arrow") && inside.closest?.(".v-box") && !inside.closest("#gates")) return;
    const key = keys.find((k) => k.on.includes(e.key));
    if (!key) return;
    e.preventDefault();
    key.run(e.key);
  });
}
