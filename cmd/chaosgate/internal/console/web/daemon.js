// How the daemon is spoken to: which run of it, whether it is there, and whether it lets this page in.

import { batch, signal } from "@preact/signals";

export const boot = signal(""); // the run of the daemon that is shown
export const link = signal("connecting"); // connecting, live, lost or denied
export const restarts = signal([]); // of the daemon while this page was open: {from, to, at}
let skew = 0; // how far the daemon's clock is ahead of this one, in milliseconds

// now returns the daemon's time.
export const now = () => Date.now() + skew;

// A Refusal is what the daemon says when it does not do something.
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `the daemon answered ${status}`);
    this.status = status;
    this.code = problem.code || "";
    this.path = problem.path || "";
  }
}

// meet notes which run of the daemon has answered.
function meet(answer) {
  const is = answer.headers.get("Chaosgate-Boot");
  if (is && is !== boot.value) {
    batch(() => {
      if (boot.value) restarts.value = [...restarts.value, { from: boot.value, to: is, at: new Date() }];
      boot.value = is;
    });
  }
  const date = Date.parse(answer.headers.get("Date"));
  if (!isNaN(date)) {
    const off = date + 500 - Date.now(); // the header has whole seconds
    skew = Math.abs(off) < 1500 ? 0 : off;
  }
}

// letIn has the daemon let this page in again: another run of it has another cookie.
async function letIn() {
  const answer = await fetch("/", { cache: "no-store" });
  meet(answer);
  return answer.ok;
}

// open sends a request, and again when the page had to be let in first.
async function open(method, path, { body, headers, signal } = {}, again = true) {
  const answer = await fetch(path, {
    method,
    headers: { ...(body !== undefined && { "Content-Type": "application/json" }), ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
    signal,
  });
  const before = boot.value;
  meet(answer);
  if ((answer.status === 401 || answer.status === 403) && again) {
    if (await letIn()) return open(method, path, { body, headers, signal }, false);
    link.value = "denied";
  }
  if (!answer.ok) {
    let problem = {};
    try {
      problem = await answer.json();
    } catch {} // it is not the daemon's own: the status has to do
    throw Object.assign(new Refusal(answer.status, problem), { before });
  }
  return answer;
}

// read asks the daemon something.
export async function read(path, signal) {
  return (await open("GET", path, { signal })).json();
}

// change has the daemon change something, if it is still the run that is shown.
export async function change(method, path, body) {
  const answer = await open(method, path, { body, headers: { "Chaosgate-By": "console", "If-Match": boot.value } });
  const text = await answer.text();
  return text ? JSON.parse(text) : undefined;
}

// lines hands on an endless answer line by line, as many at once as have come.
export async function lines(path, signal, take) {
  const answer = await open("GET", path, { headers: { Accept: "application/x-ndjson" }, signal });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const all = (rest + value).split("\n");
    rest = all.pop();
    take(all.filter(Boolean).map((line) => JSON.parse(line)));
  }
}
