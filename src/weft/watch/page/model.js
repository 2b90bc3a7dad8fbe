// What the page knows: the data unpacked, and questions about it.
const root = document.documentElement;
const one = (what, from = document) => from.querySelector(what);
const all = (what, from = document) => [...from.querySelectorAll(what)];

// An element with text and attributes; what comes from the program only ever gets in as text.
const make = (tag, attributes = {}, ...content) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") made.addEventListener("click", value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...content.filter((each) => each !== null && each !== undefined && each !== ""));
  return made;
};

const data = JSON.parse(one("#data").textContent);
const TICKS = data.ticks;
const END = data.end;
const BLEND = -1;
const READY = -2;

const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
const UNITS = [[1, "s"], [1e-3, "ms"], [1e-6, "µs"]];
const duration = (ticks) => {
  const seconds = ticks / TICKS;
  const [factor, unit] = UNITS.find(([each]) => seconds >= each * 0.9995) || UNITS[2];
  const value = seconds / factor;
  const digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toLocaleString("en", {minimumFractionDigits: digits, maximumFractionDigits: digits})} ${unit}`;
};
const share = (part, whole) => whole > 0 ? `${(100 * part / whole).toFixed(part / whole < 0.0995 ? 1 : 0)} %` : "";
// A moment, as exact as a step between two of them asks for.
const moment = (ticks, step = 1) => {
  const digits = Math.max(0, Math.min(7, Math.ceil(-Math.log10(step / TICKS) - 1e-9)));
  return `${(ticks / TICKS).toFixed(digits)} s`;
};

const placeOf = (index) => index >= 0 ? data.places[index] : "";
const objectOf = (index) => index >= 0 ? data.objects[index] : "";
const threadOf = (index) => index >= 0 ? data.threads[index] : "";
const briefPlace = (index) => placeOf(index).replace(/^.*\//, "");

const KINDS = {LOCK: "lock", SEMAPHORE: "lock", CONDITION: "event", EVENT: "event", FUTURE: "event", QUEUE_GET: "queue",
  QUEUE_PUT: "queue", QUEUE_JOIN: "queue", JOIN: "join", SHUTDOWN: "join", SLEEP: "sleep", DESCRIPTOR: "machine", OFFLOAD: "machine"};
const kindOfReason = (index) => KINDS[data.reasons[index][0]] || "other";
const ENDINGS = {thread: "a thread", timer: "its deadline", machine: "the machine (a descriptor, a kernel thread)",
  signal: "a signal", open: "nothing: it had not ended when the recording did"};

// ["w", reason, object, place, holder, by, by_place, cause], ["r", carrier], or ["t", thread] on a carrier's lane.
const waitWords = (detail) => {
  const [name, phrase] = data.reasons[detail[1]];
  const thing = objectOf(detail[2]);
  if (name === "SLEEP" || !thing) return phrase;
  return name === "DESCRIPTOR" || name === "OFFLOAD" ? `${phrase} ${thing}` : `${phrase}: ${thing}`;
};

class Lane {
  constructor(packed, kind, number, name) {
    this.kind = kind; // "thread" or "carrier"
    this.number = number; // of the thread on this page, or of the carrier
    this.name = name;
    const count = this.count = packed.s.length / 3;
    this.begin = new Float64Array(count);
    this.end = new Float64Array(count);
    this.what = new Int32Array(count);
    this.blendAt = new Int32Array(count);
    this.blends = packed.b;
    let now = 0;
    let blend = 0;
    for (let i = 0; i < count; i++) {
      now += packed.s[3 * i];
      this.begin[i] = now;
      now += packed.s[3 * i + 1];
      this.end[i] = now;
      this.what[i] = packed.s[3 * i + 2];
      if (this.what[i] === BLEND) { this.blendAt[i] = blend; blend += 3; }
    }
    const life = kind === "thread" ? data.lives[number] : null;
    this.first = life ? life[3] : count ? this.begin[0] : 0;
    this.last = life ? life[4] : count ? this.end[count - 1] : 0;
  }

  // The last slice that begins at a moment or before, -1 if there is none.
  at(time) {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.begin[middle] <= time) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  slice(index) {
    return {lane: this, index, begin: this.begin[index], end: this.end[index], what: this.what[index]};
  }

  // What there is at a moment: a slice, the time before one in which the thread was ready, or null.
  pick(time) {
    const index = this.at(time);
    if (index >= 0 && time < this.end[index]) return this.slice(index);
    if (this.kind !== "thread") return null;
    const begin = index >= 0 ? this.end[index] : this.first;
    const end = index + 1 < this.count ? this.begin[index + 1] : this.last;
    return time >= begin && time < end ? {lane: this, index, begin, end, what: READY} : null;
  }

  // The same, or what is nearest to it.
  near(time) {
    return this.pick(time) || (this.count ? this.slice(Math.max(0, this.at(time))) : null);
  }
}

// Whether each thread has what carries it to itself, so that nobody sees when it has a processor.
const byItself = data.model === "kernel" || data.model === "process";

const lanes = data.lanes.map((packed, number) => new Lane(packed, "thread", number, data.threads[number]));
const carriers = data.carriers.map((packed) =>
  new Lane(packed, "carrier", packed.n, `carrier ${packed.n}${packed.kernel ? ` (kernel thread ${packed.kernel})` : ""}`));

const titleOf = (slice) => {
  const {lane, what} = slice;
  if (what === READY) return "ready";
  if (what === BLEND) return plural(lane.blends[lane.blendAt[slice.index] + 2], "short slice");
  const detail = data.details[what];
  if (detail[0] === "r") return "running";
  if (detail[0] === "t") return threadOf(detail[1]);
  return waitWords(detail);
};

// Whom a thread woke while a slice lasted.
const wokenDuring = (slice, most) => {
  const found = [];
  let count = 0;
  for (const lane of lanes) {
    for (let i = Math.max(0, lane.at(slice.begin) - 1); i < lane.count && lane.begin[i] <= slice.end; i++) {
      if (lane.what[i] < 0 || lane.end[i] < slice.begin || lane.end[i] > slice.end) continue;
      const detail = data.details[lane.what[i]];
      if (detail[0] !== "w" || detail[5] !== slice.lane.number) continue;
      count++;
      if (found.length < most) found.push(lane.slice(i));
    }
  }
  return [found, count];
};

// -- rows: lanes, and groups of threads whose names differ in numbers alone ----------------------------------

const GROUPED = 5; // threads of alike names from which on they are a group
const MANY = 40; // threads from which on groups are closed at first
const groupsByNumber = new Map();
lanes.forEach((lane) => {
  const group = data.lives[lane.number][1];
  if (!groupsByNumber.has(group)) groupsByNumber.set(group, {kind: "group", name: data.groups[group][0], lanes: [], open: lanes.length <= MANY});
  groupsByNumber.get(group).lanes.push(lane);
});
const carrierGroup = {kind: "group", name: "carriers", lanes: carriers, open: carriers.length <= 8};

let rows = [];
let rowOfLane = new Map(); // the row in which a lane is seen: its own, or its group's
const search = {text: "", details: null, hits: 0, threads: 0};

const matches = (text) => text.toLowerCase().includes(search.text);

// Which details a search means; null: it means none, or there is no search.
const findDetails = () => {
  if (!search.text) { search.details = null; return; }
  const texts = (list) => list.map(matches);
  const [places, objects] = [texts(data.places), texts(data.objects)];
  const reasons = data.reasons.map(([name, phrase]) => matches(name.replace("_", " ")) || matches(phrase));
  search.details = data.details.map((detail) => detail[0] === "w"
    && (reasons[detail[1]] || objects[detail[2]] || places[detail[3]] || places[detail[6]] || false));
};

const laneHits = (lane) => {
  let count = 0;
  for (let i = 0; i < lane.count; i++) if (lane.what[i] >= 0 && search.details[lane.what[i]]) count++;
  return count;
};

const buildRows = () => {
  rows = [];
  rowOfLane = new Map();
  search.hits = search.threads = 0;
  const wanted = (lane) => {
    if (!search.text) return true;
    const hits = lane.kind === "thread" ? laneHits(lane) : 0;
    const named = matches(lane.name);
    search.hits += hits;
    if (lane.kind === "thread" && (hits || named)) search.threads++;
    return hits > 0 || named;
  };
  const put = (group, heading) => {
    const kept = group.lanes.filter(wanted);
    if (!kept.length) return;
    if (heading) rows.push({kind: "group", group, lanes: kept, name: group.name});
    const head = rows.length - 1;
    for (const lane of kept) {
      if (!heading || group.open) {
        rowOfLane.set(lane, rows.length);
        rows.push({kind: lane.kind, lane, name: lane.name, inner: heading});
      } else rowOfLane.set(lane, head);
    }
  };
  if (carriers.length) put(carrierGroup, carriers.length > 1);
  for (const group of groupsByNumber.values()) put(group, group.lanes.length >= GROUPED);
};
