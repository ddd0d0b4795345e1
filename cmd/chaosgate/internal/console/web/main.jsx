import { h, render } from "preact";
import { perform } from "./actions.js";
import { boot, link, restarts } from "./daemon.js";
import { CopyBox, GateBox, KeysBox } from "./dialogs.jsx";
import { Events } from "./events.jsx";
import { Gate } from "./gate.jsx";
import { Gates } from "./gates.jsx";
import { listenToKeys } from "./keys.js";
import { gateShown, link as linkTo } from "./route.js";
import { begin, gates, harm, version } from "./state.js";
import { Timeline, theme } from "./timeline.jsx";
import { count } from "./units.js";
import { Copy, Last, copying, dialog } from "./words.jsx";

const links = {
  connecting: ["\u25cc", "connecting"],
  live: ["\u25cf", "live"],
  lost: ["\u25cb", "no answer"],
  denied: ["\u2298", "not let in"],
};

// turn changes between the system's colours, dark ones and light ones.
const looks = ["", "dark", "light"];
const stored = () => {
  try {
    return localStorage.getItem("chaosgate-look") || "";
  } catch {
    return "";
  }
};
function wear(look) {
  if (look) document.documentElement.dataset.look = look;
  else delete document.documentElement.dataset.look;
  theme.value++;
}
function turn() {
  const look = looks[(looks.indexOf(stored()) + 1) % looks.length];
  try {
    localStorage.setItem("chaosgate-look", look);
  } catch {} // then it lasts as long as the page
  wear(look);
}

function Top() {
  const [mark, words] = links[link.value];
  const n = harm.value;
  return (
    <header class="top">
      <h1 class="off">chaosgate</h1><a class="brand" aria-label="chaosgate: all gates" href={linkTo({ gate: "", conn: "" })}><svg viewBox="0 0 32 32" aria-hidden="true"><path d="M1 11h9l3-6 5 12 3-6h10" /><path class="dash" d="M1 24h30" /></svg><span>chaosgate</span></a>
      <span class={`link ${link.value}`} role="status"><span aria-hidden="true">{mark}</span> {words}</span>
      <span class="boot quiet" title="the run of the daemon">{version.value?.version} <span class="figure">{boot.value.slice(0, 8)}</span></span>
      <span class="buttons">
        <button type="button" class="quiet look" aria-label="Colours: system, dark or light" title="Colours: system, dark, light" onClick={turn}>{"\u25d1"}</button>
        <button type="button" class="quiet" aria-label="Keys" title="Keys" onClick={() => (dialog.value = "keys")}>?</button>
        <Copy actions={{ do: "heal" }} label="" what="heal everything" />
        <button type="button" id="heal" class={`heal ${n ? "needed" : ""}`} onClick={() => perform({ do: "heal" })} title="Lift every fault and open every door (shift h)">
          <span aria-hidden="true">{n ? "\u25c6" : "\u25c7"}</span> Heal everything{n > 0 && <span class="figure"> {count(n)}</span>}
        </button>
      </span>
    </header>
  );
}

// Says are what has to be known before anything else.
function Says() {
  const all = restarts.value;
  const latest = all[all.length - 1];
  return (
    <div class="says">
      {link.value === "lost" && <p class="say bad" role="alert"><b>The daemon does not answer.</b> What is shown is how it was. This page asks again by itself.</p>}
      {link.value === "denied" && <p class="say bad" role="alert"><b>The daemon does not let this page in.</b> Where its token is known, this prints a link that does: <code>chaosgate console</code></p>}
      {latest && link.value === "live" && (
        <p class="say" role="alert" id="restarted">
          <b>The daemon was restarted</b> at {latest.at.toLocaleTimeString()}: it was <code>{latest.from.slice(0, 8)}</code> and is <code>{latest.to.slice(0, 8)}</code>. Faults that were imposed are gone, unless it keeps its state.
          <button type="button" onClick={() => (restarts.value = [])}>Understood</button>
        </p>
      )}
    </div>
  );
}

function App() {
  const one = !!gateShown.value;
  return (
    <div class={`page ${one ? "one" : "all"}`}>
      <Top />
      <Says />
      <main>
        <div class="left">{!one && gates.value.length > 0 && <Timeline />}<Gates /></div>
        {one && <Gate />}
        <aside class="rail"><h2>What happens</h2><Events id="rail" /></aside>
      </main>
      <div class="foot"><Last /></div>
      {copying.value && <CopyBox />}
      {dialog.value === "keys" && <KeysBox />}
      {dialog.value === "gate" && <GateBox />}
    </div>
  );
}

wear(stored());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => theme.value++);
listenToKeys();
begin();
render(<App />, document.getElementById("app"));
