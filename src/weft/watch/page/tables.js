// The tables below the lanes: contention, threads, the critical path.
const TABLED = 25; // rows that are shown before all are asked for

const button = (text, onclick, attributes = {}) => make("button", {type: "button", class: "link", onclick, ...attributes}, text);
const threadButton = (index) => index < lanes.length && index >= 0
  ? button(threadOf(index), () => revealLane(lanes[index])) : make("span", {}, threadOf(index));

// columns: [title, what a cell shows, what it is sorted by (null: not), whether it is a number]
const table = (place, items, columns, sorted, detail) => {
  let [by, down] = sorted;
  let whole = false;
  const open = new Set();
  const head = make("tr");
  const body = make("tbody");
  const more = make("p", {class: "more"});
  const fill = () => {
    head.replaceChildren(...columns.map(([title, , key, number], index) => {
      const cell = make("th", {scope: "col", class: number && "number", "aria-sort": by === index ? (down ? "descending" : "ascending") : null});
      cell.append(key ? button(title, () => { if (by === index) down = !down; else { by = index; down = Boolean(number); } fill(); }) : title);
      return cell;
    }));
    const key = columns[by][2];
    const list = [...items].sort((a, b) => {
      const [one, other] = [key(a), key(b)];
      return (down ? -1 : 1) * (typeof one === "string" ? one.localeCompare(other) : one - other);
    });
    const shown = whole ? list : list.slice(0, TABLED);
    body.replaceChildren(...shown.flatMap((item) => {
      const row = make("tr");
      row.append(...columns.map(([, cell, , number], index) => {
        const made = make(index ? "td" : "th", {class: number && "number", scope: index ? null : "row"});
        if (!index && detail) {
          made.append(button(open.has(item) ? "▾" : "▸", () => { if (!open.delete(item)) open.add(item); fill(); },
            {"aria-expanded": String(open.has(item)), "aria-label": "Places and threads", class: "link fold"}));
        }
        made.append(cell(item) ?? "");
        return made;
      }));
      if (!detail || !open.has(item)) return [row];
      return [row, make("tr", {class: "detail"}, make("td", {colspan: columns.length}, ...detail(item)))];
    }));
    more.replaceChildren();
    if (shown.length < list.length) {
      more.append(`${shown.length} of ${plural(list.length, "row")}. `, button("Show all", () => { whole = true; fill(); }));
    }
  };
  fill();
  place.replaceChildren(make("div", {class: "scroll"}, make("table", {}, make("thead", {}, head), body)), more);
  return {all: () => { whole = true; fill(); }};
};

const listOf = (title, found, name) => found.most.length ? make("div", {}, make("h4", {}, title),
  make("ul", {}, ...found.most.map(([index, count]) => make("li", {}, name(index), make("small", {}, ` ${count.toLocaleString("en")}×`))),
    found.all > found.most.length ? make("li", {}, make("small", {}, `and ${found.all - found.most.length} more`)) : "")) : "";

const placeWords = (index, otherwise = "nobody knows where") => index >= 0 ? make("code", {title: placeOf(index)}, placeOf(index)) : make("small", {}, otherwise);
const tables = [];

const fillContention = () => {
  const place = one("#contention .fill");
  if (!data.contended.length) { place.replaceChildren("No thread waited for a lock, a queue or the like."); return; }
  tables.push(table(place, data.contended, [
    ["object", (row) => button(objectOf(row.o), () => searchFor(objectOf(row.o)), {title: "Show its waits in the lanes"}), (row) => objectOf(row.o)],
    ["why", (row) => row.r.map((index) => data.reasons[index][1]).join(", "), (row) => data.reasons[row.r[0]][1]],
    ["waits", (row) => row.n.toLocaleString("en"), (row) => row.n, true],
    ["in all", (row) => duration(row.sum), (row) => row.sum, true],
    ["on average", (row) => duration(row.sum / row.n), (row) => row.sum / row.n, true],
    ["longest", (row) => button(duration(row.max), () => revealMoment(row.at[0], row.at[1]), {title: `${threadOf(row.at[0])}: go there`}), (row) => row.max, true],
    ["never ended", (row) => row.still ? row.still.toLocaleString("en") : "", (row) => row.still, true],
  ], [3, true], (row) => [make("div", {class: "lists"},
    listOf("who waited, at", row.places, placeWords),
    listOf("held meanwhile by", row.holders, threadButton),
    listOf("ended by the call at", row.wakers, placeWords))]));
  if (data.contended_all > data.contended.length) {
    place.append(make("p", {class: "more"}, `These are the ${data.contended.length} waited for the longest, of ${plural(data.contended_all, "object")}.`));
  }
};

