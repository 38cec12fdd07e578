// The console's one script. It adds to pages that work without it: parts that
// change by themselves, clocks, the strip that turns when nothing proves the
// line alive, sound, and single keys. It never makes markup from text (Trusted
// Types forbid it): parts are fetched as documents, and their nodes are moved.

const body = document.body;
const $ = (sel, root = document) => root.querySelector(sel);
const $$ = (sel, root = document) => [...root.querySelectorAll(sel)];
const live = "live" in body.dataset;

// ---- time: the node's clock, not this machine's ---------------------------

let offset = Number(body.dataset.now) - Date.now();
const now = () => Date.now() + offset;
const pad = (n) => String(n).padStart(2, "0");

// A word of the page with its # and ¤ replaced; numbers keep their direction.
const word = (name, a, b) => ($("#strip")?.dataset["word" + name] ?? "#").replace("#", a).replace("¤", b);
const put = (el, text) => { if (el && el.textContent !== text) el.textContent = text; };

function lasting(seconds) {
  const s = Math.floor(Math.abs(seconds));
  if (s < 60) return word("Seconds", s);
  if (s < 3600) return word("Minutes", Math.floor(s / 60));
  if (s < 48 * 3600) return word("Hours", Math.floor(s / 3600), pad(Math.floor(s / 60) % 60));
  return word("Days", Math.floor(s / 86400), Math.floor(s / 3600) % 24);
}

function tick() {
  const t = now() / 1000;
  for (const el of $$("span[data-age]")) put(el, word("Ago", lasting(t - Number(el.dataset.age))));
  for (const el of $$("span[data-left]")) {
    const left = Number(el.dataset.left) - t;
    put(el, word(left < 0 ? "Over" : "Left", lasting(left)));
  }
  for (const el of $$("[data-clock]")) {
    const d = new Date((t + Number(el.dataset.clock)) * 1000);
    const seconds = el.dataset.clock === "0" ? ":" + pad(d.getUTCSeconds()) : "";
    put(el, `${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}${seconds} ${el.dataset.label}`);
  }
  turn();
}

// ---- the strip turns by itself ---------------------------------------------

let heard = Date.now(); // the last sign of the node, by this machine's clock
let ended = false;
let lost = false; // the node does not answer, or the session is over

function turn() {
  const strip = $("#strip");
  if (!live || !strip) return;
  let state = "";
  if (ended) state = "ended";
  else if (Date.now() - heard > 15000) state = "dead";
  else if (Number(strip.dataset.stale) > 0 && now() / 1000 > Number(strip.dataset.stale) &&
    !["down", "cause-unknown"].includes(strip.dataset.state)) state = "stale";
  lost = state === "dead" || state === "ended";
  if (!state || strip.dataset.state === state) return;
  strip.dataset.state = state;
  put($("[data-word]", strip), word(state[0].toUpperCase() + state.slice(1), ""));
  const line = $(".state .shape", strip);
  if (line && line.dataset.turned !== "1") { // the shape of the worst state: a crossed square
    line.dataset.turned = "1";
    const ns = "http://www.w3.org/2000/svg";
    const path = (d, cls) => { const p = document.createElementNS(ns, "path"); p.setAttribute("d", d); p.setAttribute("class", cls); return p; };
    line.replaceChildren(path("M2 2h16v16H2z", "ring"), path("M5.5 5.5l9 9M14.5 5.5l-9 9", "line"));
  }
  ring();
}

// ---- parts that change ------------------------------------------------------

// fetchDocument parses an answer as a document, which runs no script and needs
// no permission to make markup.
function fetchDocument(url) {
  return new Promise((resolve, reject) => {
    const x = new XMLHttpRequest();
    x.open("GET", url);
    x.responseType = "document";
    x.setRequestHeader("X-Node-Request", "1");
    x.timeout = 10000;
    x.onload = () => (x.status === 200 && x.response ? resolve(x.response) : reject(x.status));
    x.onerror = x.ontimeout = () => reject(0);
    x.send();
  });
}

