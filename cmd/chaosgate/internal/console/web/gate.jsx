import { Fragment, h } from "preact";
import { useState } from "preact/hooks";
import { Conns } from "./conns.jsx";
import { Events } from "./events.jsx";
import { Kinds, Params, fresh, lineOf, written } from "./faultform.jsx";
import { doorMarks } from "./gates.jsx";
import { Timeline } from "./timeline.jsx";
import { Copy, Does, Segments, arrows, plain, times, wayWords } from "./words.jsx";
import { perform } from "./actions.js";
import { connShown, gateLink, gateShown, go, kindShown, link as linkTo, tabShown, wayShown } from "./route.js";
import { now } from "./daemon.js";
import { beat, conns, faultsOf, kinds, rateOf, shownGate, ticks } from "./state.js";
import { count, duration, few, left, perSecond, some } from "./units.js";

const base = (network) => network.replace(/[46]$/, "");

// Wire shows a gate as what it is: clients, the gate with its two flows, and the server.
function Wire({ g }) {
  beat.value;
  const rate = rateOf(g.name);
  const lane = (way, list, speed) => (
    <div class={`lane ${way} ${list?.length ? "faulty" : ""}`}>
      <span class="arrow" aria-hidden="true" />
      <span class="on">
        <span class="rate"><span aria-hidden="true">{arrows[way]}</span> {wayWords[way]} <b class="figure">{perSecond(speed)}</b></span>
        {(list || []).map((f) => <span class={`chip ${way}`} key={f.id}><span class="cut">{plain(f.text)}</span></span>)}
      </span>
    </div>
  );
  return (
    <div class="wire">
      <div class="box"><small>clients</small><b class="figure">{g.stats.live}</b><span class="address">{plain(g.listen)}</span></div>
      <div class={`door-mark ${g.door}`} title={`door: ${g.door}`}><span aria-hidden="true">{doorMarks[g.door]}</span><small>{g.door}</small></div>
      <div class="lanes">{lane("to_server", g.to_server, rate.toServer)}{lane("to_client", g.to_client, rate.toClient)}</div>
      <div class="box"><small>server</small><b class="figure">{few(g.stats.to_server + g.stats.to_client)}</b><span class="address">{plain(g.server)}</span></div>
    </div>
  );
}

const doors = [
  { value: "open", label: "open", mark: doorMarks.open, title: "connections are let in" },
  { value: "hold", label: "hold", mark: doorMarks.hold, title: "they wait in the kernel's queue, as at a server that is overloaded" },
  { value: "refuse", label: "refuse", mark: doorMarks.refuse, title: "as if nobody listened" },
  { value: "blackhole", label: "blackhole", mark: doorMarks.blackhole, title: "no answer at all, as from a host that has vanished" },
];

// Till counts down to when something ends by itself.
export function Till({ till, since }) {
  ticks.value;
  if (!till) return <span class="quiet">for good</span>;
  const rest = (Date.parse(till) - now()) / 1000;
  const all = (Date.parse(till) - Date.parse(since)) / 1000;
  return (
    <span class="till" title={`until ${new Date(till).toLocaleTimeString()}`}>
      {since && <span class="drain" aria-hidden="true"><i style={{ width: `${Math.max(0, Math.min(100, (100 * rest) / all))}%` }} /></span>}
      <span class="figure">{left(rest)}</span> left
    </span>
  );
}

function Door({ g, time }) {
  const set = (door) => door !== g.door && perform({ do: "door", gate: g.name, door, for: door === "open" ? undefined : time || undefined });
  const other = g.door === "open" ? "hold" : "open";
  return (
    <section class="doors" aria-label="Door">
      <h3>Door</h3>
      <Segments label="Door" value={g.door} options={doors} set={set} />
      <Copy actions={{ do: "door", gate: g.name, door: other, for: other === "open" ? undefined : time || undefined }} label="" what={`door ${other}`} />
      <span class="quiet">{g.door === "open" ? "new connections are let in" : <>met {some(g.door_hits, "connection")}, <Till till={g.door_till} /></>}</span>
    </section>
  );
}

