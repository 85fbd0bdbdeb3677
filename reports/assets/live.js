/* Wakes a page up: tips, a legend and a timeline that filter the evidence, tables that sort, search.
   A page is complete without it. It takes what stands on the page, and fetches and keeps nothing. */
"use strict";

const all = (query, root = document) => [...root.querySelectorAll(query)];

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const field = (name, attributes) => make("label", {}, `${name} `, make("input", attributes));
const words = (text) => text.replace(/\s+/g, " ").trim();
const MONTHS = "January February March April May June July August September October November December".split(" ");

/* The day that a text begins with, as 2019-08-02; nothing where it begins with none. */
function dayOf(text) {
  const found = text.match(/^\s*(\d{1,2})\s([A-Z][a-z]+)\s(\d{4})/);
  const month = found ? MONTHS.indexOf(found[2]) + 1 : 0;
  return month ? [found[3], String(month).padStart(2, "0"), found[1].padStart(2, "0")].join("-") : "";
}
const told = (day) => `${+day.slice(8)} ${MONTHS[+day.slice(5, 7) - 1]} ${day.slice(0, 4)}`;

/* ---- Marks of the charts: each has a label, and mostly leads to a sentence. */

const target = (link) => link && document.getElementById(link.getAttribute("href").slice(1));
/* The rows of what a link leads to: a sentence, its row, or a body of rows that it moved. */
const rowsOf = (source) => [source?.rows ? [...source.rows] : source?.closest("tr, li")].flat().filter(Boolean);
/* What was said there, without its date and weight. */
const saidIn = (source) => (source?.matches("tr, tbody") ? source.querySelector("q") || source.querySelector("td:nth-child(2)") : !source?.matches("section") && source);
const marks = new Map();
for (const title of all(".figure svg title")) {
  const mark = title.nextElementSibling;
  if (!mark) continue;
  const link = title.closest("a");
  (link || mark).setAttribute("aria-label", title.textContent);
  if (!link) mark.setAttribute("role", "img");
  const source = target(link);
  marks.set(mark, { label: title.textContent, source, own: rowsOf(source), isDated: Boolean(mark.closest("[data-span]")) });
  title.remove(); // else the browser would show a second tip
}

const tip = make("div", { class: "tip", hidden: "" });
document.body.append(tip);

