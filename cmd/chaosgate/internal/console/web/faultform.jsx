import { h } from "preact";
import { kinds } from "./state.js";
import { at, place, scales } from "./units.js";

// A fault that is being written is {kind, values}, where the value of a parameter of type fault is another such.

const kindOf = (name) => kinds.value.find((k) => k.name === name);

// fresh returns a fault of a kind with what it needs at least. Where no parameter is needed for itself, the first is most often what the kind is about.
export function fresh(name) {
  const kind = kindOf(name);
  const values = {};
  for (const [i, p] of (kind?.params || []).entries()) {
    const about = i === 0 && p.type !== "flag" && !p.default && p.type !== "text";
    if (p.type === "fault") values[p.name] = fresh("delay");
    else if (p.required || about) values[p.name] = p.type in scales ? scales[p.type].first : "";
  }
  return { kind: name, values };
}

// written returns a fault as it stands in the daemon's JSON as one that is being written.
export function written(fault) {
  const [name, given] = Object.entries(fault)[0];
  const values = {};
  for (const p of kindOf(name)?.params || []) {
    const value = given[p.name];
    if (value === undefined) continue;
    values[p.name] = p.type === "fault" ? written(value) : p.type === "flag" ? value : p.type === "chance" && typeof value === "number" ? `${Number((value * 100).toPrecision(6))}%` : String(value);
  }
  return { kind: name, values };
}

// lineOf returns a fault as a line.
export function lineOf({ kind, values }) {
  const words = [kind];
  let carried = "";
  for (const p of kindOf(kind)?.params || []) {
    const value = values[p.name];
    if (p.type === "fault") carried = value ? " " + lineOf(value) : "";
    else if (p.type === "flag") value && words.push(p.name);
    else if (value) words.push(`${p.name}=${/^[\w.:%/-]+$/.test(value) ? value : JSON.stringify(value)}`);
  }
  return words.join(" ") + carried;
}

const spoken = (name) => name.replace(/_/g, " ");

function Quantity({ p, value, set, id }) {
  const scale = scales[p.type];
  const given = value ?? "";
  const ok = given === "" || !isNaN(scale.read(given));
  const help = `${id}-help`;
  return (
    <div class={`param ${given ? "given" : ""}`}>
      <label for={id}>{spoken(p.name)}{p.required && <abbr title="required"> *</abbr>}</label>
      <input type="range" min="0" max="1000" value={place(scale, given || p.default || "")} aria-label={`${spoken(p.name)}, slider`} aria-valuetext={given || "not given"} onInput={(e) => set(at(scale, Number(e.currentTarget.value)))} />
      <input id={id} class="figure" type="text" spellcheck={false} autocomplete="off" value={given} placeholder={p.default || "\u2013"} aria-invalid={!ok} aria-describedby={help} onInput={(e) => set(e.currentTarget.value.trim())} />
      <p class="help" id={help}>{p.help}{!ok && <strong class="wrong"> {"\u26a0"} {p.want}</strong>}</p>
    </div>
  );
}

function Choice({ p, value, set, id }) {
  return (
    <div class={`param ${value ? "given" : ""}`}>
      <label for={id}>{spoken(p.name)}</label>
      <select id={id} value={value || p.default} aria-describedby={`${id}-help`} onChange={(e) => set(e.currentTarget.value === p.default ? "" : e.currentTarget.value)}>
        {p.choices.map((c) => <option value={c}>{c}</option>)}
      </select>
      <p class="help" id={`${id}-help`}>{p.help}</p>
    </div>
  );
}

function Flag({ p, value, set, id }) {
  return (
    <div class={`param flag ${value ? "given" : ""}`}>
      <label for={id}><input id={id} type="checkbox" checked={!!value} aria-describedby={`${id}-help`} onChange={(e) => set(e.currentTarget.checked)} /> {spoken(p.name)}</label>
      <p class="help" id={`${id}-help`}>{p.help}</p>
    </div>
  );
}

function Text({ p, value, set, id }) {
  return (
    <div class={`param ${value ? "given" : ""}`}>
      <label for={id}>{spoken(p.name)}{p.required && <abbr title="required"> *</abbr>}</label>
      <input id={id} class="figure wide" type="text" spellcheck={false} autocomplete="off" value={value ?? ""} placeholder={p.default || ""} aria-describedby={`${id}-help`} onInput={(e) => set(e.currentTarget.value)} />
      <p class="help" id={`${id}-help`}>{p.help}</p>
    </div>
  );
}

// Kinds lets one choose among the kinds for a network.
export function Kinds({ network, value, set, id, label }) {
  const fits = kinds.value.filter((k) => k.networks.includes(network));
  const options = (list) => list.map((k) => <option value={k.name}>{spoken(k.name)}</option>);
  return (
    <select id={id} value={value} aria-label={label} onChange={(e) => set(e.currentTarget.value)}>
      <optgroup label="what happens">{options(fits.filter((k) => !k.selector))}</optgroup>
      <optgroup label="when, or to whom">{options(fits.filter((k) => k.selector))}</optgroup>
    </select>
  );
}

// Params are the inputs for a fault's parameters, made from what its kind says of itself. A fault that it carries stands within.
export function Params({ fault, set, network, id }) {
  const kind = kindOf(fault.kind);
  if (!kind) return null;
  const put = (name) => (value) => set({ kind: fault.kind, values: { ...fault.values, [name]: value } });
  return (
    <div class="params">
      {kind.params.map((p) => {
        const props = { p, value: fault.values[p.name], set: put(p.name), id: `${id}-${p.name}`, key: p.name };
        if (p.type === "fault") {
          const carried = fault.values[p.name] || fresh("delay");
          return (
            <fieldset class="carried" key={p.name}>
              <legend>{p.help}</legend>
              <Kinds network={network} id={`${id}-${p.name}`} label={p.help} value={carried.kind} set={(k) => put(p.name)(fresh(k))} />
              <p class="help">{kindOf(carried.kind)?.help}</p>
              <Params fault={carried} set={put(p.name)} network={network} id={`${id}-${p.name}-in`} />
            </fieldset>
          );
        }
        if (p.type in scales) return <Quantity {...props} />;
        if (p.type === "choice") return <Choice {...props} />;
        if (p.type === "flag") return <Flag {...props} />;
        return <Text {...props} />;
      })}
    </div>
  );
}
