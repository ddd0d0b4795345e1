// What can be done: each action is a value, which can be asked of the daemon, undone, and written down for other clients.
//
//   {do: "impose", gate, conn, way, fault, for}     the fault as a line
//   {do: "change", gate, conn, way, id, fault, for}
//   {do: "lift", gate, conn, way, id}
//   {do: "door", gate, door, for}
//   {do: "heal", gate}                              without a gate: all
//   {do: "end", gate, conn, how, count}             connections, by fin or rst
//   {do: "create", name, network, listen, server, more}
//   {do: "remove", gate}, {do: "stop", gate, stopped}

import { signal } from "@preact/signals";
import { boot, change, now } from "./daemon.js";
import { faultsOf, gates, look } from "./state.js";
import { lasting, some } from "./units.js";

const part = encodeURIComponent;
const given = (o) => Object.fromEntries(Object.entries(o).filter(([, v]) => v !== undefined && v !== "" && v !== null));

// flowPath returns where a flow is, of a gate or of one of its connections.
export const flowPath = (a) => `/v1/gates/${part(a.gate)}${a.conn ? `/conns/${a.conn}` : ""}/${a.way}`;

// requestOf returns the request for an action.
export function requestOf(a) {
  switch (a.do) {
    case "impose":
      return { method: "POST", path: flowPath(a), body: given({ fault: a.fault, id: a.id, for: a.for }) };
    case "change":
      return { method: "PATCH", path: `${flowPath(a)}/${part(a.id)}`, body: given({ fault: a.fault, for: a.for }) };
    case "lift":
      return { method: "DELETE", path: `${flowPath(a)}/${part(a.id)}` };
    case "door":
      return { method: "PUT", path: `/v1/gates/${part(a.gate)}/door`, body: given({ door: a.door, for: a.for }) };
    case "heal":
      return { method: "POST", path: a.gate ? `/v1/gates/${part(a.gate)}/heal` : "/v1/heal" };
    case "end": {
      const query = new URLSearchParams(given({ how: a.how, count: a.count }));
      return { method: "DELETE", path: `/v1/gates/${part(a.gate)}/conns${a.conn ? `/${a.conn}` : ""}?${query}` };
    }
    case "create":
      return { method: "POST", path: "/v1/gates", body: given({ name: a.name, network: a.network, listen: a.listen, server: a.server, ...a.more }) };
    case "remove":
      return { method: "DELETE", path: `/v1/gates/${part(a.gate)}` };
    case "stop":
      return { method: "PATCH", path: `/v1/gates/${part(a.gate)}`, body: { stopped: a.stopped } };
  }
}

const to = (way) => (way === "to_server" ? "to the server" : "to the client");
const where = (a) => `${a.gate}${a.conn ? `, connection ${a.conn}` : ""}`;

// said returns an action in words, once it is done.
export function said(a, answer) {
  switch (a.do) {
    case "impose":
      return `Imposed ${a.fault} on ${where(a)}, ${to(a.way)}${a.for ? `, for ${a.for}` : ", for good"}`;
    case "change":
      return a.fault ? `Changed ${a.id} of ${a.gate} to ${a.fault}` : `${a.id} of ${a.gate} is ${a.for === "0s" ? "for good" : `lifted in ${a.for}`}`;
    case "lift":
      return `Lifted ${a.id} of ${where(a)}${answer ? `, which had fired ${some(answer.hits, "time")}` : ""}`;
    case "door":
      return `The door of ${a.gate} is ${a.door}${a.for ? `, for ${a.for}` : ""}`;
    case "heal": {
      const n = (answer?.faults || []).length + (answer?.doors || []).length;
      return n ? `Healed ${a.gate || "everything"}: ${some((answer.faults || []).length, "fault")} lifted, ${some((answer.doors || []).length, "door")} opened` : `${a.gate || "Everything"} was healthy already`;
    }
    case "end":
      return a.conn ? `${a.how === "rst" ? "Reset" : "Closed"} connection ${a.conn} of ${a.gate}` : `${a.how === "rst" ? "Reset" : "Closed"} ${some(answer?.ended ?? 0, "connection")} of ${a.gate}`;
    case "create":
      return `Created the gate ${a.name}`;
    case "remove":
      return `Removed the gate ${a.gate}`;
    case "stop":
      return a.stopped ? `${a.gate} does not listen any more` : `${a.gate} listens again`;
  }
}

// rest returns for how long something is left that ends by itself, or nothing.
function rest(till) {
  if (!till) return undefined;
  return `${Math.max(100, Math.round(Date.parse(till) - now()))}ms`;
}

// again returns what imposes a fault that was lifted.
const again = (gate, f) => ({ do: "impose", gate, conn: f.conn, way: f.direction, id: f.id, fault: f.text, for: rest(f.till) });

// inverse returns the actions that undo one, as far as that can be: what goes over a wire has gone.
function inverse(a, before, answer) {
  switch (a.do) {
    case "impose":
      return [].concat(answer).map((f) => ({ do: "lift", gate: a.gate, conn: a.conn, way: a.way, id: f.id }));
    case "change":
      return before.fault ? [{ ...a, fault: before.fault.text, for: rest(before.fault.till) ?? "0s" }] : [];
    case "lift":
      return [again(a.gate, answer)];
    case "door":
      return [{ do: "door", gate: a.gate, door: before.gate.door, for: rest(before.gate.door_till) }];
    case "heal":
      return [
        ...(answer.faults || []).map((f) => again(f.gate, f)),
        ...(answer.doors || []).map((d) => ({ do: "door", gate: d.gate, door: d.door, for: rest(before.gates.find((g) => g.name === d.gate)?.door_till) })),
      ];
    case "create":
      return [{ do: "remove", gate: a.name }];
    case "remove": {
      const g = before.gate;
      const entries = (list) => (list || []).map((f) => given({ fault: f.text, id: f.id, for: rest(f.till) }));
      const more = given({
        seed: g.seed, door: g.door, stopped: g.stopped || undefined, window: g.window, memory: g.memory, sessions: g.sessions, expire: g.expire,
        to_server: entries(g.to_server), to_client: entries(g.to_client),
      });
      return [{ do: "create", name: g.name, network: g.network, listen: g.listen, server: g.server, more }];
    }
    case "stop":
      return [{ ...a, stopped: !a.stopped }];
  }
  return [];
}

export const last = signal(null); // the last change: {actions, text, error, undo, at, boot}
export const busy = signal(0); // how many changes are under way

const snapshot = (a) => {
  const gate = gates.value.find((g) => g.name === a.gate);
  return { gate, gates: gates.value, fault: gate && faultsOf(gate).find((f) => f.id === a.id) };
};

// perform does actions, in order, and notes how to undo them. It returns what has gone wrong, or nothing.
export async function perform(actions, { text, undoing } = {}) {
  actions = [].concat(actions);
  const undo = [];
  let answer, error;
  busy.value++;
  for (const a of actions) {
    const before = a.do === "change" && a.was ? { fault: a.was } : snapshot(a);
    const { method, path, body } = requestOf(a);
    try {
      answer = await change(method, path, body);
      if (!undoing) undo.unshift(...inverse(a, before, answer));
    } catch (e) {
      error = e;
      break;
    }
  }
  busy.value--;
  last.value = { actions, text: text || said(actions[0], answer), error, undo, at: Date.now(), boot: boot.value };
  look();
  return error;
}

// undo undoes the last change.
export function undo() {
  const l = last.value;
  if (!l || !l.undo.length || l.boot !== boot.value) return;
  return perform(l.undo, { text: `Undone: ${l.text}`, undoing: true });
}
