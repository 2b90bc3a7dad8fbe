// What a person does.
const box = one("#lanes");
const status = one("#status");
const panel = one("#panel");

// -- what is seen ----------------------------------------------------------------------------------------------

const SHORTEST = 20; // ticks that the window is wide at least
const show = (from, to) => {
  let span = Math.min(END, Math.max(SHORTEST, to - from));
  const start = Math.min(Math.max(0, from), END - span);
  view.from = start;
  view.to = start + span;
  redraw();
};
const zoom = (factor, around = (view.from + view.to) / 2) => show(around - (around - view.from) * factor, around + (view.to - around) * factor);
const pan = (part) => { const by = (view.to - view.from) * part; show(view.from + by, view.to + by); };

const scrollToRow = (row) => {
  const y = row * ROW;
  if (y < box.scrollTop + ROW || y > box.scrollTop + box.clientHeight - 2 * ROW) box.scrollTop = y - box.clientHeight / 2;
};

const openGroupOf = (lane) => {
  const group = lane.kind === "carrier" ? carrierGroup : groupsByNumber.get(data.lives[lane.number][1]);
  if (!group.open) { group.open = true; buildRows(); resize(); }
};

const revealLane = (lane) => {
  if (!rowOfLane.has(lane) && search.text) searchFor("");
  openGroupOf(lane);
  choose(null, lane);
  scrollToRow(rowOfLane.get(lane));
  one(".stage").scrollIntoView({block: "nearest"});
  box.focus({preventScroll: true});
};

const revealSlice = (slice, wide = false) => {
  if (!rowOfLane.has(slice.lane) && search.text) searchFor("");
  openGroupOf(slice.lane);
  const length = slice.end - slice.begin;
  const span = view.to - view.from;
  if (wide || length > span || length < span / 400) show(slice.begin - Math.max(length, SHORTEST) * 0.6, slice.end + Math.max(length, SHORTEST) * 0.6);
  else if (slice.begin < view.from || slice.end > view.to) show((slice.begin + slice.end - span) / 2, (slice.begin + slice.end + span) / 2);
  choose(slice);
  scrollToRow(rowOfLane.get(slice.lane));
  one(".stage").scrollIntoView({block: "nearest"});
  box.focus({preventScroll: true});
};

// What a thread did at a moment; it is looked for just before the end where that is where a slice ends.
const revealMoment = (thread, begin, end) => {
  const lane = lanes[thread];
  if (!lane) { status.textContent = `${threadOf(thread)} has no lane on this page`; return; }
  if (end !== undefined) show(begin - (end - begin) * 0.6, end + (end - begin) * 0.6);
  const slice = lane.near(begin);
  if (slice) revealSlice(slice);
  else revealLane(lane);
};

// -- the panel -------------------------------------------------------------------------------------------------

const fact = (word, ...content) => [make("dt", {}, word), make("dd", {}, ...content)];
const WOKEN = 8;