const fillWaits = () => {
  const place = one("#waits .fill");
  if (!data.waits.length) { place.replaceChildren("No thread waited for anything."); return; }
  tables.push(table(place, data.waits, [
    ["why", (row) => button(data.reasons[row[0]][1], () => searchFor(placeOf(row[1]) || data.reasons[row[0]][1]), {title: "Show them in the lanes"}),
      (row) => data.reasons[row[0]][1]],
    ["at", (row) => placeWords(row[1]), (row) => placeOf(row[1])],
    ["waits", (row) => row[2].toLocaleString("en"), (row) => row[2], true],
    ["in all", (row) => duration(row[3]), (row) => row[3], true],
    ["on average", (row) => duration(row[3] / row[2]), (row) => row[3] / row[2], true],
    ["longest", (row) => duration(row[4]), (row) => row[4], true],
  ], [3, true]));
  if (data.waits_all > data.waits.length) {
    place.append(make("p", {class: "more"}, `These are the first ${data.waits.length} of ${plural(data.waits_all, "row")}.`));
  }
};

const parkedOf = (life) => life[7].reduce((sum, [, ticks]) => sum + ticks, 0);
const parkedWords = (life) => [...life[7]].sort((a, b) => b[1] - a[1]).slice(0, 2)
  .map(([reason, ticks]) => `${data.reasons[reason][0].toLowerCase().replace("_", " ")} ${duration(ticks)}`).join(", ");

const fillThreads = () => {
  const rowsOf = data.lives.map((life, index) => ({life, index, parked: parkedOf(life)}));
  const place = one("#threads .fill");
  const on = byItself ? "not parked" : "ran";
  tables.push(table(place, rowsOf, [
    ["thread", (row) => threadButton(row.index), (row) => threadOf(row.index)],
    [on, (row) => duration(row.life[5]), (row) => row.life[5], true],
    ["ready", (row) => duration(row.life[6]), (row) => row.life[6], true],
    ["parked", (row) => duration(row.parked), (row) => row.parked, true],
    ["mostly", (row) => parkedWords(row.life), null],
    ["ran of its life", (row) => share(row.life[5], row.life[4] - row.life[3]), (row) => row.life[5] / Math.max(1, row.life[4] - row.life[3]), true],
    ["first", (row) => moment(row.life[3], TICKS / 1000), (row) => row.life[3], true],
    ["last", (row) => moment(row.life[4], TICKS / 1000), (row) => row.life[4], true],
    ["stints", (row) => row.life[8].toLocaleString("en"), (row) => row.life[8], true],
    ["waits", (row) => row.life[9].toLocaleString("en"), (row) => row.life[9], true],
    ["preempted", (row) => row.life[10].toLocaleString("en"), (row) => row.life[10], true],
    ["end", (row) => row.life[15] !== null ? row.life[15] : row.life[13] ? "ended" : row.life[14] ? "still waits" : "", (row) => row.life[15] || ""],
  ], [1, true]));
  const groups = data.groups.filter((group) => group[1] >= GROUPED);
  if (!groups.length && data.total === lanes.length) { one("#grouped").remove(); return; }
  tables.push(table(one("#grouped .fill"), data.groups, [
    ["threads named", ([name]) => name, ([name]) => name],
    ["how many", (row) => row[1].toLocaleString("en"), (row) => row[1], true],
    [on, (row) => duration(row[2]), (row) => row[2], true],
    ["ready", (row) => duration(row[3]), (row) => row[3], true],
    ["parked", (row) => duration(row[4]), (row) => row[4], true],
  ], [2, true]));
};

