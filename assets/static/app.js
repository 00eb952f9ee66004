// What makes the pages pleasanter where scripts run: copy, save, print, show a password, "time ago", focus.
// Nothing here is needed: buttons that need it are hidden until it runs, and every page works without.
"use strict";

const all = (selector) => document.querySelectorAll(selector);

// The text of what a button is about: the listed codes one a line, or the element's own text.
const textOf = (button, key) => {
  const source = document.getElementById(button.dataset[key]);
  if (source.tagName === "TEXTAREA") return source.value;
  const items = source.querySelectorAll("li");
  const lines = items.length ? Array.from(items, (item) => item.textContent.trim()) : [source.textContent.trim()];
  return lines.join("\n");
};

const sayDone = (button, text) => {
  const before = button.textContent;
  button.textContent = text;
  setTimeout(() => { button.textContent = before; }, 2500);
};

const selectText = (element) => {
  if (element.select) return element.select();
  const range = document.createRange();
  range.selectNodeContents(element);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
};

for (const button of all("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(textOf(button, "copy"));
      sayDone(button, "Copied");
    } catch {
      // No clipboard without https: the text is selected, ready to be copied by hand.
      selectText(document.getElementById(button.dataset.copy));
      sayDone(button, "Selected: copy it now");
    }
  });
}

for (const button of all("[data-save]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const link = document.createElement("a");
    const lines = [button.dataset.heading, "", textOf(button, "save"), ""].join("\n");
    link.href = URL.createObjectURL(new Blob([lines], { type: "text/plain" }));
    link.download = button.dataset.file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}

for (const button of all("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

for (const button of all("[data-reveal]")) {
  const field = document.getElementById(button.dataset.reveal);
  button.hidden = false;
  button.addEventListener("click", () => {
    const show = field.type === "password";
    field.type = show ? "text" : "password";
    button.textContent = show ? "Hide password" : "Show password";
    button.setAttribute("aria-pressed", String(show));
  });
  // Sent as a password, so that no browser remembers it as text.
  field.form.addEventListener("submit", () => { field.type = "password"; });
}

// "5 minutes ago" grows old while a page stays open.
const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
const ago = (seconds) => {
  const unit = units.find(([, size]) => Math.abs(seconds) >= size);
  if (!unit) return seconds < 0 ? "in less than a minute" : "just now";
  const count = Math.floor(Math.abs(seconds) / unit[1]);
  const words = `${count} ${unit[0]}${count === 1 ? "" : "s"}`;
  return seconds < 0 ? `in ${words}` : `${words} ago`;
};
const refreshTimes = () => {
  for (const time of all("time[data-ago]")) {
    time.textContent = ago((Date.now() - Date.parse(time.dateTime)) / 1000);
  }
};
// The server's and the visitor's clock may differ: only what a minute changes is rewritten, never at once.
setInterval(refreshTimes, 60000);

// A time of day in the visitor's own zone, for the one moment that somebody says it on the phone. Its title, which is
// what is printed, stays in UTC.
for (const time of all("time[data-clock]")) {
  const options = { hour: "2-digit", minute: "2-digit" };
  const when = new Date(time.dateTime);
  if (when.toDateString() !== new Date().toDateString()) Object.assign(options, { day: "numeric", month: "long" });
  time.textContent = when.toLocaleString(document.documentElement.lang + "-GB", options);
}

// What the apps of a demo show changes every 30 seconds; each element holds what it shows in the minutes to come. The
// time since the page was made counts: the visitor's clock may be another.
const countdown = document.querySelector("[data-left]");
if (countdown) {
  const left = Number(countdown.dataset.left);
  const codes = Array.from(all("[data-codes]"), (element) => [element, element.dataset.codes.split(" ")]);
  setInterval(() => {
    const passed = 30 - left + performance.now() / 1000;
    const step = Math.floor(passed / 30);
    countdown.textContent = 30 - Math.floor(passed % 30);
    if (codes.some(([, list]) => step >= list.length)) location.reload();
    else for (const [element, list] of codes) element.textContent = list[step];
  }, 1000);
  // Meanwhile somebody may have begun to set up an app.
  document.addEventListener("visibilitychange", () => { if (!document.hidden) location.reload(); });
}

// A menu closes on Escape and on a click elsewhere, as people expect.
for (const menu of all("details.menu")) {
  document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}

// After a mistake the summary is what one hears first; a page with one field keeps its field focused.
if (!document.querySelector("[autofocus]")) document.querySelector("[data-summary]")?.focus();