const sliceFacts = (slice) => {
  const {lane, what} = slice;
  const rowsOf = [...fact(lane.kind, lane.kind === "thread" ? button(lane.name, () => revealLane(lane)) : lane.name),
    ...fact("takes", duration(slice.end - slice.begin)), ...fact("from", moment(slice.begin)), ...fact("to", moment(slice.end))];
  if (what === READY) return [...rowsOf, ...fact("", "It could run, and its carrier ran others.")];
  if (what === BLEND) {
    const [ran, parked, count] = lane.blends.slice(lane.blendAt[slice.index], lane.blendAt[slice.index] + 3);
    return [...rowsOf, ...fact("ran", duration(ran)), ...fact("parked", duration(parked)),
      ...fact("", `${plural(count, "slice")}, too short to be drawn one by one here; the file for Perfetto has them.`)];
  }
  const detail = data.details[what];
  if (detail[0] === "t") return [...rowsOf, ...fact("ran", threadButton(detail[1]))];
  if (detail[0] === "r") {
    const carrier = carriers.find((each) => each.number === detail[1]);
    const [woke, count] = wokenDuring(slice, WOKEN);
    chosen.woke = woke;
    return [...rowsOf, ...fact("on", carrier ? carrier.name : `carrier ${detail[1]}`),
      ...(count ? fact("woke", make("ul", {}, ...woke.map((each) => make("li", {}, button(each.lane.name, () => revealSlice(each)), `: ${waitWords(data.details[each.what])}`)),
        count > woke.length ? make("li", {}, `and ${count - woke.length} more`) : "")) : [])];
  }
  const [, , object, place, holder, by, byPlace, cause] = detail;
  const waker = by < 0 ? ENDINGS[cause] || cause
    : make("span", {}, by < lanes.length ? button(threadOf(by), () => revealMoment(by, slice.end), {id: "to-waker", title: "Go to what it did then"}) : threadOf(by));
  return [...rowsOf, ...(object >= 0 ? fact("object", button(objectOf(object), () => searchFor(objectOf(object)), {title: "Show all its waits"})) : []),
    ...(place >= 0 ? fact("at", make("code", {}, placeOf(place))) : []),
    ...(holder >= 0 ? fact("held by", threadButton(holder)) : []),
    ...fact(by < 0 ? "ended by" : "woken by", waker),
    ...(byPlace >= 0 ? fact("with the call at", make("code", {}, placeOf(byPlace))) : [])];
};

const laneFacts = (lane) => {
  if (lane.kind !== "thread") return fact("carrier", lane.name);
  const life = data.lives[lane.number];
  const parked = parkedOf(life);
  return [...fact("first", moment(life[3])), ...fact("last", moment(life[4])),
    ...(life[11] >= 0 ? fact("started by", threadButton(life[11])) : []),
    ...(life[12] >= 0 ? fact("at", make("code", {}, placeOf(life[12]))) : []),
    ...fact(byItself ? "not parked" : "ran", duration(life[5])), ...fact("ready", duration(life[6])), ...fact("parked", duration(parked)),
    ...[...life[7]].sort((a, b) => b[1] - a[1]).flatMap(([reason, ticks]) => fact("", `${duration(ticks)} ${data.reasons[reason][1]}`)),
    ...(life[10] ? fact("preempted", `${life[10].toLocaleString("en")} times`) : []),
    ...(life[2] ? fact("", "It is a daemon.") : []),
    ...(life[15] !== null ? fact("ended with", life[15]) : life[14] ? fact("", "It still waits at the end.") : [])];
};

const choose = (slice, lane = null) => {
  chosen.slice = slice;
  chosen.lane = slice ? slice.lane : lane;
  chosen.woke = [];
  if (slice) {
    const title = titleOf(slice);
    panel.replaceChildren(make("h2", {}, title), make("dl", {}, ...sliceFacts(slice)));
    status.textContent = `${slice.lane.name}: ${title}, ${duration(slice.end - slice.begin)} from ${moment(slice.begin)}`;
  } else if (lane) {
    panel.replaceChildren(make("h2", {}, lane.name), make("dl", {}, ...laneFacts(lane)));
    status.textContent = lane.name;
  } else {
    panel.replaceChildren(make("p", {class: "faint"}, "Click on a slice for what it is: who waited, for what, at which line, who held it and who ended the wait."));
    status.textContent = "";
  }
  redraw();
};

// -- search ----------------------------------------------------------------------------------------------------

const field = one("#search");
const applySearch = () => {
  search.text = field.value.trim().toLowerCase();
  findDetails();
  buildRows();
  box.scrollTop = 0;
  resize();
  one("#found").textContent = search.text ? `${plural(search.threads, "thread")}, ${plural(search.hits, "wait")}` : "";
};
const searchFor = (text) => { field.value = text; applySearch(); };

