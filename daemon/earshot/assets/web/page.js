// Follows the stream of events and puts it on the page. Whatever was said or is called by its owner
// is put there as text (textContent), never as markup.
import { Picture } from "./picture.js";

const KEPT = 30; // utterances on the page
const AGAIN = [500, 1000, 2000, 5000]; // ms from one try to connect to the next
const at = (id) => document.getElementById(id);
const picture = new Picture(at("picture"));
let utterance = null; // under way: {number, marks, text, …}

function token() {
  const given = location.hash.slice(1);
  if (given) {
    sessionStorage.setItem("token", given);
    history.replaceState(null, "", location.pathname); // no token in what is copied or looked over
  }
  return sessionStorage.getItem("token") ?? "";
}

function trouble(text) {
  const found = at("trouble");
  if (found.textContent !== text) found.textContent = text;
  found.hidden = !text;
}

function element(name, kind, text) {
  const found = document.createElement(name);
  if (kind) found.className = kind;
  if (text !== undefined) found.textContent = text;
  return found;
}

function status(told) {
  at("about").textContent = told.about;
  at("state").replaceChildren(...told.facts.map(([text, wrong]) => element("li", wrong ? "wrong" : "", text)));
}

function lattice(svg) {
  const image = new Image();
  image.alt = "The lattice: what else it might have been";
  image.src = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
  return image;
}

function more(found) {
  const details = element("details");
  details.append(element("summary", "", `how it was decided${found.svg ? ", and what else it might have been" : ""}`));
  const list = element("ul", "decided");
  list.append(...found.marks.map((mark) => element("li", "", `${mark.at.toFixed(2)} s: ${mark.text}`)));
  details.append(list);
  details.addEventListener("toggle", () => {
    if (!found.svg || details.querySelector(".lattice")) return;
    const box = element("div", "lattice");
    box.append(lattice(found.svg));
    details.append(box);
  });
  return details;
}

function over(found, event) {
  const nothing = event.event === "cancelled";
  const item = element("li", nothing ? "nothing" : "");
  item.append(element("div", "words", nothing ? `(${event.reason})` : found.text));
  if (!nothing) item.append(element("div", "facts", found.facts));
  if (found.meaning && !nothing) item.append(element("div", "meaning", found.meaning));
  item.append(more(found));
  at("heard").prepend(item);
  while (at("heard").children.length > KEPT) at("heard").lastChild.remove();
}

function happened(event) {
  if (event.event === "speech_started") {
    utterance = { number: event.utterance, marks: [], text: "", facts: "", meaning: "", svg: "" };
    picture.open(event.start, event.utterance);
  }
  picture.marks.push(...event.marks);
  if (!utterance || utterance.number !== event.utterance) return;
  utterance.marks.push(...event.marks);
  if (event.text !== undefined) {
    at("partial").textContent = event.text;
    picture.words(event.words ?? []);
  }
  if (event.svg) Object.assign(utterance, { text: event.text, facts: event.facts, meaning: event.meaning, svg: event.svg });
  if (event.event === "committed" || event.event === "cancelled") {
    over(utterance, event);
    picture.close(event.at, event.event === "cancelled");
    at("partial").textContent = "";
    utterance = null;
  }
}

function forget() {
  utterance = null;
  at("partial").textContent = "";
  at("heard").replaceChildren();
  picture.forget();
}

const TELL = {
  hello: forget,
  reading: (told) => picture.hear(told.looks),
  event: happened,
  status,
  back: () => { trouble(""); utterance = null; at("partial").textContent = ""; picture.forget(); },
  gone: (told) => { trouble(`${told.why}; it is looked for`); status({ about: "", facts: [] }); },
};

async function* messages(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) yield JSON.parse(part.slice("data: ".length));
  }
}

async function follow() {
  const response = await fetch("events", { headers: { Authorization: `Bearer ${token()}` }, cache: "no-store" });
  if (response.status === 401) {
    trouble("This page needs the token: open the address that `earshot web` printed, which ends in it.");
    return false;
  }
  if (!response.ok) throw new Error(await response.text());
  trouble("");
  for await (const told of messages(response)) TELL[told.type](told);
  return true;
}

async function live() {
  for (let failures = 0; ; failures += 1) {
    try {
      if (!(await follow())) return;
      failures = -1;
    } catch {
      // Whatever it was, what helps is to try again.
    }
    trouble("The connection to `earshot web` is lost; trying again.");
    await new Promise((done) => setTimeout(done, AGAIN[Math.min(Math.max(failures, 0), AGAIN.length - 1)]));
  }
}

window.addEventListener("hashchange", () => location.reload()); // another token
live();
