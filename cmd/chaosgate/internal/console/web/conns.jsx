import { h } from "preact";
import { useMemo } from "preact/hooks";
import { Virtual } from "./virtual.jsx";
import { Address, Does, Segments, arrows, plain } from "./words.jsx";
import { connsShown, go } from "./route.js";
import { conns, events, faultsOf } from "./state.js";
import { few, left, perSecond } from "./units.js";

const marks = { dialing: "\u2026", established: "\u25cf", "half-closed": "\u25d0", closing: "\u25cc" };

function Live({ g, c }) {
  const faults = faultsOf(c);
  return (
    <div class="conn-row">
      <span class="figure n">{c.n}</span>
      <span class="state"><span aria-hidden="true">{marks[c.state] || ""}</span> {c.state}</span>
      <Address at={c.client} />
      <span class="figure age">{left(c.age)}</span>
      <span class="figure up"><span aria-label="to server">{arrows.to_server}</span> {few(c.bytes_to_server)}</span>
      <span class="figure down"><span aria-label="to client">{arrows.to_client}</span> {few(c.bytes_to_client)}</span>
      <span class="figure rate">{perSecond(c.rate)}</span>
      <span class="on">{faults.length > 0 && <span class="chip" title={plain(faults.map((f) => f.text).join("; "))}>{"\u25c6"} {faults.length}</span>}</span>
      <span class="buttons">
        <button type="button" title={`Impose a fault on connection ${c.n}`} onClick={() => go({ conn: String(c.n), tab: "" })}>Fault</button>
        <Does actions={{ do: "end", gate: g.name, conn: c.n, how: "fin" }} title={`Close connection ${c.n}`}>Close</Does>
        <Does copy={false} actions={{ do: "end", gate: g.name, conn: c.n, how: "rst" }} title={`Reset connection ${c.n}`}>Reset</Does>
      </span>
    </div>
  );
}

function Ended({ e }) {
  return (
    <div class="conn-row ended">
      <span class="figure n">{e.conn}</span>
      <span class="state"><span aria-hidden="true">{"\u2715"}</span> ended</span>
      <Address at={e.addr} />
      <span class="figure age">{left(e.age || 0)}</span>
      <span class="figure up"><span aria-label="to server">{arrows.to_server}</span> {few(e.to_server || 0)}</span>
      <span class="figure down"><span aria-label="to client">{arrows.to_client}</span> {few(e.to_client || 0)}</span>
      <span class="why">by <b>{plain(e.ended || "?")}</b>, {e.how || "?"}{e.dropped ? `, ${few(e.dropped)} dropped` : ""}</span>
    </div>
  );
}

// Conns are the connections of a gate: those that live, with what can be done to them, and those that have ended, with who ended them.
export function Conns({ g }) {
  const find = connsShown.value;
  const words = find.toLowerCase().split(/\s+/).filter(Boolean);
  const ended = words.includes("is:ended");
  const rest = words.filter((w) => w !== "is:ended");
  const has = (text) => rest.every((w) => text.toLowerCase().includes(w));
  const live = conns.value.gate === g.name ? conns.value.list : [];
  const list = useMemo(() => {
    if (ended) return events.value.all.filter((e) => e.type === "closed" && e.gate === g.name && has(`${e.conn} ${e.addr} ${e.ended} ${e.how}`)).reverse();
    return live.filter((c) => has(`${c.n} ${c.client} ${c.state} ${faultsOf(c).length ? "is:faulty" : ""}`));
  }, [find, conns.value, ended && events.value.version, g.name]);
  const narrow = matchMedia("(max-width: 700px)").matches; // as in app.css, where it is 560 px of the list
  return (
    <section class="conns" aria-label="Connections">
      <div class="bar">
        <Segments label="Which connections" value={ended ? "ended" : "live"} options={[{ value: "live", label: "live" }, { value: "ended", label: "ended" }]} set={(v) => go({ conns: [...rest, v === "ended" ? "is:ended" : ""].filter(Boolean).join(" ") }, true)} />
        <label class="find"><span class="off">Find connections</span><input type="search" id="find-conns" placeholder="address, number, state, is:faulty" value={rest.join(" ")} onInput={(e) => go({ conns: (e.currentTarget.value + (ended ? " is:ended" : "")).trim() }, true)} /></label>
        <span class="figure quiet">{list.length}</span>
        <Does disabled={!g.stats.live} title="Close all connections" actions={{ do: "end", gate: g.name, how: "fin" }}>Close all</Does>
        <Does disabled={!g.stats.live} title="Reset all connections" actions={{ do: "end", gate: g.name, how: "rst" }}>Reset all</Does>
      </div>
      <Virtual id="conns" label="Connections" items={list} height={narrow ? 84 : 40} keyOf={(c) => c.n || `e${c.id}`} row={(c) => (ended ? <Ended e={c} /> : <Live g={g} c={c} />)}
        empty={<div class="nothing"><p>{rest.length ? "No connection has all of that." : ended ? "None has ended since events are kept." : "Nobody is connected."}</p>{!rest.length && !ended && <p>Clients connect to <code>{plain(g.listen)}</code>. From a shell: <code>{`chaosgate conns ${plain(g.name)} --watch`}</code></p>}</div>} />
    </section>
  );
}