const nextHit = (way) => {
  if (!search.text) return;
  const now = chosen.slice ? [chosen.slice.begin, rowOfLane.get(chosen.slice.lane) ?? -1] : [way > 0 ? -1 : Infinity, -1];
  let best = null;
  const better = (a, b) => way * (a[0] - b[0] || a[1] - b[1]) > 0;
  for (const [lane, row] of rowOfLane) {
    if (lane.kind !== "thread") continue;
    for (let i = 0; i < lane.count; i++) {
      if (lane.what[i] < 0 || !search.details[lane.what[i]]) continue;
      const key = [lane.begin[i], row];
      if (better(key, now) && (!best || better(best[0], key))) best = [key, lane.slice(i)];
    }
  }
  if (best) revealSlice(best[1]);
  else status.textContent = way > 0 ? "No further wait matches." : "No wait before this one matches.";
};
let typed = 0;
field.addEventListener("input", () => { clearTimeout(typed); typed = setTimeout(applySearch, 120); });
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter") { clearTimeout(typed); if (field.value.trim().toLowerCase() !== search.text) applySearch(); nextHit(event.shiftKey ? -1 : 1); field.focus(); }
  else if (event.key === "Escape") { searchFor(""); box.focus(); }
  else return;
  event.preventDefault();
  event.stopPropagation();
});

// -- the pointer -----------------------------------------------------------------------------------------------

const tip = one("#tip");
const under = (event) => {
  const area = box.getBoundingClientRect();
  const [px, py] = [event.clientX - area.left, event.clientY - area.top];
  const row = rows[Math.floor((py + box.scrollTop) / ROW)];
  if (!row || px < view.gutter || px > view.width) return null;
  if (row.kind === "group") return {row};
  const time = timeAt(px);
  const per = (view.to - view.from) / (view.width - view.gutter);
  // What is too short to be hit stands within two pixels.
  const slice = row.lane.pick(time);
  if (slice && slice.what !== READY) return {row, slice};
  const [a, b] = [row.lane.at(time + 2 * per), row.lane.at(time)];
  const close = a > b ? row.lane.slice(b + 1) : b >= 0 && time - row.lane.end[b] < 2 * per ? row.lane.slice(b) : null;
  return {row, slice: close || slice};
};

let drag = null;
box.addEventListener("pointerdown", (event) => {
  if (event.button || event.target.closest("#labels")) return;
  const area = box.getBoundingClientRect();
  if (event.clientX - area.left >= box.clientWidth) return; // the scroll bar
  drag = {x: event.clientX, y: event.clientY, from: view.from, to: view.to, top: box.scrollTop, moved: false, select: event.shiftKey};
  box.setPointerCapture(event.pointerId);
});
box.addEventListener("pointermove", (event) => {
  if (drag) {
    if (Math.abs(event.clientX - drag.x) + Math.abs(event.clientY - drag.y) > 4) drag.moved = true;
    if (!drag.moved) return;
    tip.hidden = true;
    if (drag.select) { mark(drag.x, event.clientX); return; }
    const by = (drag.x - event.clientX) * (drag.to - drag.from) / (view.width - view.gutter);
    show(drag.from + by, drag.to + by);
    box.scrollTop = drag.top + drag.y - event.clientY;
    return;
  }
  const found = under(event);
  tip.hidden = !found;
  if (!found) return;
  const words = found.slice ? [make("b", {}, titleOf(found.slice)), ` ${duration(found.slice.end - found.slice.begin)}`] : [found.row.name];
  const detail = found.slice && found.slice.what >= 0 ? data.details[found.slice.what] : null;
  if (detail && detail[0] === "w") {
    if (detail[3] >= 0) words.push(make("div", {}, `at ${briefPlace(detail[3])}`));
    if (detail[4] >= 0) words.push(make("div", {}, `held by ${threadOf(detail[4])}`));
    if (detail[5] >= 0) words.push(make("div", {}, `woken by ${threadOf(detail[5])}${detail[6] >= 0 ? ` at ${briefPlace(detail[6])}` : ""}`));
  }
  tip.replaceChildren(make("div", {class: "faint"}, found.row.name), ...words);
  const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
  const below = event.clientY + 16 + tip.offsetHeight < innerHeight;
  tip.style.left = `${Math.max(4, left)}px`;
  tip.style.top = `${below ? event.clientY + 16 : event.clientY - tip.offsetHeight - 10}px`;
});
box.addEventListener("pointerleave", () => { tip.hidden = true; });
box.addEventListener("pointerup", (event) => {
  const was = drag;
  drag = null;
  one("#mark").hidden = true;
  if (!was) return;
  if (was.moved) { if (was.select) showBetween(was.x, event.clientX); return; }
  const found = under(event);
  if (found && found.row.kind === "group") toggle(found.row);
  else choose(found && found.slice ? found.slice : null, found ? found.row.lane : null);
});
box.addEventListener("pointercancel", () => { drag = null; one("#mark").hidden = true; });
box.addEventListener("dblclick", (event) => { const found = under(event); if (found && found.slice) revealSlice(found.slice, true); });

