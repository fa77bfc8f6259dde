"use strict";
// What the page holds is in #data; a chart is drawn anew when a control changes what it shows.
(() => {
  const page = JSON.parse(document.getElementById("data").textContent);
  const control = (name) => document.getElementById(name);
  const drawn = new Map(); // place of a chart -> what it shows and the view that shows it

  const colour = (name) =>
    getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  const look = () => ({
    background: "transparent",
    font: "system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif",
    view: { stroke: null },
    axis: {
      labelColor: colour("quiet"), titleColor: colour("quiet"), gridColor: colour("rule"),
      domainColor: colour("rule"), tickColor: colour("rule"), labelFontSize: 11,
      titleFontSize: 11, titleFontWeight: "normal",
    },
    legend: { labelColor: colour("ink"), titleColor: colour("quiet"), labelFontSize: 11 },
    text: { color: colour("ink") },
    rule: { color: colour("ink") },
  });

  const rows = (frame) => {
    const names = Object.keys(frame.columns);
    const count = names.length ? frame.columns[names[0]].length : 0;
    return Array.from({ length: count }, (_, i) => {
      const row = { ...frame.constants };
      for (const name of names) row[name] = frame.columns[name][i];
      return row;
    });
  };

  const chosen = () => {
    const [a, b] = ["run-a", "run-b"].map((name) => page.runs[Number(control(name).value)]);
    return { a, b, window: control("window")?.value };
  };

  // A frame is shown for a run if nothing in its key speaks against it.
  const fits = (key, run, window) =>
    key.machine === run.machine &&
    (key.policy === undefined || key.policy === run.policy) &&
    (key.window === undefined || key.window === window);

  const name = (run) => `${run.machine}: ${run.policy}`;

  // Return the charts of a plot as {title, frames}, in the order in which they stand.
  const charts = (plot, { a, b, window }) => {
    const whose = plot.frames.some((frame) => frame.key.policy !== undefined);
    const same = whose ? name(a) === name(b) : a.machine === b.machine;
    const runs = same ? [a] : [a, b];
    const found = (run) => plot.frames.filter((frame) => fits(frame.key, run, window));
    if (plot.overlays) {
      return [{ title: "", frames: runs.flatMap(found) }];
    }
    const values = plot.split
      ? [...new Set(runs.flatMap(found).map((frame) => frame.key[plot.split]))]
      : [undefined];
    return values.flatMap((value) =>
      runs.map((run) => ({
        title: [whose ? name(run) : run.machine, value].filter(Boolean).join(" \u00b7 "),
        frames: found(run).filter((frame) => !plot.split || frame.key[plot.split] === value),
      })),
    );
  };

  // A layer that needs a field is drawn of data that has it.
  const of = (chart, table) => {
    if (!chart.layer) return chart;
    const field = (layer) =>
      layer.name?.startsWith(page.needs) ? layer.name.slice(page.needs.length) : null;
    const has = (name) => name === null || table.some((row) => name in row);
    return { ...chart, layer: chart.layer.filter((layer) => has(field(layer))) };
  };

  const show = async (place, plot, chart) => {
    const table = chart.frames.flatMap(rows);
    const spec = {
      $schema: page.schema, ...of(plot.chart, table), autosize: { type: "fit-x", contains: "padding" },
      datasets: { [page.rows]: table },
    };
    place.replaceChildren();
    if (!table.length) {
      place.append(Object.assign(document.createElement("p"), {
        className: "empty", textContent: "nothing of it in this run",
      }));
      return null;
    }
    const actions = { export: true, source: false, compiled: false, editor: false };
    const made = await vegaEmbed(place, spec, { renderer: "svg", config: look(), actions });
    made.view.description(`${plot.title}. ${chart.title}`);
    return made;
  };

  const draw = async (plot) => {
    const figure = document.getElementById(`plot-${plot.name}`);
    const wanted = charts(plot, chosen());
    const key = JSON.stringify([wanted.map((c) => [c.title, c.frames.map((f) => f.key)]), theme()]);
    if (drawn.get(plot.name)?.key === key) return;
    const before = drawn.get(plot.name)?.made ?? [];
    drawn.set(plot.name, { key, made: [] });
    const pair = figure.querySelector(".pair");
    const panels = wanted.map((chart) => {
      const panel = Object.assign(document.createElement("div"), { className: "panel" });
      if (chart.title) {
        panel.append(Object.assign(document.createElement("h4"), { textContent: chart.title }));
      }
      panel.append(Object.assign(document.createElement("div"), { className: "chart" }));
      return panel;
    });
    pair.classList.toggle("single", panels.length === 1);
    figure.classList.toggle("span", panels.length > 1);
    pair.replaceChildren(...panels);
    before.forEach((each) => each?.finalize());
    const made = await Promise.all(
      panels.map((panel, i) => show(panel.querySelector(".chart"), plot, wanted[i])),
    );
    if (drawn.get(plot.name).key === key) drawn.get(plot.name).made = made;
  };

  const theme = () => document.documentElement.dataset.theme +
    String(matchMedia("(prefers-color-scheme: dark)").matches);

  const mark = () => {
    const { a, b } = chosen();
    for (const row of document.querySelectorAll("tr[data-run]")) {
      row.classList.toggle("chosen", [name(a), name(b)].includes(row.dataset.run));
    }
  };

  let last = Promise.resolve();
  const refresh = () => {
    document.documentElement.dataset.state = "drawing";
    mark();
    last = last.then(async () => {
      for (const plot of page.plots) await draw(plot);
      document.documentElement.dataset.state = "ready";
    });
    return last;
  };

  control("theme").addEventListener("change", (event) => {
    document.documentElement.dataset.theme = event.target.value;
  });
  control("controls").addEventListener("change", refresh);
  control("controls").addEventListener("submit", (event) => event.preventDefault());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", refresh);
  refresh();
})();