// Imposed is a fault that is, with what can be done about it.
function Imposed({ g, f, conn }) {
  const [draft, setDraft] = useState(null);
  const [problem, setProblem] = useState("");
  const at = { gate: g.name, conn: f.conn || conn, way: f.direction, id: f.id };
  const id = `edit-${f.id}`;
  const changed = draft && lineOf(draft);
  return (
    <li class={`fault ${f.direction}`}>
      <div class="head">
        <span class="way"><span aria-hidden="true">{arrows[f.direction]}</span> {wayWords[f.direction]}{at.conn ? ` of connection ${at.conn}` : ""}</span>
        <code class="line">{plain(f.text)}</code>
        <span class="hits" title="how often it has changed what would have happened"><b class="figure">{count(f.hits)}</b> {f.hits === 1 ? "hit" : "hits"}</span>
        <Till till={f.till} since={f.since} />
        <span class="quiet by">{plain(f.id)}{f.by && ` by ${plain(f.by)}`}{f.lease && ` on lease ${plain(f.lease)}`}</span>
        <span class="buttons">
          <button type="button" aria-expanded={!!draft} onClick={() => setDraft(draft ? null : written(f.fault))}>{draft ? "Close" : "Adjust"}</button>
          <Does actions={{ do: "lift", ...at }} title={`Lift ${plain(f.id)}`}>Lift</Does>
        </span>
      </div>
      {draft && (
        <form class="edit" onSubmit={(e) => e.preventDefault()}>
          <Params fault={draft} set={setDraft} network={base(g.network)} id={id} />
          <div class="submit">
            <Does kind="main" title={`Change ${plain(f.id)}`} disabled={changed === f.text} actions={{ do: "change", ...at, fault: changed, was: f }} after={(e) => { setProblem(e ? e.message : ""); e || setDraft(null); }}>Change</Does>
            <span class="quiet">keep it for</span>
            {times.map((t) => <button type="button" class="quiet" onClick={() => perform({ do: "change", ...at, for: t.value || "0s", was: f })}>{t.label}</button>)}
          </div>
          {problem && <p class="wrong" role="alert">{"\u26a0"} {plain(problem)}</p>}
        </form>
      )}
    </li>
  );
}

// Impose is the form for a new fault.
function Impose({ g, time, setTime }) {
  const network = base(g.network);
  const kind = kindShown.value;
  const known = kinds.value.find((k) => k.name === kind && k.networks.includes(network));
  const [draft, setDraft] = useState(null);
  const [problem, setProblem] = useState("");
  if (!known) return kinds.value.length ? <button type="button" onClick={() => go({ kind: "delay" }, true)}>Impose a delay</button> : null;
  const fault = draft && draft.kind === kind ? draft : fresh(kind);
  const conn = Number(connShown.value) || undefined;
  const action = { do: "impose", gate: g.name, conn, way: wayShown.value, fault: lineOf(fault), for: time || undefined };
  const submit = async (e) => {
    e.preventDefault();
    const error = await perform(action);
    setProblem(error ? error.message : "");
  };
  return (
    <form class="impose" onSubmit={submit} aria-label="Impose a fault">
      <h3>Impose a fault{conn ? ` on connection ${conn}` : ""} {conn && <button type="button" class="quiet" onClick={() => go({ conn: "" })}>on all instead</button>}</h3>
      <div class="choose">
        <Segments label="Direction" value={wayShown.value} options={[{ value: "to_server", label: "to server", mark: arrows.to_server }, { value: "to_client", label: "to client", mark: arrows.to_client }]} set={(way) => go({ way }, true)} />
        <Kinds id="kind" network={network} label="Kind of fault" value={kind} set={(k) => { setDraft(fresh(k)); setProblem(""); go({ kind: k }, true); }} />
      </div>
      <p class="help about">{known.help}</p>
      <Params fault={fault} set={setDraft} network={network} id="new" />
      <div class="submit">
        <span class="for"><span class="quiet">lift it after</span><Segments label="For how long" value={time} options={times.some((t) => t.value === time) ? times : [...times, { value: time, label: time }]} set={setTime} />
          <input class="figure time" type="text" aria-label="For how long, such as 45s" placeholder="45s" spellcheck={false} onChange={(e) => duration(e.currentTarget.value.trim()) > 0 && setTime(e.currentTarget.value.trim())} /></span>
        <span class="does"><button type="submit" class="main" id="impose">Impose</button><Copy actions={action} label="" what="impose this fault" /></span>
      </div>
      <p class="preview"><code>{plain(action.fault)}</code></p>
      {problem && <p class="wrong" role="alert">{"\u26a0"} {plain(problem)}</p>}
    </form>
  );
}

