// Live parts, the keyboard-wedge scanner, one-time submission. No framework; works with the keyboard alone.
"use strict";
(() => {
  const body = document.body;

  document.querySelector("#menu [aria-current]")?.scrollIntoView({ block: "nearest" });

  // On a narrow screen the menu opens by its button.
  const toggle = document.querySelector("button.toggle");
  toggle?.addEventListener("click", () => {
    toggle.setAttribute("aria-expanded", String(body.classList.toggle("shows-menu")));
  });

  // A lost link locks entry: nothing is signed offline.
  const lost = (is) => {
    body.classList.toggle("is-lost", is);
    document.querySelectorAll("main form button, main form input, main form select").forEach((one) => { one.toggleAttribute("inert", is); });
  };

  if (body.dataset.live) {
    const stream = new EventSource("/live");
    stream.addEventListener("open", () => { lost(false); document.querySelectorAll("[data-job-part]").forEach(refresh); });
    stream.addEventListener("job", (told) => showJob(JSON.parse(told.data)));
    stream.addEventListener("error", () => lost(true));
    let waiting = null;
    stream.addEventListener("facts", () => {
      if (waiting) return;
      waiting = setTimeout(() => { waiting = null; document.querySelectorAll("[data-live-part]").forEach(refresh); }, 700);
    });
  }

  // How far a job is: the bar and its words at once, the part around them when its state changes.
  function showJob(seen) {
    document.querySelectorAll(`[data-job="${seen.id}"]`).forEach((one) => {
      const bar = one.querySelector("progress"), words = one.querySelector("[data-job-words]");
      if (bar && seen.state === "running") bar.value = seen.fraction;
      if (words) words.textContent = seen.words;
      if (one.dataset.jobThen && seen.state === "done") location.assign(one.dataset.jobThen);
      else if (one.dataset.jobState !== seen.state) { one.dataset.jobState = seen.state; const part = one.closest("[data-job-part]"); if (part) refresh(part); }
    });
  }

  async function refresh(part) {
    if (part.contains(document.activeElement) && /INPUT|SELECT|TEXTAREA/.test(document.activeElement.tagName)) return;
    const answer = await fetch(location.href, { headers: { "X-Part": part.id } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(part.id);
    if (fresh) part.innerHTML = fresh.innerHTML;
  }

  // A scanner types faster than anybody: wherever the focus is, what it reads is kept first, then
  // fills the page's scan box, or opens what it is. Keys without a character are sent by their name,
  // so that this workstation's calibration can tell what they stand for.
  const GAP = 60, LEAST = 6, QUIET = 160;
  let burst = "", last = 0, before = null, quiet = null;
  const raw = () => document.activeElement?.matches("input.raw");
  const named = (press) => {
    const key = press.key;
    if (press.ctrlKey || press.altKey) return `{${press.ctrlKey ? "Ctrl" : "Alt"}+${key}}`;
    return key.length === 1 ? key : `{${key}}`;
  };
  const silent = new Set(["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "Process"]);
  document.addEventListener("keydown", (press) => {
    if (press.metaKey || silent.has(press.key) || !body.dataset.live) return;
    const now = press.timeStamp;  // when the key came, however long the page was busy since
    if (now - last > GAP || burst === "") {
      burst = "";
      const box = document.activeElement;
      before = box && /INPUT|TEXTAREA/.test(box.tagName) && !/checkbox|radio|file/.test(box.type) ? [box, box.value] : null;
    }
    last = now;
    clearTimeout(quiet);
    if (press.key === "Enter") {
      if (burst.length >= LEAST) { press.preventDefault(); scanned(); }
      burst = "";
      return;
    }
    burst += named(press);
    if (raw() && press.key.length > 1 || press.ctrlKey && press.key === "]") press.preventDefault();
    if (burst.length >= 2 * LEAST) quiet = setTimeout(() => { if (performance.now() - last >= QUIET - 20) scanned(); }, QUIET);
  }, true);

  // What a label has to say follows from two choices; every case stands on the page, one is shown.
  const parts = [...document.querySelectorAll("select[data-label-part]")];
  const says = () => document.querySelectorAll("[data-says]").forEach((one) => { one.hidden = one.dataset.says !== parts.map((part) => part.value).join(" "); });
  parts.forEach((one) => one.addEventListener("change", says));
  if (parts.length) says();

  // A clock that runs down: plant seconds since the page was made, at the plant's speed.
  document.querySelectorAll("[data-clock]").forEach((one) => {
    const began = performance.now(), { elapsed, speed, limit } = one.dataset;
    const show = () => {
      const past = Number(elapsed) + (performance.now() - began) / 1000 * Number(speed);
      const left = limit ? Number(limit) - past : past;
      const whole = Math.floor(Math.abs(left));
      const text = `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
      one.textContent = limit && left < 0 ? `${text} ${one.dataset.over}` : text;
      one.classList.toggle("is-near", Boolean(limit) && left >= 0 && left < Number(limit) / 3);
      one.classList.toggle("is-over", Boolean(limit) && left < 0);
    };
    show();
    setInterval(show, 500);
  });
  async function scanned() {
    const typed = burst;
    burst = "";
    if (raw()) { take(document.activeElement, typed); return; }
    if (before && !before[0].matches("input.scan")) before[0].value = before[1];
    const token = document.querySelector("input[name=csrfmiddlewaretoken]");
    const asked = new URLSearchParams({ typed, page: location.pathname, csrfmiddlewaretoken: token ? token.value : "" });
    let found;
    try {
      const answer = await fetch("/scan/read", { method: "POST", body: asked });
      if (!answer.ok) return;
      found = await answer.json();
    } catch { lost(true); return; }
    const boxes = [...document.querySelectorAll("input.scan")];
    const box = boxes.find((one) => one === document.activeElement) || boxes.find((one) => !one.value) || boxes[0];
    if (box) take(box, found.text);
    else location.assign(found.link || `/scan?kept=${encodeURIComponent(found.text)}`);
  }

  // Fill a box and go on: to the next box of the form that still waits, else the form is sent.
  function take(box, text) {
    box.value = text;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    const waiting = [...box.form.elements].find((one) => one !== box && !one.value && !one.disabled && (one.required || one.matches("input.raw")));
    if (waiting) waiting.focus();
    else box.form.requestSubmit();
  }

  document.addEventListener("submit", (sending) => {
    const form = sending.target;
    if (form.dataset.sent) { sending.preventDefault(); return; }
    if (form.method === "post") form.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("form").forEach((form) => delete form.dataset.sent));
  document.querySelectorAll("select[data-submit]").forEach((one) => one.addEventListener("change", () => one.form.submit()));

  // Files dropped on a form are chosen in it.
  document.querySelectorAll("form[data-drop]").forEach((form) => {
    const box = form.querySelector("input[type=file]");
    const over = (is) => (event) => { event.preventDefault(); form.classList.toggle("is-over", is); };
    form.addEventListener("dragover", over(true));
    form.addEventListener("dragleave", over(false));
    form.addEventListener("drop", (event) => { over(false)(event); if (event.dataTransfer.files.length) { box.files = event.dataTransfer.files; box.focus(); } });
  });
})();
