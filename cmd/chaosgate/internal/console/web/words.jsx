import { h } from "preact";
import { signal } from "@preact/signals";
import { perform, undo, last } from "./actions.js";
import { boot } from "./daemon.js";

// What is written at several places: a fault in a line, a countdown, buttons.

export const copying = signal(null); // the actions that are shown as other clients would say them
export const dialog = signal(""); // which dialog is open: keys or gate

export const wayWords = { to_server: "to server", to_client: "to client" };
export const arrows = { to_server: "\u2192", to_client: "\u2190" };

// plain returns a text from a wire with what could not be seen written out: control characters, and those that change the direction of what follows.
export const plain = (text) => String(text ?? "").replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

// Address is an address of which the port stays to be seen where there is little room.
export const Address = ({ at }) => <span class="address" title={plain(at)}><bdi>{plain(at)}</bdi></span>;

// Copy is a button that shows how other clients would do something.
export function Copy({ actions, label = "Copy as\u2026", what }) {
  return (
    <button type="button" class="quiet copy" title="Copy as command line, curl, Go or pytest" aria-label={what ? `Copy as: ${what}` : undefined} onClick={() => (copying.value = [].concat(actions))}>
      <svg class="glyph" viewBox="0 0 16 16" aria-hidden="true"><path d="M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3" /></svg>{label && <span class="word">{label}</span>}
    </button>
  );
}

// Does is a button that does something, with one beside it that shows how to copy it.
export function Does({ actions, children, kind = "", disabled, title, after, copy = true, text }) {
  const run = async () => {
    const error = await perform(actions, { text });
    after?.(error);
  };
  const button = <button type="button" class={kind} disabled={disabled} title={title} onClick={run}>{children}</button>;
  return copy ? <span class="does">{button}<Copy actions={actions} label="" what={title || (typeof children === "string" ? children : undefined)} /></span> : button;
}

// Last tells what was done last, and lets it be undone or copied.
export function Last() {
  const l = last.value;
  if (!l) return null;
  const can = l.undo.length > 0 && l.boot === boot.value && !l.error;
  return (
    <div class={`last ${l.error ? "bad" : ""}`}>
      <p role="status"><span class="mark" aria-hidden="true">{l.error ? "\u26a0" : "\u2713"}</span> {plain(l.error ? `Refused: ${l.error.message}` : l.text)}</p>
      {can && <button type="button" onClick={undo}>Undo <kbd>u</kbd></button>}
      <Copy actions={l.actions} />
      <button type="button" class="quiet" aria-label="Dismiss" onClick={() => (last.value = null)}>{"\u2715"}</button>
    </div>
  );
}

// Segments are buttons of which one is chosen.
export function Segments({ label, value, options, set }) {
  return (
    <div class="segments" role="group" aria-label={label}>
      {options.map((o) => (
        <button type="button" aria-pressed={o.value === value} title={o.title} onClick={() => set(o.value)}>
          {o.mark && <span aria-hidden="true" class="mark">{o.mark}</span>} {o.label}
        </button>
      ))}
    </div>
  );
}

// times are for how long something can be imposed without writing it.
export const times = [
  { value: "10s", label: "10 s" },
  { value: "30s", label: "30 s" },
  { value: "2m", label: "2 min" },
  { value: "10m", label: "10 min" },
  { value: "", label: "for good", title: "until somebody lifts it" },
];
