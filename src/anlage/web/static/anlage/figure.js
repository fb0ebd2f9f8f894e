// Draws the figures of a page with Plotly, in the page's own colours, and plays those that move.
"use strict";
(() => {
  const root = document.documentElement;
  const colour = (name) => {
    const probe = document.createElement("span");
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const settings = { displayModeBar: false, responsive: true, doubleClick: false, scrollZoom: false };

  function draw(figure) {
    const told = JSON.parse(document.getElementById(figure.dataset.drawing).textContent);
    const plot = figure.querySelector(".plot");
    const ink = colour("--quiet"), strong = colour("--ink"), line = colour("--line");
    const layout = { ...told.layout, dragmode: false, font: { ...told.layout.font, color: strong, family: getComputedStyle(document.body).fontFamily } };
    for (const axis of ["xaxis", "yaxis"]) layout[axis] = { ...layout[axis], gridcolor: line, zerolinecolor: ink, fixedrange: true };
    layout.hoverlabel = { ...layout.hoverlabel, bgcolor: colour("--sheet"), bordercolor: ink, font: { color: strong } };
    const data = told.data.map((trace) => {
      const inked = trace.mode?.includes("text") ? { textfont: { ...trace.textfont, color: strong } } : {};
      const land = trace.name === "land" ? { marker: { ...trace.marker, color: line, opacity: 1 } } : {};
      return { ...trace, ...inked, ...land };
    });
    Plotly.react(plot, data, layout, settings).then(() => { if (told.frames.length) play(figure, plot, told.frames); });
  }

  // Play, pause and a slider of the page itself, so that keyboard and touch can use them.
  function play(figure, plot, frames) {
    const player = figure.querySelector(".player");
    if (!player || !player.hidden) return;
    const button = player.querySelector("[data-play]"), slider = player.querySelector("input"), clock = player.querySelector("[data-day-time]");
    const words = { play: button.textContent, pause: "Pause" };
    let timer = null;
    player.hidden = false;
    const show = (number) => {
      slider.value = number;
      clock.textContent = frames[number].name;
      slider.setAttribute("aria-valuetext", frames[number].name);
      const pace = calm.matches ? 0 : 160;
      Plotly.animate(plot, { data: frames[number].data, traces: frames[number].traces }, { mode: "immediate", frame: { duration: pace, redraw: false }, transition: { duration: pace, easing: "linear" } });
    };
    const stop = () => { clearInterval(timer); timer = null; button.textContent = words.play; button.setAttribute("aria-pressed", "false"); };
    button.addEventListener("click", () => {
      if (timer) return stop();
      button.textContent = words.pause;
      button.setAttribute("aria-pressed", "true");
      if (Number(slider.value) >= frames.length - 1) show(0);
      timer = setInterval(() => { const next = Number(slider.value) + 1; if (next >= frames.length) stop(); else show(next); }, 220);
    });
    slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
    show(Math.round(frames.length / 3));
  }

  const all = () => document.querySelectorAll("[data-drawing]").forEach(draw);
  if (typeof Plotly !== "undefined") all();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (!root.dataset.theme || root.dataset.theme === "auto") all(); });
})();
