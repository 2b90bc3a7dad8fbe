// Draws the lanes, the ruler above them and the overview.
const ROW = 22; // pixels
const MARKS = 400; // preemptions that are marked at once: of more one would see nothing
const view = {from: 0, to: END, width: 800, height: 400, top: 0, gutter: 220};
const chosen = {slice: null, lane: null, path: true, hover: null};

const probe = make("span", {class: "probe"});
document.body.append(probe);
let colours = {};
// A canvas cannot read light-dark(): the browser is asked what each colour is just now.
const readColours = () => {
  const names = ["paper", "ink", "faint", "line", "soft", "box", "focus", "path", "run", "ready", "lock", "event", "queue", "join", "sleep",
    "machine", "other", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "onrun", "onwait"];
  colours = {};
  for (const name of names) {
    probe.style.color = `var(--${name})`;
    colours[name] = getComputedStyle(probe).color;
  }
};

const x = (time) => view.gutter + (time - view.from) / (view.to - view.from) * (view.width - view.gutter);
const timeAt = (px) => view.from + (px - view.gutter) / (view.width - view.gutter) * (view.to - view.from);

const fit = (canvas, width, height) => {
  const ratio = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = "12px system-ui, sans-serif";
  pen.textBaseline = "middle";
  return pen;
};

const colourOf = (detail) => detail[0] === "r" ? colours.run : detail[0] === "t" ? colours[`t${detail[1] % 8}`] : colours[kindOfReason(detail[1])];
const dimmed = (what) => Boolean(search.text) && search.details.some(Boolean) && !(what >= 0 && search.details[what]);

// Slices that are too short to be seen: so much of the time running, so much parked; the rest is the thin line of what is ready.
const drawMix = (pen, px, width, y, run, parked, whole, colour) => {
  const height = ROW - 6;
  const tall = (part) => part > 0 ? Math.max(1, Math.min(height, height * part / whole)) : 0;
  const [runs, waits] = [tall(run), tall(parked)];
  const alpha = pen.globalAlpha;
  pen.fillStyle = colours.run;
  pen.fillRect(px, y + 3 + height - runs, width, runs);
  pen.globalAlpha = alpha * 0.45;
  pen.fillStyle = colour;
  pen.fillRect(px, y + 3 + Math.max(0, height - runs - waits), width, Math.min(waits, height - runs));
  pen.globalAlpha = alpha;
};

const label = (pen, text, left, right, y, colour) => {
  const room = right - left - 8;
  if (room < 24) return;
  let shown = text;
  if (pen.measureText(shown).width > room) {
    const fits = Math.floor(shown.length * room / pen.measureText(shown).width) - 1;
    if (fits < 3) return;
    shown = `${shown.slice(0, fits)}…`;
  }
  pen.fillStyle = colour;
  pen.fillText(shown, left + 4, y + ROW / 2);
};

