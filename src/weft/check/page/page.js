"use strict";
(() => {
  const root = document.documentElement;
  const all = (what, from = document) => [...from.querySelectorAll(what)];
  const one = (what, from = document) => from.querySelector(what);
  root.classList.add("scripted");

  const themes = ["auto", "light", "dark"];
  const theme = one("#theme");
  theme.addEventListener("click", () => {
    const next = themes[(themes.indexOf(root.dataset.theme || "auto") + 1) % themes.length];
    if (next === "auto") delete root.dataset.theme;
    else root.dataset.theme = next;
    theme.textContent = `Colours: ${next}`;
    theme.setAttribute("aria-label", next === "auto" ? "Colours: as the system has them" : `Colours: ${next}`);
  });

  const figures = all(".figure");
  if (!figures.length) return;
  const tabs = all("[role=tab]");
  const scrub = one("#scrub");
  const status = one("#status");
  const state = one(".state");
  const hint = status.textContent;
  const steps = new Map(figures.map((figure) => [figure, all(".row:not(.fold)", figure)]));
  const rowsOf = new Map(figures.map((figure) => [figure, all(".row", figure)]));
  const cursors = new Map(figures.map((figure) => [figure, -1])); // -1: no step is singled out
  const lines = new Map(all("[data-line]").map((line) => [line.dataset.line, line]));
  let figure = figures[0];
  let marked = [];

  const text = (what, row) => (one(what, row) || {textContent: ""}).textContent.trim();

  const element = (tag, words, name) => {
    const made = document.createElement(tag);
    made.textContent = words;
    if (name) made.className = name;
    return made;
  };

  // Where each thread stands: its last row so far, and what it holds and waits for in this one.
  const tell = (row) => {
    const rows = rowsOf.get(figure);
    const here = rows.indexOf(row);
    const lanes = all(".lane", figure);
    const bars = all("i[data-lane]", row);
    const places = lanes.map(() => null);
    for (let i = 0; i <= here; i++) if (rows[i].dataset.lane) places[rows[i].dataset.lane] = rows[i];
    state.replaceChildren(...lanes.map((lane, number) => {
      const item = document.createElement("li");
      item.style.cssText = `--c:${lane.style.getPropertyValue("--c")}`;
      item.append(element("b", text("b", lane)));
      const at = places[number];
      if (at) item.append(` ${text(".place", at)}: `, element("code", text("code", at)));
      for (const bar of bars) {
        if (Number(bar.dataset.lane) !== number) continue;
        item.append(element("span", bar.title, bar.classList.contains("waits") ? "stuck" : ""));
      }
      if (at && at.matches(".waits, .fails")) item.append(element("span", text(".what", at), "stuck"));
      const line = at && lines.get(at.dataset.at);
      if (line) {
        const label = element("em", text("b", lane));
        for (const each of at === row || !line.matches(".now") ? [label, line] : [label]) {
          each.style.setProperty("--c", lane.style.getPropertyValue("--c"));
        }
        line.classList.add(at === row ? "now" : "at");
        line.append(label);
        marked.push(line);
      }
      return item;
    }));
  };

  const show = (scroll) => {
    const list = steps.get(figure);
    const at = cursors.get(figure);
    const row = list[at];
    for (const line of marked) {
      line.classList.remove("now", "at");
      all("em", line).forEach((each) => each.remove());
    }
    marked = [];
    let later = false;
    for (const each of rowsOf.get(figure)) {
      each.classList.toggle("later", later);
      each.classList.toggle("now", each === row);
      if (each === row) { later = true; each.setAttribute("aria-current", "step"); }
      else each.removeAttribute("aria-current");
    }
    const reached = rowsOf.get(figure).indexOf(row);
    all("[data-until]", figure).forEach((each) => each.classList.toggle("later", Boolean(row) && each.dataset.until > reached));
    scrub.max = list.length;
    scrub.value = at + 1;
    one("[data-go=back]").disabled = at <= 0;
    one("[data-go=forward]").disabled = at >= list.length - 1;
    if (!row) { status.textContent = hint; state.replaceChildren(); return; }
    const number = text(".number", row);
    status.textContent = `${at + 1} of ${list.length}${number ? `, step ${number}` : ""}: ${row.dataset.name}, `
      + `${text(".place", row)}: ${text("code", row)} (${text(".what", row)})`;
    scrub.setAttribute("aria-valuetext", status.textContent);
    tell(row);
    if (!scroll) return;
    row.scrollIntoView({block: "nearest"});
    const line = lines.get(row.dataset.at);
    const aside = one("aside");
    if (line && aside.scrollHeight > aside.clientHeight) aside.scrollTop += line.getBoundingClientRect().top - aside.getBoundingClientRect().top - aside.clientHeight / 2;
  };

  const go = (to) => {
    const last = steps.get(figure).length - 1;
    const at = cursors.get(figure);
    const next = {first: 0, back: Math.max(0, at - 1), forward: Math.min(last, at + 1), last, none: -1}[to];
    cursors.set(figure, next);
    show(true);
  };

  const choose = (index) => {
    figure = figures[index];
    figures.forEach((each) => { each.hidden = each !== figure; });
    tabs.forEach((tab, number) => {
      tab.setAttribute("aria-selected", String(number === index));
      tab.tabIndex = number === index ? 0 : -1;
    });
    show(false);
  };

  tabs.forEach((tab, index) => tab.addEventListener("click", () => choose(index)));
  all("[data-go]").forEach((button) => button.addEventListener("click", () => go(button.dataset.go)));
  scrub.addEventListener("input", () => { cursors.set(figure, Number(scrub.value) - 1); show(true); });
  for (const each of figures) {
    each.addEventListener("click", (event) => {
      const row = event.target.closest(".row:not(.fold)");
      if (!row || String(getSelection())) return;
      cursors.set(figure, steps.get(figure).indexOf(row));
      show(false);
    });
  }
  const keys = {ArrowDown: "forward", ArrowRight: "forward", j: "forward", ArrowUp: "back", ArrowLeft: "back", k: "back",
    Home: "first", End: "last", Escape: "none"};
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("input")) return;
    const sideways = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (sideways && event.target.matches("[role=tab]")) {
      const next = (figures.indexOf(figure) + sideways + tabs.length) % tabs.length;
      choose(next);
      tabs[next].focus();
    } else if (keys[event.key]) go(keys[event.key]);
    else return;
    event.preventDefault();
  });
  choose(0);
})();