const busy = new Set();
async function refresh(el) {
  const id = el.id, url = el.dataset.fragment;
  if (!id || !url || busy.has(id) || el.contains(document.activeElement) && document.activeElement.matches("input, textarea, select")) return;
  busy.add(id);
  try {
    const doc = await fetchDocument(url + (url.includes("?") ? "&" : "?") + "part=" + (el.dataset.part ?? ""));
    const part = doc.getElementById(id);
    if (!part || !el.isConnected) return;
    const open = $$("details[open]", el).map((d) => $$("details", el).indexOf(d));
    const focus = document.activeElement && el.contains(document.activeElement) ? document.activeElement.id || document.activeElement.getAttribute("href") : null;
    const fresh = document.adoptNode(part);
    el.replaceWith(fresh);
    open.forEach((i) => $$("details", fresh)[i]?.setAttribute("open", ""));
    if (focus) ($$("[id], [href]", fresh).find((e) => e.id === focus || e.getAttribute("href") === focus))?.focus({ preventScroll: true });
    mark();
    tick();
    if (id === "strip") { controls(); ring(); }
  } catch (status) {
    if (status === 401) { ended = true; turn(); }
  } finally {
    busy.delete(id);
  }
}

// heardOf takes in what the node said: a sign of life with its time, names of
// what changed, or that the session is over.
function heardOf(kind, data) {
  if (ended) return;
  const again = lost;
  heard = Date.now();
  if (kind === "ended") { ended = true; turn(); }
  if (kind === "beat") {
    offset = Number(data) - Date.now();
    if (again) $$("[data-fragment]").forEach(refresh);
  }
  if (kind === "change") {
    const names = data.split(" ");
    for (const el of $$("[data-watch]")) if (el.dataset.watch.split(" ").some((n) => names.includes(n))) refresh(el);
  }
}

// stream listens to the node until the session is over or over() is called.
function stream(tell) {
  let source, again, finish;
  const done = new Promise((r) => { finish = r; });
  const over = () => { clearTimeout(again); source.close(); finish(); };
  const open = () => {
    source = new EventSource("/events");
    for (const kind of ["beat", "change", "ended"]) source.addEventListener(kind, (e) => {
      tell(kind, e.data);
      if (kind === "ended") over();
    });
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED) return;
      source.close();
      again = setTimeout(open, 3000);
    });
  };
  open();
  return { done, over };
}

// A browser opens six connections to one node at most, so of several pages one
// listens, and tells the others. Whoever hears nothing from it takes its place.
function listen() {
  if (!navigator.locks || !window.BroadcastChannel) { stream(heardOf); return; }
  const others = new BroadcastChannel("node"), name = "listens to the node";
  let mine = null;
  others.onmessage = (e) => { if (!mine) heardOf(e.data.kind, e.data.data); };
  const lead = async () => {
    if (ended) return;
    mine = stream((kind, data) => { heardOf(kind, data); others.postMessage({ kind, data }); });
    await mine.done;
    mine = null;
  };
  const wait = (how) => navigator.locks.request(name, how, lead).catch(() => {
    mine?.over(); // another page took the place
    if (!ended) wait({});
  });
  wait({});
  const patience = 9000 + Math.random() * 4000;
  let tried = Date.now();
  setInterval(() => {
    if (mine || ended || Date.now() - Math.max(heard, tried) < patience) return;
    tried = Date.now();
    wait({ steal: true });
  }, 1000);
}

// ---- sound --------------------------------------------------------------------

// One tone figure per precedence: frequencies and lengths in seconds. What is
// not meant sounds as two low notes before its figure, so that nobody takes an
// exercise for the real thing by ear.
const figures = {
  flash: [[1046, .14], [784, .14], [1046, .14], [784, .14], [1046, .14], [784, .14]],
  immediate: [[784, .22], [988, .22], [784, .22]],
  priority: [[659, .3], [523, .3]],
  routine: [[523, .35]],
  lost: [[392, .5], [330, .5]],
};
const pause = { flash: 4, immediate: 8, priority: 30, routine: 60, lost: 10 };
let audio = null, muted = Number(sessionStorage.getItem("muted") ?? 0), next = 0;
const armed = () => audio?.state === "running";

function play(figure, type) {
  let t = audio.currentTime + .05;
  for (const [hz, len] of [...(type === "operation" ? [] : [[196, .3], [196, .3]]), ...figure]) {
    const o = audio.createOscillator(), g = audio.createGain();
    o.frequency.value = hz;
    o.type = "triangle";
    g.gain.setValueAtTime(0, t);
    g.gain.linearRampToValueAtTime(.35, t + .02);
    g.gain.setValueAtTime(.35, t + len - .04);
    g.gain.linearRampToValueAtTime(0, t + len);
    o.connect(g).connect(audio.destination);
    o.start(t);
    o.stop(t + len);
    t += len + .03;
  }
}