function showTip(mark, x, y) {
  const { label, source } = marks.get(mark);
  tip.replaceChildren(make("b", {}, label));
  if (saidIn(source)) {
    const said = words(saidIn(source).textContent);
    tip.append(make("span", {}, said.length > 240 ? `${said.slice(0, 240)}…` : said));
  }
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(8, Math.min(x + 12, innerWidth - width - 8))}px`;
  tip.style.top = `${y + 16 + height > innerHeight ? Math.max(8, y - height - 12) : y + 16}px`;
}
const hideTip = () => { tip.hidden = true; };

document.addEventListener("pointerover", (event) => {
  if (marks.has(event.target)) showTip(event.target, event.clientX, event.clientY);
  else hideTip();
});
document.addEventListener("focusin", (event) => {
  const mark = event.target.matches("svg a") && event.target.querySelector("path");
  if (!marks.has(mark)) return hideTip();
  const box = mark.getBoundingClientRect();
  showTip(mark, box.right, box.bottom);
});
document.addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
document.addEventListener("scroll", hideTip, { passive: true });

/* ---- The evidence: rows that the legend, the timeline and a search narrow down. */

const rows = all(".evidence tbody tr, .statements > li").map((row) => ({
  row,
  text: words(row.textContent).toLowerCase(),
  day: dayOf((row.querySelector(".when") || row).textContent),
  direction: [...(row.querySelector(".state")?.classList || [])].find((name) => name !== "state") || "",
  word: row.querySelector(".state")?.textContent || "",
}));
const known = new Set(rows.map((each) => each.row));
const wanted = { text: "", from: "", to: "", off: new Set() };
const showAll = () => narrow({ text: "", from: "", to: "", off: new Set() });
const status = make("p", { role: "status" });
// The evidence may lie far below the chart that narrows it down.
const bar = make("div", { class: "bar", hidden: "" }, status, make("a", { href: "#found" }, "See them"),
  make("button", { type: "button", onclick: showAll }, "Show all"));
const search = field("Search the evidence", { type: "search", oninput: (event) => narrow({ text: event.target.value.toLowerCase() }) });
const from = field("From", { type: "date", onchange: (event) => narrow({ from: event.target.value }) });
const to = field("To", { type: "date", onchange: (event) => narrow({ to: event.target.value }) });
const toggles = [];

/* Buttons that leave the signals of a direction out, and show what their colours mean. */
function legend() {
  const found = new Map(rows.filter((each) => each.direction).map((each) => [each.direction, each.word]));
  const buttons = [...found].map(([direction, word]) => {
    const button = make("button", { type: "button", class: `state ${direction}`, onclick: () => {
      const off = new Set(wanted.off);
      if (!off.delete(direction)) off.add(direction);
      narrow({ off });
    } }, word);
    toggles.push([button, direction]);
    return button;
  });
  return make("div", { class: "toggles", role: "group", "aria-label": "Signals to show" }, ...buttons);
}

function narrow(change) {
  Object.assign(wanted, change);
  const { text, off } = wanted;
  const isNarrow = text || wanted.from || wanted.to || off.size;
  let shown = 0;
  for (const each of rows) {
    const isOut = off.has(each.direction) || !each.text.includes(text)
      || (wanted.from && each.day < wanted.from) || (wanted.to && each.day > wanted.to);
    each.row.hidden = Boolean(isOut);
    shown += !isOut;
  }
  for (const section of new Set(rows.map((each) => each.row.closest("section")))) {
    if (section?.id) section.hidden = !section.querySelector("tbody tr:not([hidden])");
  }
  // A mark of a timeline stands for its signals; a cell of a grid is a reading, and stays.
  for (const [mark, { own, isDated }] of marks) {
    if (isDated && own.some((row) => known.has(row))) mark.classList.toggle("out", own.every((row) => row.hidden));
  }
  for (const [button, direction] of toggles) button.setAttribute("aria-pressed", !off.has(direction));
  for (const [input, value] of [[search, text], [from, wanted.from], [to, wanted.to]]) {
    if (input.lastChild.value.toLowerCase() !== value) input.lastChild.value = value;
  }
  const said = [`${shown} of ${rows.length} entries`, wanted.from && `from ${told(wanted.from)}`, wanted.to && `to ${told(wanted.to)}`];
  status.textContent = isNarrow ? said.filter(Boolean).join(" ") : "";
  bar.hidden = !isNarrow;
  timelines.forEach((timeline) => timeline.paint());
}

/* ---- Timelines: dragging over one chooses days. The chart says its first and last. */

const timelines = [];
const DAY = 86400000;

function timeline(line, svg, first, last) {
  const panel = line.closest(".role-scope, .root");
  const rule = all(".role-axis-domain line", panel).find((each) => +each.getAttribute("y2"));
  const tall = Math.abs(rule?.getAttribute("y2") || 100), wide = +line.getAttribute("x2");
  const brush = document.createElementNS(svg.namespaceURI, "rect");
  brush.setAttribute("class", "brush");
  brush.setAttribute("y", -tall);
  brush.setAttribute("height", tall);
  line.after(brush);
  const place = (day, otherwise) => (day ? Math.min(1, Math.max(0, (Date.parse(day) - first) / (last - first))) : otherwise) * wide;
  return {
    holds(event) {
      const box = line.getBoundingClientRect();
      const up = (tall * box.width) / wide;
      return event.clientX >= box.left && event.clientX <= box.right && event.clientY <= box.bottom + 4 && event.clientY >= box.top - up;
    },
    at(event) {
      const box = line.getBoundingClientRect();
      const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
      return new Date(Math.round((first + share * (last - first)) / DAY) * DAY).toISOString().slice(0, 10);
    },
    paint() {
      const [start, end] = [place(wanted.from, 0), place(wanted.to, 1)];
      brush.setAttribute("x", start);
      brush.setAttribute("width", wanted.from || wanted.to ? Math.max(0, end - start) : 0);
    },
  };
}

for (const figure of rows.length ? all(".figure[data-span]") : []) {
  const svg = figure.querySelector("svg");
  const [first, last] = figure.dataset.span.split(" ").map(Date.parse);
  const lines = all(".role-axis-domain line", svg).filter((each) => +each.getAttribute("x2") > 0);
  const own = lines.map((line) => timeline(line, svg, first, last));
  timelines.push(...own);
  svg.classList.add("timeline");
  let drag = null;
  svg.addEventListener("pointerdown", (event) => {
    const over = event.pointerType !== "touch" && event.button === 0 && own.find((each) => each.holds(event));
    drag = over ? { over, x: event.clientX, start: over.at(event), isLong: false } : null;
  });
  svg.addEventListener("pointermove", (event) => {
    if (!drag || (!drag.isLong && Math.abs(event.clientX - drag.x) < 5)) return;
    if (!drag.isLong) svg.setPointerCapture(event.pointerId);
    drag.isLong = true;
    const days = [drag.start, drag.over.at(event)].sort();
    narrow({ from: days[0], to: days[1] });
  });
  svg.addEventListener("pointerup", () => { if (!drag?.isLong) drag = null; });
  svg.addEventListener("click", (event) => { if (drag) event.preventDefault(); drag = null; }, true);
  svg.addEventListener("dragstart", (event) => event.preventDefault());
  if (all("a", svg).some((link) => rowsOf(target(link)).some((row) => known.has(row)))) figure.prepend(legend());
  figure.querySelector("figcaption")?.append(" Drag over a panel to see the evidence of those days.");
}

if (rows.length > 1) {
  const first = rows[0].row.closest("section[id]") || rows[0].row.closest("section, .output");
  first.before(make("div", { class: "finder", id: "found", role: "search", "aria-label": "Evidence" }, search, from, to, legend()));
  document.querySelector("main").append(bar);
  narrow({});
  // A link to a sentence that is left out brings all of them back.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#"]');
    if (link && (target(link)?.closest("[hidden]") || rowsOf(target(link)).some((row) => row.hidden))) showAll();
  });
}

/* ---- Tables: a heading sorts, and a long table has a search of its own. */

function keyOf(cell) {
  const text = words(cell?.textContent || "");
  const number = text.replace(/−/g, "-").replace(/,(?=\d{3})/g, "").match(/^[+-]?\d*\.?\d+/);
  return dayOf(text) || (number ? Number(number[0]) : text.toLowerCase());
}
function compare(a, b) {
  if (a === "" || b === "") return (a === "") - (b === ""); // empty cells last
  if (typeof a === typeof b) return a < b ? -1 : a > b ? 1 : 0;
  return typeof a === "number" ? -1 : 1;
}

for (const table of all("main table")) {
  const tableRows = [...table.tBodies].flatMap((body) => [...body.rows]);
  const headings = table.tHead ? [...table.tHead.rows[0].cells] : [];
  if (tableRows.length < 3 || table.querySelector("[rowspan], [colspan]")) continue;
  headings.forEach((heading, column) => {
    if (!heading.textContent.trim()) return;
    const button = make("button", { type: "button", class: "sort", onclick: () => {
      const way = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      headings.forEach((each) => each.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", way === 1 ? "ascending" : "descending");
      // What led to a body of rows now leads to its first.
      for (const body of [...table.tBodies].filter((each) => each.id && each.rows.length)) {
        body.rows[0].id ||= body.id;
        body.removeAttribute("id");
      }
      const keyed = tableRows.map((each) => [keyOf(each.cells[column]), each]);
      keyed.sort(([a], [b]) => (a === "" || b === "" ? compare(a, b) : way * compare(a, b)));
      table.tBodies[0].append(...keyed.map(([, each]) => each));
    } }, ...heading.childNodes);
    heading.append(button);
  });
  if (tableRows.length > 12 && !table.matches(".evidence")) {
    const name = table.caption ? words(table.caption.textContent).slice(0, 60) : "this table";
    const found = make("p", { role: "status" });
    const input = make("input", { type: "search", "aria-label": `Search ${name}`, oninput: () => {
      let shown = 0;
      for (const each of tableRows) {
        each.hidden = !each.textContent.toLowerCase().includes(input.value.toLowerCase());
        shown += !each.hidden;
      }
      found.textContent = input.value ? `${shown} of ${tableRows.length} rows` : "";
    } });
    (table.closest(".scroll") || table).before(make("div", { class: "finder" }, make("label", {}, "Search the table ", input), found));
  }
}

/* ---- The home page: pages by word, negotiation, issue and kind. */

const finder = document.querySelector(".finder[hidden]");
if (finder) {
  finder.hidden = false;
  const fields = all("input, select", finder), items = all(".pages > li");
  finder.addEventListener("input", () => {
    let shown = 0;
    for (const item of items) {
      item.hidden = !fields.every(({ name, value }) => !value || (
        name === "words" ? words(item.textContent).toLowerCase().includes(value.toLowerCase())
          : name === "kind" ? item.dataset.kind === value
            : item.dataset[name].split(" ").includes(value)));
      shown += !item.hidden;
    }
    for (const kind of all(".kind")) kind.hidden = !kind.querySelector("li:not([hidden])");
    const isNarrow = fields.some((each) => each.value);
    finder.querySelector("[role=status]").textContent = isNarrow ? `${shown} of ${items.length} pages` : "";
  });
}
