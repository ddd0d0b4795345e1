import { h } from "preact";
import { computed } from "@preact/signals";
import { Virtual } from "./virtual.jsx";
import { Address, Copy, arrows, dialog, plain } from "./words.jsx";
import { findShown, gateLink, gateShown, go } from "./route.js";
import { beat, faultsOf, gates, histories, rateOf, ticks } from "./state.js";
import { link, now } from "./daemon.js";
import { few, left, perSecond, some } from "./units.js";

// found are the gates that are looked for: each word has to be somewhere in what there is to see of a gate.
export const found = computed(() => {
  const words = findShown.value.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return gates.value;
  return gates.value.filter((g) => {
    const text = `${g.name} ${g.network} ${g.listen} ${g.server} ${g.by || ""} door:${g.door} ${faultsOf(g).map((f) => f.text).join(" ")} ${faultsOf(g).length || g.door !== "open" ? "is:faulty" : "is:clean"}`.toLowerCase();
    return words.every((w) => text.includes(w));
  });
});

// Spark draws the last minutes of a flow, small.
export function Spark({ values, most, way }) {
  const n = 60;
  const shown = values.slice(-n);
  const w = 64;
  const points = shown.map((v, i) => `${(((n - shown.length + i) / (n - 1)) * w).toFixed(1)},${(15 - (most > 0 ? (v / most) * 14 : 0)).toFixed(1)}`).join(" ");
  return (
    <svg class={`spark ${way}`} viewBox={`0 0 ${w} 16`} preserveAspectRatio="none" aria-hidden="true">
      {shown.length > 1 && <polyline points={points} />}
    </svg>
  );
}

export const doorMarks = { open: "\u25cb", hold: "\u25d0", refuse: "\u2298", blackhole: "\u25cf" };

function Chip({ f }) {
  ticks.value;
  return (
    <span class={`chip ${f.direction}`} title={plain(f.text)}>
      <span aria-hidden="true">{arrows[f.direction]}</span> <span class="cut">{plain(f.text)}</span>
      {f.till && <span class="till"> {left((Date.parse(f.till) - now()) / 1000)}</span>}
    </span>
  );
}

function Row({ g }) {
  beat.value;
  const history = histories.get(g.name);
  const rate = rateOf(g.name);
  const most = history ? Math.max(1, ...history.toServer, ...history.toClient) : 1;
  const faults = faultsOf(g);
  const open = g.name === gateShown.value;
  const shown = faults.slice(0, 2);
  return (
    <a class={`gate-row ${open ? "open" : ""} ${faults.length || g.door !== "open" ? "faulty" : ""} ${g.stopped ? "stopped" : ""}`} href={gateLink(g.name)} aria-current={open ? "true" : undefined}>
      <span class="end clients">
        <span class="strong">{g.stats.live}<small> {g.stats.live === 1 ? "client" : "clients"}</small></span>
        <Address at={g.listen} />
      </span>
      <span class="middle">
        <span class="name"><span class="cut strong">{plain(g.name)}</span>{g.network !== "tcp" && <small class="net">{g.network}</small>}{g.stopped && <small class="flagged">stopped</small>}{g.door !== "open" && <small class="flagged">{doorMarks[g.door]} {g.door}</small>}</span>
        <span class="flows">
          <span class="flow to_server"><span aria-label="to server">{"\u2192"}</span> <b>{perSecond(rate.toServer)}</b>{history && <Spark values={history.toServer} most={most} way="to_server" />}</span>
          <span class="flow to_client"><span aria-label="to client">{"\u2190"}</span> <b>{perSecond(rate.toClient)}</b>{history && <Spark values={history.toClient} most={most} way="to_client" />}</span>
        </span>
        <span class="chips">{shown.map((f) => <Chip f={f} key={f.id} />)}{faults.length > 2 && <span class="chip more">+{faults.length - 2}</span>}{!faults.length && <span class="calm">nothing imposed</span>}</span>
      </span>
      <span class="end server">
        <span class="strong cut">{few(g.stats.to_server + g.stats.to_client)}</span>
        <Address at={g.server} />
        {g.stats.dial_errors > 0 && <span class="wrong">{"\u26a0"} {some(g.stats.dial_errors, "dial error")}</span>}
      </span>
    </a>
  );
}

// Nothing tells what to do where there is no gate yet.
export function Nothing() {
  const text = `chaosgate gate add redis 127.0.0.1:26379 127.0.0.1:6379`;
  return (
    <div class="nothing">
      <svg viewBox="0 0 240 60" aria-hidden="true"><path d="M4 24h84l10-16 20 34 10-18h108" /><path class="dash" d="M4 48h232" /></svg>
      <h2>No gates yet</h2>
      <p>A gate stands between clients and a server. Put one before a server, and connect to the gate instead:</p>
      <pre>{text}</pre>
      <p><button type="button" class="main" onClick={() => (dialog.value = "gate")}>New gate <kbd>n</kbd></button> <Copy actions={{ do: "create", name: "redis", listen: "127.0.0.1:26379", server: "127.0.0.1:6379" }} /></p>
    </div>
  );
}

export function Gates() {
  const list = found.value;
  const all = gates.value.length;
  const row = matchMedia("(max-width: 700px)").matches ? 112 : 84;
  return (
    <section class="gates" aria-label="Gates">
      <div class="bar">
        <label class="find"><span class="off">Find gates</span>
          <input id="find" type="search" placeholder="Find gates: name, address, fault, is:faulty" value={findShown.value} onInput={(e) => go({ find: e.currentTarget.value }, true)} /><kbd>/</kbd>
        </label>
        <span class="figure quiet">{list.length === all ? some(all, "gate") : `${list.length} of ${all}`}</span>
        <button type="button" onClick={() => (dialog.value = "gate")}>New gate</button>
      </div>
      <div class="columns" aria-hidden="true"><span>clients</span><span>gate</span><span>server</span></div>
      <Virtual id="gates" label="Gates" items={list} height={row} keyOf={(g) => g.name} active={list.findIndex((g) => g.name === gateShown.value)} row={(g) => <Row g={g} />}
        empty={link.value === "connecting" ? <p class="nothing">{"\u2026"}</p> : all ? <div class="nothing"><p>No gate has all of <q>{findShown.value}</q>.</p><button type="button" onClick={() => go({ find: "" })}>Show all</button></div> : <Nothing />} />
    </section>
  );
}
