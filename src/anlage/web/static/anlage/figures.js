// Figures made by the analysis are drawn in the page's own colours; files dropped on a form are chosen.
"use strict";
(() => {
  const ink = (name) => {
    const probe = document.createElement("i");
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };

  async function draw(place) {
    const answer = await fetch(place.dataset.figure);
    if (!answer.ok) { place.textContent = "The figure could not be fetched."; return; }
    const figure = await answer.json(), layout = figure.layout || {};
    const line = ink("--line");
    delete layout.template;
    delete layout.title;
    Object.assign(layout, { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", height: 400, margin: { l: 64, r: 24, t: 24, b: 56 }, font: { color: ink("--ink"), size: 13 } });
    for (const axis of Object.keys(layout).filter((name) => /^[xy]axis/.test(name))) Object.assign(layout[axis], { gridcolor: line, zerolinecolor: line, linecolor: line, automargin: true });
    layout.xaxis = Object.assign({ gridcolor: line, zerolinecolor: line }, layout.xaxis);
    layout.yaxis = Object.assign({ gridcolor: line, zerolinecolor: line }, layout.yaxis);
    await window.Plotly.newPlot(place, figure.data, layout, { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["sendDataToCloud", "lasso2d", "select2d"] });
    place.dataset.drawn = "yes";
  }

  document.querySelectorAll("[data-figure]").forEach((place) => draw(place).catch(() => { place.textContent = "The figure could not be drawn."; }));
})();