// A piece of time is marked by dragging over the ruler, or over lanes with Shift.
const mark = (a, b) => {
  const area = one(".stage").getBoundingClientRect();
  const [left, right] = [Math.min(a, b), Math.max(a, b)];
  Object.assign(one("#mark").style, {left: `${left - area.left}px`, width: `${right - left}px`});
  one("#mark").hidden = false;
};
const showBetween = (a, b) => {
  const area = box.getBoundingClientRect();
  const [from, to] = [timeAt(Math.min(a, b) - area.left), timeAt(Math.max(a, b) - area.left)];
  show(Math.max(0, from), to);
};
const ruler = one("#ruler");
let span = null;
ruler.addEventListener("pointerdown", (event) => { span = event.clientX; ruler.setPointerCapture(event.pointerId); });
ruler.addEventListener("pointermove", (event) => { if (span !== null) mark(span, event.clientX); });
ruler.addEventListener("pointerup", (event) => {
  one("#mark").hidden = true;
  if (span !== null && Math.abs(event.clientX - span) > 4) showBetween(span, event.clientX);
  span = null;
});

const overview = one("#overview");
let moving = false;
const centre = (event) => {
  const area = overview.getBoundingClientRect();
  const time = (event.clientX - area.left) / area.width * END;
  const half = (view.to - view.from) / 2;
  show(time - half, time + half);
};
overview.addEventListener("pointerdown", (event) => { moving = true; overview.setPointerCapture(event.pointerId); centre(event); });
overview.addEventListener("pointermove", (event) => { if (moving) centre(event); });
overview.addEventListener("pointerup", () => { moving = false; });

const wheel = (plain) => (event) => {
  const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
  if (event.ctrlKey || event.metaKey || (plain && !sideways)) {
    const area = box.getBoundingClientRect();
    zoom(1.0015 ** (event.deltaMode ? event.deltaY * 30 : event.deltaY), timeAt(Math.max(view.gutter, event.clientX - area.left)));
  } else if (sideways) pan((event.deltaX || event.deltaY) / 800);
  else return; // rows are scrolled, or the page is
  event.preventDefault();
};
box.addEventListener("wheel", wheel(false), {passive: false});
ruler.addEventListener("wheel", wheel(true), {passive: false});
overview.addEventListener("wheel", wheel(true), {passive: false});
box.addEventListener("scroll", redraw);

const toggle = (row) => { row.group.open = !row.group.open; buildRows(); resize(); };
one("#labels").addEventListener("click", (event) => {
  const at = event.target.closest("[data-row]");
  if (!at) return;
  const row = rows[at.dataset.row];
  if (row.kind === "group") toggle(row);
  else choose(null, row.lane);
  box.focus({preventScroll: true});
});

