// Draws the last seconds as lanes on one axis of time, as `earshot transcribe --timeline` does: words,
// sound, where speech is, how sure it is that the speaker is done, what was decided.
const FLOOR = -60; // dB; what is softer is not drawn
const LANES = { words: 42, sound: 96, speech: 12, done: 60, decided: 58 }; // heights, px
const ROWS = 3; // of words and of decisions; what has no room in them is not written
const GAP = 10;
const LABELS = 62; // px, for the names of the lanes
const WIDE = 15, NARROW = 7; // seconds that are shown
const LOOK = 0.02; // seconds
const SMOOTH = 0.4; // seconds that the picture may be behind, so that it moves evenly

// Rows of labels, so that none touches another.
class Rows {
  constructor() { this.ends = Array(ROWS).fill(-Infinity); }

  // The first row that is free from here on, taken up to there; -1: none is.
  take(from, to) {
    const row = this.ends.findIndex((end) => end <= from);
    if (row >= 0) this.ends[row] = to;
    return row;
  }
}

export class Picture {
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.forget();
    const colours = () => { this.colours = getComputedStyle(document.documentElement); };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", colours);
    colours();
    this.drawn = 0;
    const turn = (now) => {
      if (now - this.drawn > (this.still.matches ? 1000 : 33)) this.draw(now);
      requestAnimationFrame(turn);
    };
    requestAnimationFrame(turn);
  }

  forget() {
    this.looks = []; // [end s, peak dB, rms dB, speech, gate, done]
    this.marks = []; // {at, kind, text}
    this.spans = []; // utterances: {start, end, words}
    this.right = 0; // s of audio at the right edge
    this.heard = { at: 0, when: 0 };
  }

  hear(looks) {
    const last = this.looks.at(-1);
    if (last && looks[0][0] < last[0]) this.forget(); // of another life
    this.looks.push(...looks);
    this.heard = { at: looks.at(-1)[0], when: performance.now() };
  }

  open(start, number) { this.spans.push({ start, end: null, words: [], number }); }

  words(words) { if (this.spans.length) this.spans.at(-1).words = words; }

  close(end, cancelled) {
    if (!this.spans.length) return;
    this.spans.at(-1).end = end;
    if (cancelled) this.spans.at(-1).words = [];
  }

  colour(name) { return this.colours.getPropertyValue(`--${name}`); }

  fit() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const scale = window.devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * scale) || this.canvas.height !== Math.round(height * scale)) {
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(height * scale);
    }
    this.pen.setTransform(scale, 0, 0, scale, 0, 0);
    this.pen.clearRect(0, 0, width, height);
    return width;
  }

  // Audio comes 100 ms at a time; in between, the picture moves on with the clock.
  follow(now) {
    const passed = this.heard.when ? Math.min((performance.now() - this.heard.when) / 1000, SMOOTH) : 0;
    const goal = this.heard.at - SMOOTH + passed;
    this.right = this.still.matches ? this.heard.at : Math.max(goal, this.right > goal + 2 ? goal : this.right);
    this.drawn = now;
  }

  draw(now) {
    const width = this.fit();
    this.follow(now);
    this.seconds = width < 600 ? NARROW : WIDE;
    this.left = this.right - this.seconds;
    this.scale = (width - LABELS) / this.seconds;
    this.x = (s) => LABELS + (s - this.left) * this.scale;
    this.prune();
    let top = 4;
    this.top = {};
    for (const [name, height] of Object.entries(LANES)) { this.top[name] = top; top += height + GAP; }
    this.floor = top;
    const pen = this.pen;
    pen.save();
    pen.beginPath();
    pen.rect(LABELS, 0, width - LABELS, this.floor + 24);
    pen.clip();
    this.axis();
    this.sound();
    this.chance();
    this.decisions();
    this.spelt();
    pen.restore();
    this.names(width);
  }

  prune() {
    const old = this.left - 5;
    while (this.looks.length && this.looks[0][0] < old) this.looks.splice(0, 50);
    this.marks = this.marks.filter((mark) => mark.at > old - 10);
    this.spans = this.spans.filter((span) => span.end === null || span.end > old);
  }

  names(width) {
    const pen = this.pen;
    pen.font = "13px system-ui, sans-serif";
    pen.fillStyle = this.colour("text");
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const [name, height] of Object.entries(LANES))
      pen.fillText(name === "done" ? "done?" : name, LABELS - 10, this.top[name] + height / 2);
    pen.strokeStyle = this.colour("axis");
    pen.setLineDash([]);
    pen.strokeRect(LABELS, this.floor, width - LABELS, 0);
  }

  axis() {
    const pen = this.pen;
    pen.font = "12px system-ui, sans-serif";
    pen.textAlign = "center";
    pen.textBaseline = "top";
    pen.lineWidth = 1;
    for (let s = Math.max(0, Math.ceil(this.left)); s <= this.right; s += 1) {
      pen.strokeStyle = this.colour("faint");
      pen.beginPath();
      pen.moveTo(this.x(s), this.top.sound);
      pen.lineTo(this.x(s), this.floor);
      pen.stroke();
      pen.fillStyle = this.colour("text");
      if (s % (this.seconds > 10 ? 2 : 1) === 0) pen.fillText(`${s} s`, this.x(s), this.floor + 6);
    }
    pen.fillStyle = this.colour("open");
    for (const { start, end } of this.spans)
      pen.fillRect(this.x(start), this.top.sound, this.x(end ?? this.right) - this.x(start), this.top.decided - this.top.sound - GAP);
  }

  seen() { return this.looks.filter((look) => look[0] >= this.left - LOOK && look[0] <= this.right + LOOK); }

  sound() {
    const pen = this.pen, middle = this.top.sound + LANES.sound / 2;
    const size = (db) => Math.max(0.5, Math.max(0, 1 - db / FLOOR) * LANES.sound / 2);
    pen.fillStyle = this.colour("faint");
    pen.fillRect(LABELS, this.top.speech, this.x(this.right) - LABELS, LANES.speech);
    for (const [end, peak, rms, speech] of this.seen()) {
      const x = Math.round(this.x(end - LOOK)), wide = Math.max(1, Math.round(this.x(end)) - x);
      pen.fillStyle = this.colour("axis");
      pen.fillRect(x, middle - size(peak), wide, 2 * size(peak));
      pen.fillStyle = this.colour(speech ? "speech" : "sound");
      pen.fillRect(x, middle - size(rms), wide, 2 * size(rms));
      if (speech) pen.fillRect(x, this.top.speech, wide, LANES.speech);
    }
  }

  chance() {
    const pen = this.pen, floor = this.top.done + LANES.done;
    pen.lineWidth = 1;
    pen.strokeStyle = this.colour("axis");
    for (const y of [floor, this.top.done]) {
      pen.setLineDash(y === floor ? [] : [2, 4]);
      pen.beginPath();
      pen.moveTo(LABELS, y);
      pen.lineTo(this.x(this.right), y);
      pen.stroke();
    }
    pen.setLineDash([]);
    pen.lineWidth = 2;
    pen.strokeStyle = this.colour("speech");
    pen.beginPath();
    let last = -1;
    for (const [end, , , , gate, done] of this.seen()) {
      if (!gate) continue;
      const y = floor - LANES.done * done;
      if (end - last < 1.5 * LOOK) pen.lineTo(this.x(end), y); else pen.moveTo(this.x(end), y);
      last = end;
    }
    pen.stroke();
  }

  decisions() {
    const pen = this.pen, free = new Rows();
    pen.font = "13px system-ui, sans-serif";
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    for (const mark of this.marks) {
      const x = this.x(mark.at), undone = mark.kind === "undone";
      const row = free.take(x, x + pen.measureText(mark.text).width + 14);
      const y = this.top.decided + 8 + 20 * Math.max(row, 0);
      pen.setLineDash(mark.kind === "early" ? [6, 4] : undone ? [2, 3] : []);
      pen.lineWidth = 2;
      pen.strokeStyle = this.colour(undone ? "undone" : "mark");
      pen.beginPath();
      pen.moveTo(x, this.top.sound);
      pen.lineTo(x, y + 8);
      pen.stroke();
      pen.setLineDash([]);
      if (row >= 0) this.text(mark.text, x + 6, y, undone ? "undone" : "told");
    }
  }

  spelt() {
    const pen = this.pen, base = this.top.words + LANES.words;
    pen.font = "15px system-ui, sans-serif";
    pen.textAlign = "left";
    pen.textBaseline = "alphabetic";
    const free = new Rows();
    for (const span of this.spans) {
      for (const { word, start, end } of span.words) {
        const x = this.x(start);
        pen.fillStyle = this.colour("ink");
        pen.fillRect(x, base, Math.max(2, this.x(end) - x - 2), 4);
        const row = free.take(x, x + pen.measureText(word).width + 5);
        if (row >= 0) this.text(word, x, base - 5 - 15 * row, "ink");
      }
    }
  }

  // Text that no line crosses.
  text(text, x, y, colour) {
    this.pen.lineJoin = "round";
    this.pen.lineWidth = 4;
    this.pen.strokeStyle = this.colour("paper");
    this.pen.strokeText(text, x, y);
    this.pen.fillStyle = this.colour(colour);
    this.pen.fillText(text, x, y);
  }
}
