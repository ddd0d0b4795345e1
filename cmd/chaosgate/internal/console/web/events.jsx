import { h } from "preact";
import { useMemo, useState } from "preact/hooks";
import { Virtual } from "./virtual.jsx";
import { Segments, arrows, plain } from "./words.jsx";
import { eventsShown, gateLink, go } from "./route.js";
import { events } from "./state.js";
import { clock, count, few, lasting, some } from "./units.js";

// marks are shapes for types of events, so that a glance tells them apart without colours.
const marks = {
  imposed: "\u25c6", changed: "\u25c8", lifted: "\u25c7", fired: "\u2191", door: "\u25d0", opened: "\u25b8", closed: "\u25aa", dial_error: "\u26a0",
  accept_error: "\u26a0", created: "\u271a", removed: "\u2212", started: "\u25b6", stopped: "\u25a0", lost: "\u2205", restarted: "\u25b2", leased: "\u25b3", expired: "\u25bd", ended: "\u25bd",
};

// loud are those that are about what is imposed rather than about traffic.
const loud = new Set(["imposed", "changed", "lifted", "door", "created", "removed", "started", "stopped", "restarted", "lost", "leased", "expired", "ended", "dial_error", "accept_error"]);

// told returns what an event says, in words.
function told(e) {
  const at = e.conn ? `connection ${e.conn}` : "";
  const way = e.direction ? ` ${arrows[e.direction]} ${e.direction.replace("_", " ")}` : "";
  switch (e.type) {
    case "imposed":
    case "changed":
      return `${e.text || e.kind}${way}${at && ` of ${at}`}`;
    case "lifted":
      return `${e.fault}${way}, ${some(e.hits || 0, "hit")}${e.because ? `: ${e.because}` : ""}`;
    case "fired":
      return `${e.fault || e.kind} ${count(e.hits || 1)}\u00d7${way}${at && `, ${at}`}${e.bytes ? `, ${few(e.bytes)}` : ""}`;
    case "door":
      return `${e.door}${e.because ? `: ${e.because}` : ""}`;
    case "opened":
      return `${at} from ${e.addr || "?"}${e.took ? `, server reached in ${lasting(e.took)}` : ""}`;
    case "closed":
      return `${at} by ${e.ended || "?"}, ${e.how || "?"}, ${arrows.to_server} ${few(e.to_server || 0)} ${arrows.to_client} ${few(e.to_client || 0)}${e.age ? `, ${lasting(e.age)} old` : ""}`;
    case "lost":
      return `${some(e.lost || 0, "event")} lost: what happened in between is not shown`;
    case "restarted":
      return `the daemon was restarted, and is ${e.text} now`;
    default:
      return [at, e.text, e.addr && `at ${e.addr}`, e.server && `before ${e.server}`, e.lease && `lease ${e.lease}`, e.because, e.error].filter(Boolean).join(", ") || e.type;
  }
}

function Row({ e, withGate }) {
  return (
    <div class={`event ${withGate ? "two" : ""} ${e.type} ${loud.has(e.type) ? "loud" : ""}`}>
      <time class="figure" dateTime={e.time}>{clock(new Date(e.time))}</time>
      <span class="mark" aria-hidden="true">{marks[e.type] || "\u00b7"}</span>
      <span class="type">{e.type.replace("_", " ")}</span>
      {withGate && <span class="of cut">{e.gate ? <a href={gateLink(e.gate)}>{plain(e.gate)}</a> : ""}</span>}
      <span class="cut what" title={plain(told(e))}>{plain(told(e))}</span>
      <span class="by cut" title={plain(e.by)}>{e.by ? `by ${plain(e.by)}` : ""}</span>
    </div>
  );
}

// Events are what has happened, the latest first, with who asked for it. What is frozen stays as it is, to be read.
export function Events({ gate, id = "events" }) {
  const find = eventsShown.value;
  const words = find.toLowerCase().split(/\s+/).filter(Boolean);
  const traffic = words[0] === "is:all";
  if (traffic) words.shift();
  const [frozen, setFrozen] = useState(null);
  const version = frozen ? frozen.version : events.value.version;
  const list = useMemo(() => {
    const all = frozen ? frozen.all : events.value.all;
    const out = [];
    for (let i = all.length - 1; i >= 0; i--) {
      const e = all[i];
      if (gate && e.gate !== gate && e.id) continue;
      if (!traffic && !loud.has(e.type)) continue;
      if (words.length) {
        const text = `${e.type} ${e.gate || ""} ${told(e)} ${e.by || ""}`.toLowerCase();
        if (!words.every((w) => text.includes(w))) continue;
      }
      out.push(e);
    }
    return out;
  }, [find, version, gate]);
  return (
    <section class="events" aria-label={gate ? `Events of ${plain(gate)}` : "Events"}>
      <div class="bar">
        <Segments label="Which events" value={traffic ? "all" : ""} options={[{ value: "", label: "changes", title: "what somebody has done, and what went wrong" }, { value: "all", label: "all", title: "connections and hits as well" }]} set={(v) => go({ events: [v && "is:all", ...words].filter(Boolean).join(" ") }, true)} />
        <label class="find"><span class="off">Find events</span><input type="search" id={`find-${id}`} placeholder="type, gate, who" value={words.join(" ")} onInput={(e) => go({ events: ((traffic ? "is:all " : "") + e.currentTarget.value.trimStart()) }, true)} /></label>
        <span class="figure quiet">{count(list.length)}</span>
        <button type="button" aria-pressed={!!frozen} onClick={() => setFrozen(frozen ? null : { version: events.value.version, all: [...events.value.all] })}>{frozen ? "Follow" : "Freeze"}</button>
      </div>
      <Virtual id={id} label="Events" items={list} height={gate ? 30 : 46} keyOf={(e) => e.id || e.time} row={(e) => <Row e={e} withGate={!gate} />}
        empty={<div class="nothing"><p>{words.length ? "No event has all of that." : "Nothing has happened yet."}</p>{!words.length && <p>From a shell: <code>{gate ? `chaosgate events ${plain(gate)}` : "chaosgate events"}</code></p>}</div>} />
    </section>
  );
}