// Faults are those of the gate, and those of connections that are known.
function Faults({ g, time, setTime }) {
  const own = faultsOf(g);
  const onConns = conns.value.gate === g.name ? conns.value.list.flatMap((c) => faultsOf(c).map((f) => ({ ...f, conn: c.n }))) : [];
  return (
    <div class="faults">
      <Impose g={g} time={time} setTime={setTime} />
      <section aria-label="What is imposed">
        <h3>Imposed <span class="quiet figure">{own.length + onConns.length}</span></h3>
        {own.length + onConns.length ? (
          <ul class="list">{own.map((f) => <Imposed g={g} f={f} key={f.id} />)}{onConns.map((f) => <Imposed g={g} f={f} conn={f.conn} key={f.id} />)}</ul>
        ) : (
          <p class="quiet empty">Nothing is imposed: the gate is a wire. From a shell: <code>{`chaosgate fault add ${plain(g.name)} to-client 'delay by=200ms' --for 30s`}</code></p>
        )}
      </section>
    </div>
  );
}

export const tabs = [
  { id: "faults", label: "Faults" },
  { id: "conns", label: "Connections" },
  { id: "events", label: "Events" },
];

export function Gate() {
  const [time, setTime] = useState("30s");
  const g = shownGate.value;
  if (!g) {
    return (
      <section class="gate gone" aria-label="Gate">
        <div class="nothing"><h2>There is no gate {plain(gateShown.value)}</h2><p><a href={linkTo({ gate: "", conn: "" })}>Show all gates</a></p></div>
      </section>
    );
  }
  const tab = tabShown.value;
  const figures = { faults: faultsOf(g).length, conns: g.stats.live };
  return (
    <section class="gate" aria-label={`Gate ${plain(g.name)}`} key={g.name}>
      <header>
        <a class="back" href={gateLink("")} aria-label="Back to all gates">{"\u2190"}</a>
        <h2 class="cut">{plain(g.name)}</h2>
        <span class="quiet facts">{g.network}, seed <span class="figure">{String(g.seed)}</span>{g.by && `, by ${plain(g.by)}`}{g.lease && `, on lease ${plain(g.lease)}`}</span>
        <span class="buttons">
          <Does kind="heal-one" actions={{ do: "heal", gate: g.name }} title={`Heal ${plain(g.name)}`}>Heal</Does>
          <Does actions={{ do: "stop", gate: g.name, stopped: !g.stopped }} title={g.stopped ? "Listen again" : "Listen no more; connections stay"}>{g.stopped ? "Start" : "Stop"}</Does>
          <Does actions={{ do: "remove", gate: g.name }} title={`Remove ${plain(g.name)}, and its connections`}>Remove</Does>
        </span>
      </header>
      <Wire g={g} />
      <Timeline gate={g.name} />
      <Door g={g} time={time} />
      <nav class="tabs" aria-label="Parts of the gate">
        {tabs.map((t, i) => <a href={linkTo({ tab: t.id === "faults" ? "" : t.id })} class={`tab-${t.id}`} aria-current={tab === t.id ? "page" : undefined}>{t.label} {figures[t.id] !== undefined && <span class="figure">{figures[t.id]}</span>} <kbd>{i + 1}</kbd></a>)}
      </nav>
      {tab === "conns" ? <Conns g={g} /> : tab === "events" ? <Events gate={g.name} /> : <Faults g={g} time={time} setTime={setTime} />}
    </section>
  );
}