const drawLane = (pen, lane, y) => {
  const left = view.gutter;
  if (lane.kind === "thread") { // ready unless a slice says otherwise
    const [a, b] = [Math.max(left, x(lane.first)), Math.min(view.width, x(lane.last))];
    if (b > a) { pen.fillStyle = colours.ready; pen.fillRect(a, y + ROW / 2 - 1, Math.max(1, b - a), 2); }
  }
  const per = (view.width - left) / (view.to - view.from);
  let column = -1;
  let run = 0, parked = 0, dim = true, colour = colours.other;
  const flush = () => {
    if (column < 0) return;
    pen.globalAlpha = dim ? 0.25 : 1;
    drawMix(pen, column, 1, y, run, parked, Math.max(1 / per, run + parked), colour);
    column = -1;
  };
  for (let i = Math.max(0, lane.at(view.from)); i < lane.count && lane.begin[i] < view.to; i++) {
    if (lane.end[i] <= view.from && lane.end[i] !== lane.begin[i]) continue;
    const what = lane.what[i];
    const begin = Math.max(lane.begin[i], view.from);
    const end = Math.min(lane.end[i], view.to);
    const a = left + (begin - view.from) * per;
    const width = (end - begin) * per;
    const detail = what >= 0 ? data.details[what] : null;
    const waits = detail && detail[0] === "w";
    if (width < 1.5) {
      const here = Math.floor(a);
      if (here !== column) { flush(); column = here; run = parked = 0; dim = true; }
      if (what === BLEND) {
        run += lane.blends[lane.blendAt[i]];
        parked += lane.blends[lane.blendAt[i] + 1];
      } else if (waits) { parked += end - begin; colour = colourOf(detail); }
      else run += end - begin;
      if (!dimmed(what)) dim = false;
      continue;
    }
    flush();
    pen.globalAlpha = dimmed(what) ? 0.25 : 1;
    if (what === BLEND) {
      const at = lane.blendAt[i];
      const [ran, waited] = [lane.blends[at], lane.blends[at + 1]];
      drawMix(pen, a, width, y, ran, waited, lane.end[i] - lane.begin[i], colours.other);
      continue;
    }
    pen.fillStyle = colourOf(detail);
    if (waits) {
      const colour = pen.fillStyle;
      pen.fillStyle = colours.paper; // over the line of what is ready
      pen.fillRect(a, y + 3, width, ROW - 6);
      pen.fillStyle = colour;
      pen.globalAlpha *= 0.3;
      pen.fillRect(a, y + 3, width, ROW - 6);
      pen.globalAlpha /= 0.3;
      pen.fillRect(a, y + ROW - 6, width, 3);
      if (width > 40) label(pen, waitWords(detail), a, a + width, y - 1, colours.onwait);
    } else {
      pen.fillRect(a, y + 3, Math.max(1, width - (width > 4 ? 1 : 0)), ROW - 6);
      if (width > 40) label(pen, detail[0] === "t" ? threadOf(detail[1]) : "running", a, a + width, y, colours.onrun);
    }
  }
  flush();
  pen.globalAlpha = 1;
};

// A closed group: how many of its threads ran, were ready, were parked, pixel by pixel.
const drawGroup = (pen, row, y) => {
  const left = view.gutter;
  const pixels = Math.max(1, Math.floor((view.width - left) / 2));
  const step = (view.to - view.from) / pixels;
  const sums = [new Float64Array(pixels + 1), new Float64Array(pixels + 1), new Float64Array(pixels + 1)];
  const put = (sum, begin, end, weight) => {
    const a = Math.max(0, (begin - view.from) / step);
    const b = Math.min(pixels, (end - view.from) / step);
    for (let p = Math.floor(a); p < b; p++) sum[p] += (Math.min(b, p + 1) - Math.max(a, p)) * weight;
  };
  for (const lane of row.lanes) {
    const ready = lane.kind === "thread" ? 1 : 0;
    put(sums[1], lane.first, lane.last, ready);
    for (let i = Math.max(0, lane.at(view.from)); i < lane.count && lane.begin[i] < view.to; i++) {
      const [begin, end, what] = [lane.begin[i], lane.end[i], lane.what[i]];
      if (end <= view.from || end === begin) continue;
      if (what === BLEND) {
        const at = lane.blendAt[i];
        const [ran, waited] = [lane.blends[at] / (end - begin), lane.blends[at + 1] / (end - begin)];
        put(sums[0], begin, end, ran);
        put(sums[2], begin, end, waited);
        put(sums[1], begin, end, -ready * (ran + waited));
        continue;
      }
      const detail = data.details[what];
      put(detail[0] === "w" ? sums[2] : sums[0], begin, end, 1);
      put(sums[1], begin, end, -ready);
    }
  }
  const most = row.lanes.length;
  const height = ROW - 5;
  for (let p = 0; p < pixels; p++) {
    let base = y + ROW - 2;
    for (const [kind, colour] of [[0, colours.run], [1, colours.ready], [2, colours.other]]) {
      const value = Math.max(0, sums[kind][p]);
      if (value < 1e-6) continue;
      const tall = Math.max(kind === 2 ? 0 : 1, height * Math.min(1, value / most));
      pen.globalAlpha = kind === 2 ? 0.45 : 1;
      pen.fillStyle = colour;
      pen.fillRect(left + 2 * p, base - tall, 2, tall);
      base -= tall;
    }
  }
  pen.globalAlpha = 1;
};

const rowY = (index) => index * ROW - view.top;
const middle = (index) => Math.max(-ROW, Math.min(view.height + ROW, rowY(index) + ROW / 2));

