"use strict";
(() => {
  const tools = document.querySelector(".tools");
  if (!tools) return;
  const list = document.getElementById("list");
  const cells = [...list.querySelectorAll("details.cell")];
  const home = [...list.children]; // the order of the report, with its heads
  const links = [...document.querySelectorAll(".grid a[data-cell]")];
  const byAnchor = new Map(cells.map((cell) => [cell.dataset.anchor, cell]));
  const words = new Map(cells.map((cell) => [cell, cell.querySelector("summary").textContent.toLowerCase()]));
  const field = (name) => document.getElementById("f-" + name);
  const shown = () => [...list.querySelectorAll("details.cell:not([hidden])")];

  // Filter and order.
  const fits = (cell) => {
    const data = cell.dataset;
    const verdict = field("verdict").value;
    const wanted = field("text").value.toLowerCase().split(/\s+/).filter(Boolean);
    return (verdict === "" || verdict === data.verdict || (verdict === "bad" && data.tier === "bad") ||
        (verdict === "worse" && cell.classList.contains("worse"))) &&
      (field("direction").value || data.direction) === data.direction &&
      (field("moment").value || data.moment) === data.moment &&
      wanted.every((word) => words.get(cell).includes(word));
  };
  const show = () => {
    const order = field("sort").value;
    let n = 0;
    for (const cell of cells) {
      cell.hidden = !fits(cell);
      n += cell.hidden ? 0 : 1;
    }
    for (const link of links) link.classList.toggle("out", byAnchor.get(link.dataset.cell).hidden);
    list.classList.toggle("flat", order !== "order" || n < cells.length);
    if (order === "order") {
      list.append(...home);
    } else {
      const by = (cell) => Number(cell.dataset[order]);
      list.append(...cells.slice().sort((a, b) => by(b) - by(a) || a.dataset.order - b.dataset.order));
    }
    field("shown").textContent = n === cells.length ? `all ${n} cells` : `${n} of ${cells.length} cells`;
  };
  tools.addEventListener("submit", (event) => event.preventDefault());
  tools.addEventListener("input", show);
  tools.addEventListener("reset", () => setTimeout(show));
  field("open").addEventListener("click", () => shown().forEach((cell) => { cell.open = true; }));
  field("close").addEventListener("click", () => cells.forEach((cell) => { cell.open = false; }));
  tools.hidden = false;
  show();

  // From the grid, or an address, to a cell.
  const lead = () => {
    let cell;
    try {
      cell = byAnchor.get(decodeURIComponent(location.hash.slice(1)));
    } catch { /* no name of a cell */ }
    if (!cell) return;
    if (cell.hidden) {
      tools.reset();
      show();
    }
    cell.open = true;
    const summary = cell.querySelector("summary");
    summary.focus({ preventScroll: true });
    cell.scrollIntoView({ block: "start" });
  };
  addEventListener("hashchange", lead);
  for (const link of links) {
    link.addEventListener("click", () => { if (link.hash === location.hash) lead(); });
  }
  lead();

  // Keys.
  const current = () => document.activeElement && document.activeElement.closest("details.cell");
  const step = (by, wanted) => {
    const all = shown();
    const from = all.indexOf(current());
    for (let i = from < 0 && by < 0 ? all.length - 1 : from + by; i >= 0 && i < all.length; i += by) {
      if (!wanted(all[i])) continue;
      const summary = all[i].querySelector("summary");
      summary.focus({ preventScroll: true });
      summary.scrollIntoView({ block: "nearest" });
      return;
    }
  };
  const any = () => true;
  const bad = (cell) => cell.dataset.tier === "bad" || cell.classList.contains("worse");
  const keys = {
    "/": () => field("text").focus(),
    "j": () => step(1, any),
    "k": () => step(-1, any),
    "n": () => step(1, bad),
    "p": () => step(-1, bad),
    "o": () => { const cell = current(); if (cell) cell.open = !cell.open; },
    "g": () => links.length && links[0].focus(),
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      tools.reset();
      show();
      return;
    }
    if (event.target.closest("input, select, textarea")) return;
    if (event.target.matches(".grid a") && walk(event)) return;
    if (field("keys").checked && Object.hasOwn(keys, event.key)) {
      event.preventDefault();
      keys[event.key]();
    }
  });
  // walk moves through the grid, over places without a cell.
  const walk = (event) => {
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!move) return false;
    event.preventDefault();
    const rows = [...document.querySelectorAll(".grid tbody tr:not(.group)")];
    const at = event.target.closest("td");
    let row = rows.indexOf(at.parentElement);
    let column = at.cellIndex;
    for (;;) {
      row += move[0];
      column += move[1];
      const td = rows[row] && column > 0 && rows[row].cells[column];
      if (!td) return true;
      const link = td.querySelector("a");
      if (link) {
        link.focus();
        return true;
      }
    }
  };

  // A button beside each command copies it.
  for (const command of document.querySelectorAll(".command")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(command.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(command);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    command.after(button);
  }

  // Print what is bad with all that is known of it.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = shown().filter((cell) => bad(cell) && !cell.open);
    opened.forEach((cell) => { cell.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((cell) => { cell.open = false; }));
})();