// -- keys ------------------------------------------------------------------------------------------------------

const stepSlice = (way) => {
  const slice = chosen.slice;
  if (!slice) { const lane = chosen.lane || lanes[0]; const near = lane && lane.near(view.from); if (near) revealSlice(near); return; }
  const next = slice.what === READY && way < 0 ? slice.index : slice.index + way;
  if (next >= 0 && next < slice.lane.count) revealSlice(slice.lane.slice(next));
  else status.textContent = way > 0 ? "This was the last of its lane." : "This was the first of its lane.";
};
const stepRow = (way) => {
  let row = chosen.lane ? (rowOfLane.get(chosen.lane) ?? -1) + way : way > 0 ? 0 : rows.length - 1;
  while (rows[row] && rows[row].kind === "group") row += way;
  if (!rows[row]) return;
  const lane = rows[row].lane;
  const time = chosen.slice ? chosen.slice.begin : null;
  const slice = time === null ? null : lane.pick(time);
  choose(slice, lane);
  scrollToRow(row);
};
const toWaker = () => {
  const slice = chosen.slice;
  const detail = slice && slice.what >= 0 ? data.details[slice.what] : null;
  if (detail && detail[0] === "w" && detail[5] >= 0) revealMoment(detail[5], slice.end);
  else status.textContent = "No thread ended this.";
};
const togglePath = () => { chosen.path = !chosen.path; one("#path").setAttribute("aria-pressed", String(chosen.path)); redraw(); };
const keys = {"+": () => zoom(0.5), "=": () => zoom(0.5), w: () => zoom(0.5), "-": () => zoom(2), s: () => zoom(2),
  ArrowLeft: () => pan(-0.2), a: () => pan(-0.2), ArrowRight: () => pan(0.2), d: () => pan(0.2), ArrowUp: () => stepRow(-1), ArrowDown: () => stepRow(1),
  k: () => stepRow(-1), j: () => stepRow(1), ".": () => stepSlice(1), ",": () => stepSlice(-1), Enter: toWaker, u: toWaker, c: togglePath,
  0: () => show(0, END), Home: () => show(0, END), f: () => { if (chosen.slice) revealSlice(chosen.slice, true); },
  n: () => nextHit(1), N: () => nextHit(-1), "/": () => { field.focus(); field.select(); }, Escape: () => { searchFor(""); choose(null); }};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("input")) return;
  if (event.target.matches("button, summary") && (event.key === "Enter" || event.key === " ")) return;
  if (!keys[event.key]) return;
  if (/^(Arrow|Home)/.test(event.key) && !event.target.matches("#lanes, body")) return;
  keys[event.key]();
  event.preventDefault();
});
for (const [name, key] of [["in", "+"], ["out", "-"], ["fit", "0"], ["path", "c"]]) one(`#${name}`).addEventListener("click", keys[key]);

// -- colours, paper, size ----------------------------------------------------------------------------------------

const themes = ["auto", "light", "dark"];
const theme = one("#theme");
const setTheme = (next) => {
  if (next === "auto") delete root.dataset.theme;
  else root.dataset.theme = next;
  readColours();
  draw();
};
theme.addEventListener("click", () => {
  const next = themes[(themes.indexOf(root.dataset.theme || "auto") + 1) % themes.length];
  setTheme(next);
  theme.textContent = `Colours: ${next}`;
  theme.setAttribute("aria-label", next === "auto" ? "Colours: as the system has them" : `Colours: ${next}`);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); redraw(); });
let before = "auto";
addEventListener("beforeprint", () => { before = root.dataset.theme || "auto"; setTheme("light"); tables.forEach((each) => each.all()); });
addEventListener("afterprint", () => setTheme(before));
new ResizeObserver(redraw).observe(box);

readColours();
buildRows();
fillContention();
fillWaits();
fillThreads();
fillPath();
choose(null);
resize();
draw();
root.classList.add("scripted");