const fillPath = () => {
  const path = data.path;
  const whole = path.segments.reduce((sum, each) => sum + each[2] - each[1], 0) + path.rest;
  const ran = path.threads.reduce((sum, row) => sum + row[1], 0);
  const ready = path.threads.reduce((sum, row) => sum + row[2], 0);
  const waited = path.threads.reduce((sum, row) => sum + row[3], 0);
  one("#path-words").textContent = `${plural(path.all, "segment")} on ${plural(path.threads_all, "thread")}: ${duration(ran)} running, `
    + `${duration(ready)} ready without a carrier, ${duration(waited)} waiting for the clock, the machine or nobody, of ${duration(whole)}.`
    + (path.cut ? " It goes further back than wakes were kept." : "");
  const lengthOf = (row) => row[1] + row[2] + row[3];
  tables.push(table(one("#path-threads"), path.threads, [
    ["thread", (row) => threadButton(row[0]), (row) => threadOf(row[0])],
    ["on the path", (row) => duration(lengthOf(row)), lengthOf, true],
    ["of it", (row) => share(lengthOf(row), whole), lengthOf, true],
    ["ran", (row) => duration(row[1]), (row) => row[1], true],
    ["ready", (row) => duration(row[2]), (row) => row[2], true],
    ["waited", (row) => duration(row[3]), (row) => row[3], true],
    ["segments", (row) => row[4].toLocaleString("en"), (row) => row[4], true],
  ], [1, true]));
  tables.push(table(one("#path-places"), path.places, [
    ["handed over by the call at", (row) => placeWords(row[0], "the end of a thread, or nobody knows"), (row) => placeOf(row[0])],
    ["until then", (row) => duration(row[1]), (row) => row[1], true],
    ["of it", (row) => share(row[1], whole), (row) => row[1], true],
    ["times", (row) => row[2].toLocaleString("en"), (row) => row[2], true],
  ], [1, true]));
  tables.push(table(one("#path-waits"), path.waits, [
    ["waited for on the path", (row) => waitWords(["w", row[0], row[1]]), (row) => data.reasons[row[0]][1]],
    ["at", (row) => placeWords(row[2]), (row) => placeOf(row[2])],
    ["in all", (row) => duration(row[3]), (row) => row[3], true],
    ["of it", (row) => share(row[3], whole), (row) => row[3], true],
  ], [2, true]));
  tables.push(table(one("#path-segments"), path.segments, [
    ["from", (row) => button(moment(row[1], TICKS / 1e6), () => revealMoment(row[0], row[1], row[2]), {title: "Go there"}), (row) => row[1], true],
    ["takes", (row) => duration(row[2] - row[1]), (row) => row[2] - row[1], true],
    ["thread", (row) => threadButton(row[0]), (row) => threadOf(row[0])],
    ["ran", (row) => duration(row[3]), (row) => row[3], true],
    ["waited", (row) => duration(row[4]), (row) => row[4], true],
    ["then handed over by the call at", (row) => row[5] >= 0 ? placeWords(row[5]) : "", (row) => placeOf(row[5])],
  ], [1, true]));
  for (const [name, list, count] of [["threads", path.threads, path.threads_all], ["places", path.places, path.places_all], ["waits", path.waits, path.waits_all],
    ["segments", path.segments, path.all]]) {
    if (list.length < count) {
      const rest = name === "segments" ? `, all others take ${duration(path.rest)}` : "";
      one(`#path-${name}`).append(make("p", {class: "more"}, `These are the first ${list.length.toLocaleString("en")} of ${count.toLocaleString("en")}${rest}.`));
    }
    if (!list.length) one(`#path-${name}`).replaceChildren();
  }
};
