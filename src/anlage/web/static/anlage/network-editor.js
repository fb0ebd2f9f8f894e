// The editor of networks: line numbers, what is wrong beside its line while it is typed, a quick answer.
"use strict";
(() => {
  const form = document.getElementById("network-form"), field = document.getElementById("file");
  if (!form || !field) return;
  const gutter = form.querySelector(".gutter"), verdict = document.getElementById("verdict"), list = document.getElementById("found");
  const trying = document.getElementById("try"), answer = document.getElementById("answer");
  const secret = form.querySelector("[name=csrfmiddlewaretoken]").value;
  let waiting = null, asked = 0, job = null;

  function number(problems) {
    const count = field.value.split("\n").length, marked = new Map();
    for (const one of problems) if (one.line) marked.set(one.line, one);
    gutter.replaceChildren(...Array.from({ length: count }, (_, at) => {
      const line = document.createElement("span"), found = marked.get(at + 1);
      line.textContent = at + 1;
      if (found) { line.className = "wrong"; line.title = `${found.what}: ${found.found ?? ""}. ${found.remedy ?? ""}`; }
      return line;
    }));
    gutter.scrollTop = field.scrollTop;
  }

  function go(line) {
    const lines = field.value.split("\n");
    const begin = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
    field.focus();
    field.setSelectionRange(begin, begin + (lines[line - 1] ?? "").length);
    const high = parseFloat(getComputedStyle(field).lineHeight);
    field.scrollTop = Math.max(0, (line - 4) * high);
  }

  function tell(problems) {
    list.replaceChildren(...problems.slice(0, 50).map((one) => {
      const item = document.createElement("li");
      const head = document.createElement(one.line ? "button" : "b");
      head.textContent = one.line ? `Line ${one.line}` : "File";
      if (one.line) { head.type = "button"; head.className = "plain"; head.addEventListener("click", () => go(one.line)); }
      item.append(head, ` ${one.what}`);
      const said = [["Found", one.found], ["Accepted is", one.limit], ["Next", one.remedy]].filter(([, text]) => text);
      for (const [word, text] of said) { const row = document.createElement("p"), bold = document.createElement("b"); bold.textContent = `${word} `; row.append(bold, text); item.append(row); }
      return item;
    }));
  }

  async function send(address) {
    return fetch(address, { method: "POST", headers: { "X-CSRFToken": secret }, body: new URLSearchParams({ file: field.value }) });
  }

  async function check() {
    const mine = ++asked, told = await send("/networks/check");
    if (mine !== asked || !told.ok) return;
    const found = await told.json();
    number(found.problems);
    tell(found.problems);
    verdict.className = `verdict ${found.ok ? "sound" : "warn"}`;
    verdict.textContent = found.ok ? `Sound. Checked in ${found.seconds.toFixed(2)} s.` : `${found.problems.length} problem${found.problems.length > 1 ? "s" : ""}, each with its line and what to do.`;
    if (trying) trying.disabled = !found.ok;
  }

  function rows(told) {
    const table = document.createElement("dl");
    table.className = "facts";
    for (const [what, much, span] of told.rows) {
      const name = document.createElement("dt"), value = document.createElement("dd"), bold = document.createElement("b"), more = document.createElement("span");
      name.textContent = what; bold.textContent = much; more.className = "quiet small"; more.textContent = ` ${span}`;
      value.append(bold, more);
      table.append(name, value);
    }
    const link = document.createElement("a");
    link.href = `/networks/runs/${job}`; link.className = "button"; link.textContent = "All of it";
    const line = document.createElement("p");
    line.append(link);
    answer.replaceChildren(table, line);
  }

  async function look(begun) {
    const told = await (await fetch(`/networks/runs/${job}/brief`)).json();
    if (told.state === "done") { rows(told); answer.dataset.seconds = ((performance.now() - begun) / 1000).toFixed(2); return; }
    if (told.state === "waiting" || told.state === "running") { setTimeout(() => look(begun), 150); return; }
    say(told.problems.map((one) => `${one.what}: ${one.found ?? ""}. ${one.remedy ?? ""}`).join(" ") || told.words);
  }

  function say(text) {
    const line = document.createElement("p");
    line.textContent = text;
    answer.replaceChildren(line);
  }

  async function attempt() {
    const begun = performance.now();
    say("Running …");
    const told = await send("/networks/try"), found = await told.json();
    if (!told.ok) return say(found.problems.map((one) => `${one.what}: ${one.found ?? ""}. ${one.remedy ?? ""}`).join(" "));
    job = found.id;
    look(begun);
  }

  field.addEventListener("input", () => { number([]); clearTimeout(waiting); waiting = setTimeout(check, 350); });
  field.addEventListener("scroll", () => { gutter.scrollTop = field.scrollTop; });
  if (trying) { trying.hidden = false; trying.addEventListener("click", attempt); }
  number(JSON.parse(document.getElementById("first-lines").textContent));
  check();
})();
