"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const svgNamespace = "http://www.w3.org/2000/svg";
  const RAIL = 6; // px from the edge to the first lifeline
  const GAP = 12; // px between the lifelines of two connections
  const RAILS = 4; // connections beyond this share the innermost lifeline
  const COLOURS = 6;
  const LONG_CID = 16; // characters
  const peer = document.querySelector("h1").textContent;

  // Everything that a peer has sent reaches the page through these two, as text and never as markup.
  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }
  function drawn(tag, attributes = {}, ...children) {
    const made = document.createElementNS(svgNamespace, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  /* Text of ours in which `names` stand between backticks. */
  function prose(text) {
    return text.split("`").map((part, at) => (at % 2 ? element("code", {}, part) : part));
  }

  /* One case, drawn when it is first opened. */

  function clauseList(entry, ids) {
    const list = element("ul", { class: "clauses" });
    for (const id of ids) {
      const clause = data.clauses[id];
      if (!clause) continue;
      const how = entry.fl.includes(id) ? "fail" : entry.wl.includes(id) ? "warn" : "";
      const item = element("li", how ? { class: `is-${how}` } : {});
      item.append(element("a", { class: "clause", href: `#c=${id}` }, id), " ");
      item.append(element("span", { class: "level" }, clause.l));
      if (how) item.append(element("span", { class: "verdict" }, how === "fail" ? "broken: " : "not kept: "));
      item.append(...prose(clause.t));
      if (clause.w) item.append(element("span", { class: "rationale" }, ...prose(`Why: ${clause.w}`)));
      list.append(item);
    }
    return list;
  }

  function diagram(entry) {
    const { talk } = entry;
    if (!talk.length) return element("p", { class: "soft" }, "No message was exchanged.");
    if (typeof talk[0] === "string") return element("pre", { class: "text" }, talk.join("\n"));
    const drawing = new Drawing(entry);
    return drawing.list();
  }

  class Drawing {
    constructor(entry) {
      this.entry = entry;
      this.suite = entry.suite;
      this.calls = new Map();
      this.wrong = new Set(entry.talk.filter((row) => row.at !== undefined).map((row) => row.at));
      this.lives = lifelines(entry.talk);
      this.inset = RAIL + GAP * (Math.min(RAILS, Math.max(1, this.lives.size)) - 1) + 10;
    }

    list() {
      const list = element("ol", { class: "talk", "aria-label": `Conversation of the suite with ${peer}` });
      list.append(element("li", { class: "actors" }, element("span", {}, "suite"), element("span", {}, peer)));
      const rows = this.entry.talk;
      let failed = false;
      for (let at = 0; at < rows.length; at += 1) {
        const until = failed ? at : fenceEnd(rows, at);
        const item = until > at ? this.fence(rows.slice(at, until), at) : this.item(rows[at], at);
        if (failed) item.classList.add("after");
        failed = failed || rows[at].x !== undefined;
        list.append(item);
        if (until > at) at = until - 1;
      }
      return list;
    }

    item(row, at) {
      if (row.x !== undefined) return this.failure(row, at);
      if (row.cut !== undefined) return this.plain(cutText(row), at);
      return this.message(row, at);
    }

    message(row, at) {
      const fromSuite = row.d === this.suite;
      const flags = row.f || [];
      const bad = flags.some((flag) => flag.d !== this.suite) || this.wrong.has(row.s);
      const item = element("li", { class: [fromSuite ? "to-peer" : "to-suite", this.colour(row.i)].join(" ") });
      if (bad) item.classList.add("wrong");
      if (row.fold) item.classList.add("fold");
      item.append(this.rails(at));
      const say = element(row.b ? "button" : "div", { class: "say" });
      say.style.paddingInline = `${this.inset}px`;
      say.append(...this.label(row), this.arrow(row, fromSuite));
      item.append(say);
      for (const flag of flags) item.append(this.inset_(flagText(flag, flag.d === this.suite)));
      if (row.b) this.unfolding(say, item, row, fromSuite);
      return item;
    }

    label(row) {
      const parts = row.s === undefined ? [] : [element("span", { class: "seq" }, row.s), " "];
      const name = row.fold ? `… ${row.fold} more ${row.k.toUpperCase()}` : kindText(row);
      parts.push(element("span", { class: "kind" }, name));
      if (row.v) parts.push(" ", element("span", { class: "value" }, row.v));
      if (row.i) parts.push(" ", element("span", { class: "cid", title: row.i }, this.callName(row.i)));
      if (this.lives.size > 1) parts.push(" ", element("span", { class: "conn" }, `on ${row.c}`));
      return parts;
    }

    arrow(row, fromSuite) {
      const offset = this.offset(row.c);
      const arrow = drawn("svg", { class: "arrow", "aria-hidden": "true" });
      arrow.style.left = `${offset}px`;
      arrow.style.width = `calc(100% - ${2 * offset}px)`;
      arrow.append(drawn("line", { x1: "0", x2: "100%", y1: "6", y2: "6" }));
      const end = drawn("svg", { x: fromSuite ? "100%" : "0", overflow: "visible" });
      const towards = fromSuite ? -1 : 1;
      if (row.k === "eof") {
        for (const dip of [-4, 4]) end.append(drawn("line", { x1: 6 * towards - 4, x2: 6 * towards + 4, y1: 6 - dip, y2: 6 + dip }));
      } else {
        end.append(drawn("path", { d: `M0 6l${8 * towards} -4v8z` }));
      }
      arrow.append(end);
      return arrow;
    }

    unfolding(say, item, row, fromSuite) {
      const sender = fromSuite ? "the suite" : "the peer";
      say.type = "button";
      say.setAttribute("aria-expanded", "false");
      say.title = `${row.n} bytes; show them`;
      let dump = null;
      say.addEventListener("click", () => {
        if (!dump) {
          dump = this.inset_(hexDump(row));
          dump.setAttribute("aria-label", `Bytes of message ${row.s} by ${sender}`);
          say.after(dump);
        } else {
          dump.hidden = !dump.hidden;
        }
        say.setAttribute("aria-expanded", String(!dump.hidden));
      });
    }

    failure(row, at) {
      const id = row.cl || "";
      const flag = element("p", { class: "flag" }, element("b", {}, `✗ Here it failed${id ? `: ${id}` : ""}`), ` ${row.x}`);
      return element("li", { class: "mark" }, this.rails(at), this.inset_(flag));
    }

    plain(text, at) {
      return element("li", { class: "plain" }, this.rails(at), this.inset_(element("div", {}, text)));
    }

    fence(rows, at) {
      const inner = element("ol");
      for (const [index, row] of rows.entries()) inner.append(this.item(row, at + index));
      const text = `a sane exchange on a fresh connection (${rows.length} messages)`;
      const fold = element("details", {}, element("summary", {}, text), inner);
      return element("li", { class: "fence" }, this.rails(at), this.inset_(fold));
    }

    inset_(child) {
      child.style.marginInline = `${this.inset}px`;
      return child;
    }

    offset(connection) {
      return this.lives.has(connection) ? RAIL + GAP * this.lives.get(connection).rail : RAIL;
    }

    rails(at) {
      const rails = drawn("svg", { class: "rails", "aria-hidden": "true" });
      const right = drawn("svg", { x: "100%", overflow: "visible" });
      for (const life of this.lives.values()) {
        if (at < life.first || at > life.last) continue;
        const x = RAIL + GAP * life.rail;
        rails.append(drawn("line", { x1: x, x2: x, y1: "0", y2: "100%" }));
        right.append(drawn("line", { x1: -x, x2: -x, y1: "0", y2: "100%" }));
      }
      rails.append(right);
      return rails;
    }

    number(cid) {
      if (!this.calls.has(cid)) this.calls.set(cid, this.calls.size);
      return this.calls.get(cid);
    }

    colour(cid) {
      return cid ? `k${this.number(cid) % COLOURS}` : "";
    }

    /* A cid as the suite writes it names its call; a longer one is numbered, and whole in the bytes. */
    callName(cid) {
      const short = cid.replace(/-[0-9a-f]{12}$/, "");
      return short.length > LONG_CID ? `call ${this.number(cid) + 1}` : short;
    }
  }

  /* Each connection of the case has its pair of lifelines; the fences, folded, have none of their own. */
  function lifelines(rows) {
    const lives = new Map();
    rows.forEach((row, at) => {
      if (row.c === undefined || row.c.startsWith("fence")) return;
      if (!lives.has(row.c)) lives.set(row.c, { rail: Math.min(lives.size, RAILS - 1), first: at, last: at });
      lives.get(row.c).last = at;
    });
    return lives;
  }

  function fenceEnd(rows, from) {
    let at = from;
    while (at < rows.length && rows[at].c && rows[at].c.startsWith("fence") && !rows[at].f) at += 1;
    return at;
  }

  function kindText(row) {
    if (row.k === "eof") return "closes";
    if (row.k === "bad") return `${row.n} bytes that are no message`;
    if (row.k === "note") return "";
    return row.k.toUpperCase();
  }

  function cutText(row) {
    if (row.full) return `${row.cut} messages: left out, for the page would become too long. Run just this case to see them.`;
    return `… ${row.cut} messages are left out here`;
  }

  function flagText(flag, bySuite) {
    const clause = data.clauses[flag.cl];
    const how = bySuite ? "meant" : flag.l === "MUST" ? "" : "should";
    const text = element("p", { class: `flag ${how}` });
    if (bySuite) {
      text.append(element("b", {}, `The suite breaks ${flag.cl} here on purpose`), `: ${flag.t}`);
    } else {
      text.append(element("b", {}, `✗ breaks ${flag.cl}`), `: ${flag.t}`);
      if (clause) text.append(element("br"), ...prose(clause.t));
    }
    return text;
  }

  function hexDump(row) {
    const bytes = Uint8Array.from(atob(row.b), (char) => char.charCodeAt(0));
    const wide = window.matchMedia("(min-width: 44rem)").matches ? 16 : 8;
    const dump = element("pre", { class: "hex", tabindex: "0", role: "region" });
    if (bytes.length >= 4) {
      const length = new DataView(bytes.buffer).getUint32(0, true);
      dump.append(element("span", { class: "len" }, hex(bytes.slice(0, 4))), element("span", { class: "note" }, `  length: ${length}\n`));
    }
    for (let at = bytes.length >= 4 ? 4 : 0; at < bytes.length; at += wide) {
      const part = bytes.slice(at, at + wide);
      dump.append(hex(part).padEnd(3 * wide - 1), element("span", { class: "ascii" }, `  ${ascii(part)}\n`));
    }
    const missing = row.n - bytes.length;
    if (missing > 0) dump.append(element("span", { class: "note" }, `… ${missing} more bytes are left out`));
    return dump;
  }

  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const ascii = (bytes) => Array.from(bytes, (byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");

  /* The list, its filters, and their state in the address. */

  const form = document.querySelector(".filters");
  const cases = Array.from(document.querySelectorAll("details.case"), (node) => ({
    node,
    text: node.textContent.toLowerCase(),
    clauses: node.dataset.c.split(" "),
  }));
  let byControl = false;

  function fill(node) {
    if (node.dataset.drawn) return;
    node.dataset.drawn = "yes";
    const entry = data.cases[node.id.slice("case-".length)];
    const broken = entry.cl.filter((id) => entry.fl.includes(id) || entry.wl.includes(id));
    const others = entry.cl.filter((id) => !broken.includes(id));
    node.querySelector(".drawn").append(clauseList(entry, broken), diagram(entry), clauseList(entry, others));
    const again = node.querySelector(".again");
    const copy = element("button", { type: "button", class: "copy" }, "copy");
    copy.addEventListener("click", () => copyText(again.querySelector("code"), copy));
    again.append(copy);
  }

  async function copyText(source, button) {
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = "copied";
    } catch {
      window.getSelection().selectAllChildren(source); // not allowed here: leave it selected, ready for the keyboard
      button.textContent = "selected";
    }
  }

  function readState() {
    const state = new URLSearchParams(location.hash.slice(1));
    return {
      verdicts: (state.get("v") || "").split(".").filter(Boolean),
      area: state.get("a") || "",
      level: state.get("l") || "",
      role: state.get("r") || "",
      clause: state.get("c") || "",
      text: state.get("q") || "",
      open: state.get("o") || "",
    };
  }

  function fits(item, state) {
    const { dataset } = item.node;
    return (
      (!state.verdicts.length || state.verdicts.includes(dataset.v)) &&
      (!state.area || dataset.a === state.area) &&
      (!state.level || dataset.l === state.level) &&
      (!state.role || dataset.r === state.role) &&
      (!state.clause || item.clauses.includes(state.clause)) &&
      state.text.toLowerCase().split(/\s+/).every((word) => item.text.includes(word) || dataset.c.toLowerCase().includes(word))
    );
  }

  function showControls(state) {
    for (const box of form.querySelectorAll("[name=v]")) box.checked = state.verdicts.includes(box.value);
    for (const [name, value] of [["a", state.area], ["l", state.level], ["r", state.role]]) {
      if (form.elements[name]) form.elements[name].value = value;
    }
    if (form.elements.q !== document.activeElement) form.elements.q.value = state.text;
    for (const cell of document.querySelectorAll("a.cell")) {
      cell.toggleAttribute("aria-current", Boolean(state.clause) && cell.hash === `#c=${state.clause}`);
    }
  }

  function apply() {
    const state = readState();
    let count = 0;
    for (const item of cases) {
      item.node.hidden = !fits(item, state);
      count += !item.node.hidden;
    }
    for (const part of document.querySelectorAll(".part")) {
      const left = part.querySelectorAll("details.case:not([hidden])").length;
      part.hidden = !left;
      part.querySelector(".count").textContent = left;
    }
    showControls(state);
    const clause = state.clause ? ` about ${state.clause}` : "";
    form.querySelector(".shown").textContent = `${count} of ${cases.length} cases${clause}`;
    form.querySelector(".reset").hidden = count === cases.length;
    document.querySelector(".nothing").hidden = count > 0;
    if (state.open) reveal(state.open);
    else if (!byControl && location.hash.length > 1) document.getElementById("cases").scrollIntoView();
    byControl = false;
  }

  function reveal(id) {
    const node = document.getElementById(`case-${id}`);
    if (!node) return;
    node.hidden = false;
    node.closest(".part").hidden = false;
    node.open = true;
    fill(node);
    node.scrollIntoView();
    node.querySelector("summary").focus({ preventScroll: true });
  }

  function controlsChanged() {
    const state = new URLSearchParams();
    const verdicts = Array.from(form.querySelectorAll("[name=v]:checked"), (box) => box.value);
    if (verdicts.length) state.set("v", verdicts.join("."));
    for (const name of ["a", "l", "r", "q"]) {
      const value = form.elements[name] ? form.elements[name].value.trim() : "";
      if (value) state.set(name, value);
    }
    const { clause } = readState();
    if (clause) state.set("c", clause);
    const next = state.size ? `#${state}` : "#all"; // no element has that id: the page stays where it is
    if (next === location.hash) return;
    byControl = true;
    location.replace(next);
  }

  for (const { node } of cases) node.addEventListener("toggle", () => node.open && fill(node));
  form.addEventListener("input", controlsChanged);
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", apply);
  form.hidden = false;
  apply();
})();
