// An action as other clients would say it. Each text can be run as it is.

import { requestOf } from "./actions.js";
import { hasToken } from "./route.js";
import { duration } from "./units.js";

// sh quotes a word for a shell.
const sh = (s) => (s !== "" && /^[\w@%+=:,./-]+$/.test(s) ? s : `'${String(s).replace(/'/g, `'\\''`)}'`);
// quote quotes a text for Go and for Python, which both read what JSON writes.
const quote = (s) => JSON.stringify(String(s)).replace(/\u007f/g, "\\u007f");
const way = (a) => a.way.replace("_", "-");
const standard = "http://127.0.0.1:8474";

function curl(a) {
  const { method, path, body } = requestOf(a);
  const parts = ["curl -sS"];
  if (method !== "GET") parts.push(`-X ${method}`);
  parts.push(sh(location.origin + path));
  if (hasToken) parts.push('-H "Authorization: Bearer $CHAOSGATE_TOKEN"');
  if (body) parts.push("-H 'Content-Type: application/json'", `-d ${sh(JSON.stringify(body))}`);
  return parts.join(" ");
}

// commandOf returns the verb of a command, its words and its flags.
function commandOf(a) {
  const time = a.for ? ["--for", a.for] : [];
  const conn = a.conn ? ["--conn", a.conn] : [];
  switch (a.do) {
    case "impose":
      return [["fault", "add"], [a.gate, way(a), a.fault], [...(a.id ? ["--id", a.id] : []), ...conn, ...time]];
    case "change":
      return [["fault", "change"], [a.gate, a.id, ...(a.fault ? [a.fault] : [])], time];
    case "lift":
      return [["fault", "lift"], [a.gate, a.id], []];
    case "door":
      return [["door"], [a.gate, a.door], time];
    case "heal":
      return [["heal"], a.gate ? [a.gate] : [], []];
    case "end":
      return [["close"], [a.gate, ...(a.conn ? [a.conn] : [])], [...(a.count ? ["--count", a.count] : []), ...(a.how === "rst" ? ["--reset"] : [])]];
    case "create": {
      const m = a.more || {};
      const flags = [];
      for (const name of ["seed", "window", "memory", "sessions", "expire"]) if (m[name]) flags.push("--" + name, m[name]);
      if (m.door && m.door !== "open") flags.push("--door", m.door);
      if (m.stopped) flags.push("--stopped");
      for (const f of m.to_server || []) flags.push("--to-server", f.fault);
      for (const f of m.to_client || []) flags.push("--to-client", f.fault);
      return [["gate", "add"], [a.name, (a.network && a.network !== "tcp" ? a.network + ":" : "") + (a.listen || ""), a.server], flags];
    }
    case "remove":
      return [["gate", "remove"], [a.gate], []];
    case "stop":
      return [["gate", "change"], [a.gate], [a.stopped ? "--stopped" : "--stopped=false"]];
  }
}

function command(a) {
  const [verb, words, flags] = commandOf(a);
  const daemon = location.origin === standard ? [] : ["--daemon", location.origin];
  const dashed = words.some((w) => String(w).startsWith("-")); // which would be taken for flags
  const rest = dashed ? [...flags, ...daemon, "--", ...words] : [...words, ...flags, ...daemon];
  return ["chaosgate", ...verb, ...rest].map(sh).join(" ");
}

// goTime writes a duration for Go.
function goTime(text) {
  const ns = Math.round(duration(text) * 1e9);
  for (const [unit, of] of [["Minute", 6e10], ["Second", 1e9], ["Millisecond", 1e6], ["Microsecond", 1e3]]) if (ns >= of && ns % of === 0) return `${ns / of} * time.${unit}`;
  return `${ns} * time.Nanosecond`;
}

// goEntry writes a fault as it stands in a list.
function goEntry(f) {
  const more = [`Fault: fault(${quote(f.fault)})`];
  if (f.id) more.push(`ID: ${quote(f.id)}`);
  if (f.for) more.push(`For: ${goTime(f.for)}`);
  return `spec.Entries{{${more.join(", ")}}}`;
}

function goCall(a, imports) {
  const where = () => {
    imports.add("github.com/chaosgate/chaos");
    return `client.Where{Gate: ${quote(a.gate)}${a.conn ? `, Conn: ${a.conn}` : ""}, Direction: chaos.${a.way === "to_server" ? "ToServer" : "ToClient"}}`;
  };
  if (a.for) imports.add("time");
  switch (a.do) {
    case "impose":
      imports.add("github.com/chaosgate/chaos/spec");
      return `_, err = daemon.Add(ctx, ${where()}, ${goEntry(a)})`;
    case "change": {
      const parts = [];
      if (a.fault) {
        imports.add("github.com/chaosgate/chaos/spec");
        parts.push(`Fault: fault(${quote(a.fault)})`);
      }
      if (a.for) parts.push("For: new(" + (duration(a.for) ? goTime(a.for) : "time.Duration(0)") + ")");
      return `_, err = daemon.Change(ctx, ${where()}, ${quote(a.id)}, client.Change{${parts.join(", ")}})`;
    }
    case "lift":
      return `_, err = daemon.Lift(ctx, ${where()}, ${quote(a.id)})`;
    case "door":
      imports.add("github.com/chaosgate/chaos");
      return `_, err = daemon.SetDoor(ctx, ${quote(a.gate)}, client.DoorSetting{Door: chaos.${a.door[0].toUpperCase() + a.door.slice(1)}${a.for ? `, For: ${goTime(a.for)}` : ""}})`;
    case "heal":
      return `_, err = daemon.Heal(ctx, ${quote(a.gate || "")})`;
    case "end":
      imports.add("github.com/chaosgate/chaos");
      if (a.conn) return `err = daemon.CloseConn(ctx, ${quote(a.gate)}, ${a.conn}, chaos.${a.how.toUpperCase()})`;
      return `_, err = daemon.CloseConns(ctx, ${quote(a.gate)}, ${a.count || "chaos.All"}, chaos.${a.how.toUpperCase()})`;
    case "create":
      imports.add("github.com/chaosgate/chaos/spec");
      if (a.more) {
        imports.add("encoding/json");
        return `var gate spec.Gate\n\tif err := json.Unmarshal([]byte(${quote(JSON.stringify(requestOf(a).body))}), &gate); err != nil {\n\t\tlog.Fatal(err)\n\t}\n\t_, err = daemon.Create(ctx, gate)`;
      }
      return `_, err = daemon.Create(ctx, spec.Gate{Name: ${quote(a.name)}, ${a.network ? `Network: ${quote(a.network)}, ` : ""}${a.listen ? `Listen: ${quote(a.listen)}, ` : ""}Server: ${quote(a.server)}})`;
    case "remove":
      return `err = daemon.Remove(ctx, ${quote(a.gate)})`;
    case "stop":
      return `_, err = daemon.Update(ctx, ${quote(a.gate)}, client.Patch{Stopped: new(${a.stopped})})`;
  }
}

function goProgram(actions) {
  const imports = new Set(["context", "log", "github.com/chaosgate/chaos/client"]);
  const calls = actions.map((a) => goCall(a, imports));
  if (hasToken) imports.add("os");
  const parses = calls.some((c) => c.includes("fault("));
  const all = [...imports].sort();
  const group = (list) => list.map((i) => `\t${quote(i)}\n`).join("");
  const first = group(all.filter((i) => !i.includes(".")));
  const others = group(all.filter((i) => i.includes(".")));
  const body = calls.map((c) => `\t${c}\n\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n`).join("");
  return `package main

import (
${first}
${others})

func main() {
	ctx := context.Background()
	daemon, err := client.New(${quote(location.origin)}, client.Options{By: "me"${hasToken ? ', Token: os.Getenv("CHAOSGATE_TOKEN")' : ""}})
	if err != nil {
		log.Fatal(err)
	}
	defer daemon.Close()
${body}}
${parses ? `
func fault(text string) chaos.Fault {
	f, err := spec.ParseFault(text)
	if err != nil {
		log.Fatal(err)
	}
	return f
}
` : ""}`;
}

function pyCall(a) {
  const time = a.for ? `, for_=${quote(a.for)}` : "";
  const gate = a.gate && `chaosgate[${quote(a.gate)}]`;
  const conn = a.conn && `next(c for c in ${gate}.conns() if c.n == ${a.conn})`;
  const flow = () => `${a.conn ? conn : gate}.${a.way}`;
  const one = () => `next(f for f in ${flow()}.faults() if f.id == ${quote(a.id)})`;
  switch (a.do) {
    case "impose":
      return `${flow()}.add(${quote(a.fault)}${a.id ? `, id=${quote(a.id)}` : ""}${time})`;
    case "change":
      return `${one()}.change(${a.fault ? quote(a.fault) + time : time.slice(2)})`;
    case "lift":
      return `${one()}.lift()`;
    case "door":
      return `${gate}.set_door(${quote(a.door)}${time})`;
    case "heal":
      return a.gate ? `${gate}.heal()` : "chaosgate.heal()";
    case "end":
      return `${a.conn ? conn : gate}.${a.how === "rst" ? "reset" : "close"}(${a.count && !a.conn ? a.count : ""})`;
    case "create":
      if (a.more) return `chaosgate.ask("POST", ["v1", "gates"], body=json.loads(${quote(JSON.stringify(requestOf(a).body))}))`;
      return `chaosgate.gate(${quote(a.name)}, ${quote(a.server)}${a.listen ? `, listen=${quote(a.listen)}` : ""}${a.network ? `, network=${quote(a.network)}` : ""})`;
    case "remove":
      return `${gate}.remove()`;
    case "stop":
      return `${gate}.${a.stopped ? "stop" : "start"}()`;
  }
}

function pytest(actions) {
  const calls = actions.map((a) => "    " + pyCall(a)).join("\n");
  return `# pytest --chaosgate-url ${location.origin}\n${calls.includes("json.loads") ? "import json\n\n" : ""}\ndef test_it(chaosgate):\n${calls}\n`;
}

// languages are what an action can be copied as.
export const languages = [
  { name: "command line", id: "sh", write: (actions) => actions.map(command).join("\n") },
  { name: "curl", id: "curl", write: (actions) => actions.map(curl).join("\n") },
  { name: "Go", id: "go", write: goProgram },
  { name: "pytest", id: "pytest", write: pytest },
];
