"use strict";
// Everything shown is set as text, never as markup: names and contents come from the machine.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const id = (name) => document.getElementById(name);
  const PAGE = 100;

  // Characters that steer or turn the direction of writing are shown as escapes.
  const STEERS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
  const shown = (text) =>
    String(text).replace(STEERS, (letter) => "\\u{" + letter.codePointAt(0).toString(16) + "}");

  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
    }
    for (const child of children.flat()) {
      if (child === null || child === undefined || child === "") continue;
      made.append(child instanceof Node ? child : document.createTextNode(shown(child)));
    }
    return made;
  }
  const SVG = "http://www.w3.org/2000/svg";
  function drawn(name, attributes, ...children) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  const moment = (text) => text.replace("T", " ").replace(/\.\d+Z$/, "Z");
  const when = (text) => element("time", { datetime: text }, moment(text));
  function length(seconds) {
    if (!(seconds >= 0)) return "?";
    if (seconds < 1) return "< 1 s";
    if (seconds < 60) return Math.floor(seconds) + " s";
    if (seconds < 3600) return Math.floor(seconds / 60) + " min";
    if (seconds < 86400) return Math.floor(seconds / 3600) + " h " + Math.floor((seconds % 3600) / 60) + " min";
    return Math.floor(seconds / 86400) + " d " + Math.floor((seconds % 86400) / 3600) + " h";
  }
  const between = (from, to) => length((Date.parse(to) - Date.parse(from)) / 1000);
  const plural = (count, word) => count + " " + word + (count === 1 ? "" : "s");
  const name = (kind, title) =>
    kind + "." + (/^[A-Za-z0-9_-]+$/.test(title) ? title : JSON.stringify(title));

  const STATES = {
    open: ["\u25cf", "open", "bad"], failing: ["\u2716", "failing", "bad"],
    corrected: ["\u2714", "corrected", "good"], resolved: ["\u2713", "resolved", "info"],
    redeclared: ["\u21c4", "redeclared", "info"], undeclared: ["\u2205", "undeclared", "info"],
  };
  const OUTCOMES = {
    converged: ["\u2713", "good"], changed: ["\u25b2", "info"], corrected: ["\u2714", "change"],
    drifted: ["\u25cf", "bad"], failed: ["\u2716", "bad"], interrupted: ["\u25a0", "bad"],
    refused: ["\u2298", "bad"], rolled_back: ["\u21b6", "change"],
  };
  const tag = (mark, word, kind) =>
    element("span", { class: "tag " + kind }, element("span", { "aria-hidden": "true" }, mark + " "), word);
  const outcomeTag = (word) => tag((OUTCOMES[word] || ["?"])[0], word, (OUTCOMES[word] || ["", "info"])[1]);

  function stateOf(episode) {
    if (episode.end) return episode.end.how;
    return episode.state === "failed" ? "failing" : "open";
  }
  function actor(one) {
    const program = (one.executable || "").split("/").pop() || "a process";
    const login = one.login_user || (one.login_uid !== undefined ? "uid " + one.login_uid : "");
    const user = one.user || (one.uid !== undefined ? "uid " + one.uid : "");
    const person = login && user && login !== user ? login + " as " + user : login || user;
    const place = one.session ? "session " + one.session : one.unit || "";
    return program + " (" + ["pid " + one.pid, person, place].filter(Boolean).join(", ") + ")";
  }
  const value = (side) => (typeof side === "string" ? "(" + side + ")" : side.value);
  const brief = (text) => text.replace(/^(sha256:[0-9a-f]{12})[0-9a-f]+$/, "$1\u2026");

  const episodes = data.episodes.map((episode) => {
    const reference = name(episode.kind, episode.title);
    const actors = (episode.actors || []).map(actor);
    const words = JSON.stringify([reference, actors, episode.actors, stateOf(episode), episode.changes,
      episode.reason, episode.file, episode.first_run, episode.last_run]).toLowerCase();
    return { episode, reference, actors, words, open: !episode.end };
  });
  episodes.sort((left, right) => right.open - left.open);
  const runs = data.runs.map((row) => {
    const [run, started, took, outcome, trigger, mode, scope, revision, counts] = row;
    const [commit, subject] = data.revisions[revision] || ["", ""];
    const about = { focus: "", host: "" }[scope] ?? scope;
    const how = [trigger, mode === "enforce" ? "" : mode, about].filter(Boolean).join(", ");
    const words = [run, started, outcome, how, commit, subject].join(" ").toLowerCase();
    return { run, started, took, outcome, how, commit, subject, counts, words };
  });

  // ---- The first look: is anything open, and what did the last run do?
  id("host").textContent = shown(data.host || "this host");
  const since = data.since ? " since " + moment(data.since) : "";
  id("meta").textContent = "Written " + moment(data.written) + since + " by steadfast " + shown(data.version) + ".";
  const open = episodes.filter((one) => one.open);
  const card = (kind, title, text) =>
    element("div", { class: "card " + kind }, element("strong", {}, title), element("span", {}, text));
  const mended = data.total_episodes - data.open;
  id("verdict").append(
    data.open
      ? card("bad", "\u25cf " + plural(data.open, "resource") + " drifted, not mended",
          open.slice(0, 3).map((one) => one.reference + (one.actors.length ? ", by " + one.actors[0] : "")).join("; ")
            + (data.open > 3 ? "; \u2026" : ""))
      : card("good", "\u2713 No open drift", "Everything that drifted has ended."),
    mended
      ? card("change", "\u2714 " + plural(mended, "episode") + " of drift ended", plural(new Set(episodes.filter((one) => !one.open).map((one) => one.reference)).size, "resource") + "; who and what: see below.")
      : card("good", "\u2713 No drift before that", "Nothing has drifted in this time."),
  );
  if (runs.length) {
    const last = runs[0];
    const kind = (OUTCOMES[last.outcome] || ["", "info"])[1];
    id("verdict").append(card(kind, "Last run: " + last.outcome, moment(last.started) + ", " + last.how
      + (last.commit ? ", at " + last.commit.slice(0, 12) : "")));
  }

  // ---- Drift
  function diff(text) {
    const block = element("pre", { tabindex: "0", "aria-label": "difference: minus is what was found, plus is what is declared" });
    for (const line of text.split("\n").slice(2)) {
      if (line === "") continue;
      block.append(element("span", { class: { "+": "add", "-": "cut" }[line[0]] }, line));
    }
    return block;
  }
  function changes(list) {
    const all = element("dl");
    for (const change of list || []) {
      all.append(element("dt", {}, change.property));
      const sides = [element("code", { class: "cut" }, brief(value(change.before))), " \u2192 ",
        element("code", { class: "add" }, brief(value(change.after)))];
      all.append(element("dd", {}, change.diff ? diff(change.diff) : sides));
    }
    return all;
  }
  function what(one) {
    const { episode } = one;
    const properties = (episode.changes || []).map((change) => change.property);
    const details = element("details", { open: one.open });
    const label = properties.length ? properties.join(", ") : (episode.steps || ["details"])[0];
    details.append(element("summary", {}, label));
    if (episode.reason && one.open) details.append(element("p", {}, "Not corrected: " + episode.reason));
    details.append(changes(episode.changes));
    if (episode.clipped) details.append(element("p", { class: "small" }, "A long difference is cut short here: see the run's report."));
    const end = episode.end ? ". Ended " + moment(episode.end.at) + " by run " + episode.end.run : "";
    details.append(element("p", { class: "small" },
      "Declared at " + episode.file + ":" + episode.line + ". Seen in " + plural(episode.seen, "run")
      + ", first by run " + episode.first_run + end + "."));
    return details;
  }
  function episodeRow(one) {
    const { episode } = one;
    const state = stateOf(episode);
    const [mark, word, kind] = STATES[state] || ["?", state, "info"];
    const until = episode.end ? episode.end.at : data.written;
    const by = one.actors.length ? one.actors.map((each) => element("div", {}, each)) : element("span", { class: "quiet" }, "not known");
    return element("tr", { class: one.open ? "is-open" : undefined },
      element("td", {}, tag(mark, word, kind)),
      element("th", { scope: "row", class: "code" }, one.reference),
      element("td", { class: "when" }, when(episode.first_seen),
        element("div", { class: "small" }, (episode.end ? "lasted " : "for ") + between(episode.first_seen, until) + (episode.end ? "" : " so far")),
        episode.recurrence ? element("div", { class: "small again" }, "time " + (episode.recurrence + 1) + " within a day of each other") : ""),
      element("td", {}, by),
      element("td", {}, what(one)));
  }

  // ---- Runs
  const NAMES = ["in sync", "changed", "corrected", "drifted", "failed", "blocked", "skipped", "not reached", "notified"];
  function counted(counts) {
    const parts = [];
    NAMES.forEach((word, index) => {
      if (index > 0 && word !== "skipped" && counts[index + 1]) parts.push(counts[index + 1] + " " + word);
    });
    return parts.length ? parts.join(", ") + " of " + counts[0] : counts[1] + " in sync";
  }
  function resourceItem(resource) {
    const item = element("div", {}, element("p", {},
      element("strong", {}, resource.state.replace("_", " ")), " ",
      element("code", {}, name(resource.kind, resource.title)), resource.reason ? ": " + resource.reason : ""));
    if (resource.changes && resource.changes.length) item.append(changes(resource.changes));
    return item;
  }
  function runDetails(run) {
    const details = data.details[run.run];
    const text = counted(run.counts);
    if (!details || !(details.resources.length || details.messages.length)) return text;
    const block = element("details", {}, element("summary", {}, text));
    for (const message of details.messages) block.append(element("p", { class: "small" }, message));
    for (const resource of details.resources) block.append(resourceItem(resource));
    if (details.clipped) block.append(element("p", { class: "small" }, "More: steadfast report " + run.run));
    return block;
  }
  function runRow(run) {
    const revision = run.commit ? [element("code", {}, run.commit.slice(0, 12)), run.subject ? element("div", { class: "small" }, run.subject) : ""] : "";
    return element("tr", {},
      element("th", { scope: "row" }, when(run.started)),
      element("td", {}, outcomeTag(run.outcome)),
      element("td", { class: "number" }, run.took.toFixed(2) + " s"),
      element("td", {}, run.how),
      element("td", {}, revision),
      element("td", {}, runDetails(run)),
      element("td", { class: "code" }, run.run));
  }

  // ---- The chart: runs over time, the worst outcome on top.
  const ORDER = [["good", "in order"], ["info", "changed as declared"], ["change", "drift corrected"], ["bad", "drifted, failed, interrupted or refused"]];
  const chartKind = (outcome) => (OUTCOMES[outcome] || ["", "info"])[1];
  function swatch(kind, x, y, width, height) {
    const group = [drawn("rect", { class: "o-" + kind, x, y, width, height })];
    // Not by colour alone: trouble is crossed, corrections have a line.
    if (kind === "bad" && width > 3 && height > 3) {
      group.push(drawn("path", { class: "mark", d: `M${x} ${y}l${width} ${height}M${x + width} ${y}l${-width} ${height}` }));
    } else if (kind === "change" && height > 3) {
      group.push(drawn("path", { class: "mark", d: `M${x} ${y + height / 2}h${width}` }));
    } else if (kind === "info" && height > 3 && width > 3) {
      group.push(drawn("path", { class: "mark", d: `M${x} ${y + height}l${width} ${-height}` }));
    }
    return group;
  }
  function chart(list) {
    const place = id("chart");
    place.replaceChildren();
    const times = list.map((run) => Date.parse(run.started)).filter((time) => !Number.isNaN(time));
    if (!times.length) { id("chart-text").textContent = "No runs."; return; }
    const first = times.reduce((a, b) => Math.min(a, b)), last = times.reduce((a, b) => Math.max(a, b));
    const WIDTH = 1200, HEIGHT = 120, BASE = 119;
    const buckets = Math.max(1, Math.min(120, list.length));
    const span = Math.max(1, last - first) * (1 + 1e-9);
    const heap = Array.from({ length: buckets }, () => ({ good: 0, info: 0, change: 0, bad: 0 }));
    const totals = { good: 0, info: 0, change: 0, bad: 0 };
    for (const run of list) {
      const at = Math.min(buckets - 1, Math.floor(((Date.parse(run.started) - first) / span) * buckets));
      if (!(at >= 0)) continue;
      heap[at][chartKind(run.outcome)] += 1;
      totals[chartKind(run.outcome)] += 1;
    }
    const most = heap.reduce((a, one) => Math.max(a, one.good + one.info + one.change + one.bad), 1);
    const text = plural(list.length, "run") + " from " + moment(list[list.length - 1].started) + " to " + moment(list[0].started) + ": "
      + ORDER.filter(([kind]) => totals[kind]).map(([kind, words]) => totals[kind] + " " + words).join(", ") + ".";
    id("chart-text").textContent = text;
    const picture = drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": "Timeline. " + text, preserveAspectRatio: "none" });
    const each = WIDTH / buckets, gap = Math.min(4, each * 0.15);
    heap.forEach((one, index) => {
      let y = BASE;
      for (const [kind] of ORDER) {
        if (!one[kind]) continue;
        const height = Math.max(4, (one[kind] / most) * (BASE - 8));
        y -= height;
        picture.append(...swatch(kind, index * each, Math.max(0, y), Math.max(1, each - gap), height));
      }
    });
    picture.append(drawn("line", { class: "axis", x1: 0, x2: WIDTH, y1: BASE + .5, y2: BASE + .5 }));
    const ends = element("div", { class: "ends quiet", "aria-hidden": "true" },
      element("span", {}, moment(new Date(first).toISOString())), element("span", {}, moment(new Date(last).toISOString())));
    place.append(picture, ends);
  }
  id("legend").append(...ORDER.map(([kind, words]) =>
    element("li", {}, drawn("svg", { viewBox: "0 0 14 14" }, ...swatch(kind, 0, 0, 14, 14)), words)));

  // ---- Drift by resource
  function byResource(list) {
    const all = new Map();
    for (const one of list) {
      const entry = all.get(one.reference) || { reference: one.reference, count: 0, open: 0, last: "" };
      entry.count += 1;
      entry.open += one.open ? 1 : 0;
      if (one.episode.last_seen > entry.last) entry.last = one.episode.last_seen;
      all.set(one.reference, entry);
    }
    const entries = [...all.values()].sort((a, b) => b.open - a.open || b.count - a.count).slice(0, 20);
    const most = entries.reduce((a, entry) => Math.max(a, entry.count), 1);
    const rows = entries.map((entry) => {
      const button = element("button", { type: "button", class: "link code", title: "Show only this resource" }, entry.reference);
      button.addEventListener("click", () => { id("words").value = entry.reference; refresh(); id("words").focus(); });
      const bar = element("span", { class: "bar", "aria-hidden": "true" });
      bar.style.width = (entry.count / most) * 8 + "rem";
      return element("tr", {}, element("th", { scope: "row" }, button),
        element("td", { class: "number" }, String(entry.count)), element("td", {}, bar),
        element("td", { class: "number" }, entry.open ? String(entry.open) : "0"),
        element("td", { class: "when" }, when(entry.last)));
    });
    fill("resources", rows, 5, "Nothing has drifted here.");
  }

  // ---- Search, filters, and what is shown of long lists
  function fill(table, rows, columns, nothing) {
    const body = id(table).tBodies[0];
    body.replaceChildren(...(rows.length ? rows : [element("tr", {}, element("td", { colspan: columns, class: "none" }, nothing))]));
  }
  const limits = { episodes: PAGE, runs: PAGE };
  function show(table, list, row, columns, nothing) {
    fill(table, list.slice(0, limits[table]).map(row), columns, nothing);
    const rest = list.length - limits[table];
    const more = id("more-" + table);
    more.hidden = rest <= 0;
    more.textContent = "Show " + Math.min(rest, PAGE) + " more of " + rest;
  }
  for (const outcome of Object.keys(OUTCOMES)) {
    if (runs.some((run) => run.outcome === outcome)) id("outcome").append(element("option", { value: outcome }, outcome.replace("_", " ")));
  }
  function refresh(keep) {
    if (!keep) { limits.episodes = PAGE; limits.runs = PAGE; }
    const words = id("words").value.toLowerCase().split(/\s+/).filter(Boolean);
    // What is typed as it is shown is found as it is kept.
    const matches = (text) => words.every((word) => text.includes(word) || text.includes(JSON.stringify(word).slice(1, -1)));
    const state = id("state").value, outcome = id("outcome").value;
    const some = episodes.filter((one) => matches(one.words) && (!state || (state === "open") === one.open));
    const several = runs.filter((run) => matches(run.words) && (!outcome || run.outcome === outcome));
    // A resource's name finds its runs too, by its episodes.
    const touched = new Set(words.length ? some.flatMap((one) => [one.episode.first_run, one.episode.last_run]) : []);
    const direct = new Set(several);
    const listed = runs.filter((run) => direct.has(run) || (touched.has(run.run) && (!outcome || run.outcome === outcome)));
    show("episodes", some, episodeRow, 5, episodes.length ? "No episode of drift is like that." : "Nothing has drifted.");
    show("runs", words.length ? listed : several, runRow, 7, runs.length ? "No run is like that." : "There are no runs.");
    byResource(some);
    chart(words.length ? listed : several);
    const filtered = words.length || state || outcome;
    id("found").textContent = filtered
      ? plural(some.length, "episode") + " of drift and " + plural((words.length ? listed : several).length, "run") + " found."
      : plural(episodes.length, "episode") + " of drift, " + plural(runs.length, "run") + ".";
    id("drift-lead").textContent = some.length
      ? some.filter((one) => one.open).length + " open, " + some.filter((one) => !one.open).length + " ended." : "";
  }
  id("search").addEventListener("submit", (event) => event.preventDefault());
  id("search").addEventListener("input", () => refresh());
  id("search").addEventListener("reset", () => setTimeout(() => { refresh(); id("words").focus(); }));
  for (const table of ["episodes", "runs"]) {
    id("more-" + table).addEventListener("click", () => {
      const at = limits[table];
      limits[table] += PAGE;
      refresh(true);
      const row = id(table).tBodies[0].rows[at];
      if (row) { row.tabIndex = -1; row.focus(); }
    });
  }
  const missing = [];
  if (data.total_runs > runs.length) missing.push("the newest " + runs.length + " of " + data.total_runs + " runs");
  if (data.total_episodes > episodes.length) missing.push(episodes.length + " of " + data.total_episodes + " episodes");
  id("bounds").textContent = missing.length ? "This page shows " + missing.join(" and ") + "; steadfast report --list and steadfast drift have them all." : "";
  refresh();
})();