const arrow = (pen, from, to, time, colour) => {
  const [a, b] = [middle(from), middle(to)];
  const at = x(time);
  if (at < view.gutter || at > view.width || a === b) return;
  pen.strokeStyle = pen.fillStyle = colour;
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.moveTo(at, a);
  pen.lineTo(at, b);
  pen.stroke();
  const turn = Math.sign(b - a) * 6;
  pen.beginPath();
  pen.moveTo(at, b);
  pen.lineTo(at - 4, b - turn);
  pen.lineTo(at + 4, b - turn);
  pen.fill();
};

const drawPath = (pen) => {
  const segments = data.path.segments;
  pen.strokeStyle = pen.fillStyle = colours.path;
  let before = null;
  for (const [thread, begin, end] of segments) {
    const row = thread < lanes.length ? rowOfLane.get(lanes[thread]) : undefined;
    const seen = row !== undefined && end >= view.from && begin <= view.to;
    if (seen) {
      const a = Math.max(view.gutter, x(begin));
      pen.fillRect(a, rowY(row) + ROW - 3, Math.max(1.5, Math.min(view.width, x(end)) - a), 3);
      const wide = x(end) - x(begin) > 3 && before && x(before[0]) - x(before[2]) > 3; // else there would be nothing but such lines
      if (wide && before[0] === begin && before[1] !== undefined && before[1] !== row && begin >= view.from) {
        pen.lineWidth = 1;
        pen.beginPath();
        pen.moveTo(x(begin), middle(before[1]));
        pen.lineTo(x(begin), middle(row));
        pen.stroke();
      }
    }
    before = [end, row, begin];
  }
};

const drawChosen = (pen) => {
  const slice = chosen.slice;
  if (!slice) return;
  const row = rowOfLane.get(slice.lane);
  if (row === undefined) return;
  const a = Math.max(view.gutter, x(slice.begin));
  const b = Math.min(view.width, x(slice.end));
  if (b >= view.gutter && a <= view.width) {
    pen.strokeStyle = colours.ink;
    pen.lineWidth = 2;
    pen.strokeRect(a - 1, rowY(row) + 2, Math.max(3, b - a + 1), ROW - 4);
  }
  const detail = slice.what >= 0 ? data.details[slice.what] : null;
  if (detail && detail[0] === "w" && detail[5] >= 0 && detail[5] < lanes.length) {
    const source = rowOfLane.get(lanes[detail[5]]);
    if (source !== undefined) arrow(pen, source, row, slice.end, colours.ink);
  }
  for (const each of chosen.woke || []) {
    const target = rowOfLane.get(each.lane);
    if (target !== undefined) arrow(pen, row, target, each.end, colours.ink);
  }
};

const drawPreempted = (pen) => {
  const inView = data.preempted.filter(([thread, time]) => time >= view.from && time <= view.to && thread < lanes.length);
  if (inView.length > MARKS) return;
  pen.fillStyle = colours.ink;
  for (const [thread, time] of inView) {
    const row = rowOfLane.get(lanes[thread]);
    if (row === undefined || rows[row].kind === "group") continue;
    const y = rowY(row);
    if (y < -ROW || y > view.height) continue;
    pen.beginPath();
    pen.moveTo(x(time) - 3, y + 1);
    pen.lineTo(x(time) + 3, y + 1);
    pen.lineTo(x(time), y + 6);
    pen.fill();
  }
};

const stepFor = (span, room) => {
  const wanted = span / Math.max(1, room / 110);
  const power = 10 ** Math.floor(Math.log10(wanted));
  return [1, 2, 5, 10].map((each) => each * power).find((each) => each >= wanted);
};

const drawRuler = () => {
  const pen = fit(one("#ruler"), view.width, 24);
  const step = stepFor(view.to - view.from, view.width - view.gutter);
  pen.fillStyle = colours.faint;
  pen.strokeStyle = colours.line;
  for (let time = Math.ceil(view.from / step) * step; time <= view.to; time += step) {
    pen.beginPath();
    pen.moveTo(x(time) + 0.5, 16);
    pen.lineTo(x(time) + 0.5, 24);
    pen.stroke();
    pen.fillText(moment(time, step), x(time) + 3, 10);
  }
  return step;
};

