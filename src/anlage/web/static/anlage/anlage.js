// Live parts, the keyboard-wedge scanner, one-time submission. No framework; works with the keyboard alone.
"use strict";
(() => {
  const body = document.body;

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

  // A scanner types fast and ends with Enter: wherever the focus is, the text goes to the page's scan box.
  let burst = "", last = 0;
  document.addEventListener("keydown", (press) => {
    const box = document.querySelector("input.scan");
    if (!box || press.ctrlKey || press.metaKey || press.altKey) return;
    const now = performance.now();
    if (now - last > 60) burst = "";
    last = now;
    if (press.key === "Enter" && burst.length >= 6 && !document.activeElement?.matches("input.scan")) {
      press.preventDefault();
      box.value = burst;
      burst = "";
      box.form.requestSubmit();
    } else if (press.key.length === 1) {
      burst += press.key;
    }
  }, true);

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