const title = document.title;
let told = new Set();
function ring() {
  const waiting = $$("#alarms [data-lane]");
  const worst = waiting[0];
  document.documentElement.dataset.armed = worst || lost ? "ringing" : "";
  document.title = worst && Math.floor(Date.now() / 1000) % 2 ? worst.textContent : title;
  for (const el of waiting) { // said once to those who listen, and never moves focus
    if (!["flash", "immediate"].includes(el.dataset.lane) || told.has(el.dataset.ref)) continue;
    told.add(el.dataset.ref);
    const p = document.createElement("p");
    p.textContent = el.textContent;
    $("#alert")?.append(p);
  }
  if (!armed() || Date.now() < muted || Date.now() < next || body.dataset.sound !== "true") return;
  const lane = worst ? worst.dataset.lane : lost ? "lost" : "";
  if (!lane) return;
  play(figures[lane] ?? figures.routine, worst ? worst.dataset.type : "operation");
  next = Date.now() + (pause[lane] ?? 60) * 1000;
}

function controls() {
  const arm = $("#arm"), mute = $("#mute"), state = $("[data-sound-state]");
  if (!arm) return;
  const quiet = Date.now() < muted;
  $('[data-cell="sound"]')?.classList.toggle("late", !armed() && sessionStorage.getItem("armed") !== null);
  arm.hidden = armed() || body.dataset.sound !== "true";
  mute.hidden = !armed() || quiet;
  put(state, !armed() ? word("Unarmed", "") : quiet ? `${word("Muted", "")} ${pad(new Date(muted + offset).getUTCHours())}:${pad(new Date(muted + offset).getUTCMinutes())}Z` : word("Armed", ""));
}

// A page that follows an armed one tries to be armed; where the browser wants a
// new gesture first, the strip says "not armed".
async function arm(aloud) {
  audio ??= new AudioContext();
  await Promise.race([audio.resume(), new Promise((r) => setTimeout(r, 1500))]);
  if (armed()) sessionStorage.setItem("armed", "1");
  if (armed() && aloud) play(figures.routine, "operation");
  controls();
  ring();
}

document.addEventListener("click", (e) => {
  if (e.target.closest("#arm")) arm(true);
  else if (e.target.closest("#mute")) {
    muted = Date.now() + 10 * 60000;
    sessionStorage.setItem("muted", muted);
    controls();
  } else if (e.target.closest("[data-print]")) print();
});

// ---- single keys ----------------------------------------------------------------

const rows = () => $$("[data-row]");
let at = -1, went = 0;
function mark() { rows().forEach((r, i) => r.classList.toggle("current", i === at)); }
function move(by) {
  const all = rows();
  if (!all.length) return;
  at = Math.min(Math.max(at + by, 0), all.length - 1);
  mark();
  const link = $("a", all[at]);
  link?.focus({ preventScroll: true });
  all[at].scrollIntoView({ block: "nearest" });
}
const follow = (sel) => $(sel)?.click();

document.addEventListener("keydown", (e) => {
  if (body.dataset.keys !== "true" || e.ctrlKey || e.altKey || e.metaKey || e.isComposing) return;
  if (e.target.matches("input, textarea, select, [contenteditable]")) { if (e.key === "Escape") e.target.blur(); return; }
  if ($("dialog[open]") && e.key !== "?") return;
  const g = Date.now() - went < 1500;
  went = 0;
  const go = { l: "l", n: "n", d: "d", u: "u", r: "r", w: "w", o: "o", s: "s", m: "m" }[e.key];
  if (g && go) { e.preventDefault(); follow(`[data-go="${go}"]`); return; }
  switch (e.key) {
    case "g": went = Date.now(); break;
    case "j": move(1); break;
    case "k": move(-1); break;
    case "n": follow('[data-go="n"]'); break;
    case "r": follow("[data-reply]"); break;
    case "a": { const f = $("[data-number]"); if (!f) return follow("#strip .in a"); f.focus(); break; }
    case "/": { const f = $('input[type="search"]'); if (!f) return; f.focus(); break; }
    case "?": $("#keys")?.open ? $("#keys").close() : $("#keys")?.showModal(); break;
    default: return;
  }
  e.preventDefault();
});

// A draft that is being written is not lost by a stray key.
let dirty = false;
document.addEventListener("input", (e) => { if (e.target.closest("[data-guard]")) dirty = true; });
document.addEventListener("submit", () => { dirty = false; });
addEventListener("beforeunload", (e) => { if (dirty) e.preventDefault(); });

if (live) {
  listen();
  setInterval(() => { controls(); ring(); }, 1000);
  controls();
  ring();
  if (sessionStorage.getItem("armed")) arm(false);
} else if (body.dataset.view !== "print") sessionStorage.clear(); // nobody is signed in
setInterval(tick, 1000);
tick();
