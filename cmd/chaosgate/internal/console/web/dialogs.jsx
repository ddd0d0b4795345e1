import { h } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { perform } from "./actions.js";
import { languages } from "./copyas.js";
import { keys } from "./keys.js";
import { go } from "./route.js";
import { Copy, copying, dialog, plain } from "./words.jsx";

// Box is a dialog. It closes by itself, by Escape and by a click beside it.
function Box({ title, close, children, kind = "" }) {
  const box = useRef(null);
  useLayoutEffect(() => {
    const before = document.activeElement;
    box.current.showModal();
    return () => before?.focus?.();
  }, []);
  return (
    <dialog ref={box} class={kind} aria-label={title} onClose={close} onKeyDown={(e) => e.key === "Escape" && (e.preventDefault(), e.stopPropagation(), close())} onClick={(e) => e.target === box.current && close()}>
      <header><h2>{title}</h2><button type="button" class="quiet" aria-label="Close" onClick={close}>{"\u2715"}</button></header>
      {children}
    </dialog>
  );
}

// put puts a text on the clipboard; where the page may not, by selecting it.
async function put(text, element) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection().selectAllChildren(element);
    return document.execCommand("copy");
  }
}

const chosen = { id: "sh" };

export function CopyBox() {
  const [language, setLanguage] = useState(chosen.id);
  const [done, setDone] = useState("");
  const code = useRef(null);
  const text = languages.find((l) => l.id === language).write(copying.value);
  const choose = (id) => {
    chosen.id = id;
    setLanguage(id);
    setDone("");
  };
  return (
    <Box title="Copy as" kind="copying" close={() => (copying.value = null)}>
      <div class="segments" role="group" aria-label="Language">
        {languages.map((l) => <button type="button" aria-pressed={l.id === language} data-language={l.id} onClick={() => choose(l.id)}>{l.name}</button>)}
      </div>
      <pre class="code" id="copy-text" ref={code} tabIndex={0} aria-label="The text">{text}</pre>
      <footer><span role="status" class="quiet">{done}</span><button type="button" class="main" onClick={async () => setDone((await put(text, code.current)) ? "Copied" : "Not allowed here: select it and copy")}>Copy</button></footer>
    </Box>
  );
}

export function KeysBox() {
  return (
    <Box title="Keys" close={() => (dialog.value = "")}>
      <dl class="keys">{keys.map((k) => <div><dt>{k.shown.map((s) => <kbd>{s}</kbd>)}</dt><dd>{k.says}</dd></div>)}</dl>
      <p class="quiet">The address of this page is all that it shows: a link to it shows the same to others. Made with <a href="/console/licences.txt">these libraries</a>.</p>
    </Box>
  );
}

const networks = ["tcp", "udp", "unix"];

export function GateBox() {
  const [v, setV] = useState({ name: "", network: "tcp", listen: "", server: "" });
  const [problem, setProblem] = useState("");
  const input = (name, label, placeholder, help) => (
    <p class="field"><label for={`gate-${name}`}>{label}</label><input id={`gate-${name}`} class="figure" value={v[name]} placeholder={placeholder} spellcheck={false} autocomplete="off" onInput={(e) => setV({ ...v, [name]: e.currentTarget.value.trim() })} />{help && <small class="help">{help}</small>}</p>
  );
  const action = { do: "create", name: v.name, network: v.network === "tcp" ? undefined : v.network, listen: v.listen, server: v.server };
  const submit = async (e) => {
    e.preventDefault();
    const error = await perform(action);
    if (error) return setProblem(error.message);
    dialog.value = "";
    go({ gate: v.name, tab: "", conn: "" });
  };
  return (
    <Box title="New gate" close={() => (dialog.value = "")}>
      <form onSubmit={submit}>
        {input("name", "Name", "redis")}
        <p class="field"><label for="gate-network">Network</label><select id="gate-network" value={v.network} onChange={(e) => setV({ ...v, network: e.currentTarget.value })}>{networks.map((n) => <option>{n}</option>)}</select></p>
        {input("server", "Server", v.network === "unix" ? "/run/redis.sock" : "127.0.0.1:6379", "what the gate connects to")}
        {input("listen", "Listen", v.network === "unix" ? "/run/gate.sock" : "127.0.0.1:26379", v.network === "unix" ? "where clients connect" : "where clients connect; any free port if it is left empty")}
        {problem && <p class="wrong" role="alert">{"\u26a0"} {plain(problem)}</p>}
        <footer><Copy actions={action} /><button type="submit" class="main" id="create">Create</button></footer>
      </form>
    </Box>
  );
}