const drawOverview = () => {
  const canvas = one("#overview");
  const [width, height] = [view.width - view.gutter, 44];
  const pen = fit(canvas, width, height);
  const [run, ready, parked] = data.counts;
  const most = Math.max(1, ...run.map((value, i) => value + ready[i] + parked[i]));
  const per = width / run.length;
  for (let i = 0; i < run.length; i++) {
    let base = height;
    const left = Math.round(i * per); // whole pixels: where two pieces overlapped, it would be darker
    const wide = Math.round((i + 1) * per) - left;
    for (const [values, colour, alpha] of [[run, colours.run, 1], [ready, colours.ready, 1], [parked, colours.other, 0.45]]) {
      const tall = height * values[i] / most;
      pen.globalAlpha = alpha;
      pen.fillStyle = colour;
      pen.fillRect(left, base - tall, wide, tall);
      base -= tall;
    }
  }
  pen.globalAlpha = 0.75;
  pen.fillStyle = colours.soft;
  const [a, b] = [view.from / END * width, view.to / END * width];
  pen.fillRect(0, 0, a, height);
  pen.fillRect(b, 0, width - b, height);
  pen.globalAlpha = 1;
  pen.strokeStyle = colours.focus;
  pen.lineWidth = 1.5;
  pen.strokeRect(a + 0.75, 0.75, Math.max(2, b - a - 1.5), height - 1.5);
};

const labelsOf = new Map();
const drawLabels = (first, last) => {
  const box = one("#labels");
  for (const [index, element] of labelsOf) {
    if (index < first || index > last) { element.remove(); labelsOf.delete(index); }
  }
  for (let index = first; index <= last; index++) {
    const row = rows[index];
    let element = labelsOf.get(index);
    if (!element) {
      element = make("button", {type: "button", tabindex: "-1", "data-row": index});
      labelsOf.set(index, element);
      box.append(element);
    }
    const group = row.kind === "group";
    const text = group ? `${row.group.open ? "▾" : "▸"} ${row.name}` : row.name;
    const extra = group ? ` ${row.lanes.length.toLocaleString("en")}` : "";
    if (element.dataset.text !== text + extra) {
      element.dataset.text = text + extra;
      element.title = group ? `${row.name}: ${plural(row.lanes.length, "thread")}` : row.name;
      element.replaceChildren(text, extra && make("small", {}, extra));
    }
    element.className = `${row.kind}${row.inner ? " inner" : ""}${!group && row.lane === chosen.lane ? " chosen" : ""}`;
    element.style.top = `${rowY(index)}px`;
  }
};

const drawEmpty = (pen) => {
  pen.fillStyle = colours.faint;
  pen.fillText("nothing matches", view.gutter + 8, ROW / 2);
};

const draw = () => {
  const box = one("#lanes");
  view.width = box.clientWidth;
  view.gutter = Math.min(220, Math.round(view.width * 0.3));
  root.style.setProperty("--gutter", `${view.gutter}px`);
  view.height = box.clientHeight;
  view.top = box.scrollTop;
  const pen = fit(one("#canvas"), view.width, view.height);
  const step = drawRuler();
  pen.strokeStyle = colours.line;
  pen.lineWidth = 1;
  for (let time = Math.ceil(view.from / step) * step; time <= view.to; time += step) {
    pen.beginPath();
    pen.moveTo(Math.round(x(time)) + 0.5, 0);
    pen.lineTo(Math.round(x(time)) + 0.5, view.height);
    pen.stroke();
  }
  const first = Math.max(0, Math.floor(view.top / ROW));
  const last = Math.min(rows.length - 1, Math.ceil((view.top + view.height) / ROW));
  for (let index = first; index <= last; index++) {
    const row = rows[index];
    if (row.kind !== "group") drawLane(pen, row.lane, rowY(index));
    else if (!row.group.open) drawGroup(pen, row, rowY(index));
  }
  if (!rows.length) drawEmpty(pen);
  pen.save();
  pen.beginPath();
  pen.rect(view.gutter, 0, view.width - view.gutter, view.height);
  pen.clip();
  drawPreempted(pen);
  if (chosen.path) drawPath(pen);
  drawChosen(pen);
  pen.restore();
  drawOverview();
  drawLabels(first, last);
};

let asked = false;
const redraw = () => {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => { asked = false; draw(); });
};

const resize = () => {
  const room = Math.max(260, Math.round(innerHeight * 0.62));
  one("#lanes").style.height = `${Math.min(Math.max(rows.length, 4) * ROW + 2, room)}px`;
  one("#spacer").style.height = `${rows.length * ROW}px`;
  for (const element of labelsOf.values()) element.remove();
  labelsOf.clear();
  redraw();
};
