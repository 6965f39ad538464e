"use strict";

// Draws the past and keeps the page fresh. All of it comes from this server,
// and text from the daemon is never taken for markup.

const REFRESH_MS = 5000;

/** A length of time with three digits and its unit. */
function span(seconds) {
  const size = Math.abs(seconds);
  if (size === 0)
    return "0";
  const units = [[1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]];
  const [scale, unit] = units.find(([s]) => size >= s) || units[3];
  return (seconds / scale).toPrecision(3) + " " + unit;
}

/** Names and values under the pointer, as text: names come from outside. */
function legend(data) {
  const all = document.createDocumentFragment();
  for (const series of data.series) {
    const entry = document.createElement("span");
    entry.className = "entry";
    entry.style.color = series.color;
    entry.textContent = series.y === undefined || series.y === null
      ? series.label
      : series.label + ": " + span(series.y);
    all.append(entry);
  }
  return all;
}

function options(labels, more) {
  return {
    labels,
    legend: "always",
    legendFormatter: legend,
    animatedZooms: false,
    connectSeparatedPoints: false,
    strokeWidth: 1.5,
    axes: {
      x: { axisLabelWidth: 75 },
      y: {
        axisLabelFormatter: span,
        valueFormatter: span,
        axisLabelWidth: 80,
      },
    },
    ...more,
  };
}

/** The rows of each plot, and its labels. */
function plots(history) {
  const when = (row) => new Date(row[0] * 1000);
  return {
    offset: {
      // Dygraphs wants a middle with its deviation.
      rows: history.rows.map((r) => [when(r), [r[1], r[2]]]),
      settings: options(["time", "offset"], { errorBars: true, sigma: 1 }),
    },
    bound: {
      rows: history.rows.map((r) => [when(r), r[3]]),
      settings: options(["time", "bound"], { includeZero: true }),
    },
    sources: {
      rows: history.rows.map((r) => [when(r), ...r.slice(4)]),
      settings: options(["time", ...history.sources], {}),
    },
  };
}

const drawn = {};

/** The lines' names stand above the plot: inside they would hide some. */
function newPlot(name, rows, settings) {
  const plot = document.getElementById(name);
  const labelsDiv = document.createElement("div");
  labelsDiv.className = "legend";
  plot.before(labelsDiv);
  return new Dygraph(plot, rows, { ...settings, labelsDiv });
}

function draw(history) {
  document.getElementById("plots").hidden = history.rows.length === 0;
  if (history.rows.length === 0)
    return;
  for (const [name, { rows, settings }] of Object.entries(plots(history))) {
    if (settings.labels.length < 2)
      continue;
    if (drawn[name])
      drawn[name].updateOptions({ file: rows, labels: settings.labels });
    else
      drawn[name] = newPlot(name, rows, settings);
  }
}

/** The tables are made by the server only; here they are exchanged. */
function replaceNow(page) {
  const fresh = new DOMParser().parseFromString(page, "text/html");
  document.getElementById("now").replaceWith(fresh.getElementById("now"));
}

async function refresh() {
  try {
    const [page, history] = await Promise.all([
      fetch("./").then((answer) => answer.text()),
      fetch("history.json").then((answer) => answer.json()),
    ]);
    replaceNow(page);
    draw(history);
  } catch {
    const state = document.querySelector(".state");
    state.className = "state bad";
    state.textContent = "The exporter does not answer.";
  }
  setTimeout(refresh, REFRESH_MS);
}

refresh();
